"""Figures of the book: one visual language, and one function a figure that takes an Axes and returns it.

Matplotlib is imported when the first figure is drawn, not before.
"""

from ntk_teach.plot.figures import histogram_against_gaussian as histogram_against_gaussian
from ntk_teach.plot.figures import kernel_on_circle as kernel_on_circle
from ntk_teach.plot.figures import kernel_over_time as kernel_over_time
from ntk_teach.plot.figures import slope_in_width as slope_in_width
from ntk_teach.plot.language import canvas as canvas
from ntk_teach.plot.language import style as style
from ntk_teach.plot.svg import Embedded as Embedded
from ntk_teach.plot.svg import embed as embed

__all__ = [
    "style",
    "canvas",
    "embed",
    "Embedded",
    "kernel_on_circle",
    "slope_in_width",
    "histogram_against_gaussian",
    "kernel_over_time",
]
