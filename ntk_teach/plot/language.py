"""The visual language, as Matplotlib settings."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from ntk_teach.plot.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["canvas", "style"]

_SETTINGS = {
    "axes.axisbelow": True,
    "axes.edgecolor": LIGHT.muted,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": LIGHT.ink,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.06,
    "font.family": "sans-serif",
    # Text is measured in this face and set in the reader's, so the measuring face has to be a wide one.
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": LIGHT.rule,
    "grid.linewidth": 0.6,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "lines.linewidth": 1.2,
    "savefig.dpi": 72,
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched, and set in the page's own face
    "svg.hashsalt": "ntk-teach",  # Matplotlib names clip paths at random otherwise, and no build equals the one before
    "text.color": LIGHT.ink,
    "xtick.color": LIGHT.muted,
    "xtick.labelcolor": LIGHT.ink,
    "ytick.color": LIGHT.muted,
    "ytick.labelcolor": LIGHT.ink,
}


def style() -> AbstractContextManager[None]:
    """Context in which Matplotlib draws in the book's visual language: ``with plot.style(): …``.

    Returns:
        A context manager; the settings of before come back at its end.

    Raises:
        ImportError: Matplotlib is not installed; the message says how to get it.

    Chapter: 05.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise ImportError(
            "ntk_teach.plot: expected Matplotlib, found none; install the book's extra: pip install 'ntk-teach[book]'"
        ) from None
    return mpl.rc_context(_SETTINGS)  # type: ignore[arg-type]  # its keys are typed as 300 literals


def canvas(width: float = 7.0, height: float = 3.7) -> tuple[Figure, Axes]:
    """An empty figure with one Axes in the book's visual language.

    Args:
        width: in inches; 7 fills a page of the book, 3.4 stands two in a row.
        height: in inches.

    Returns:
        The figure and its Axes. It does not pass through pyplot, so there is nothing to close.

    Raises:
        ImportError: Matplotlib is not installed.

    Chapter: 05.
    """
    with style():
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, height))
        return figure, figure.subplots()
