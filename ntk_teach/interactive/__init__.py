"""Figures that answer to the reader: self-contained HTML with the numbers inside, no server and nothing to download."""

from ntk_teach.interactive.frames import frames as frames
from ntk_teach.interactive.slider import width_slider as width_slider
from ntk_teach.interactive.surface import surface as surface

__all__ = ["width_slider", "frames", "surface"]
