"""The visual language, as data: what every color of every figure means.

Finite networks are tints of one hue, which stand out from the page more the wider the network; the limit is ink,
dashed; data points are a second hue. Matplotlib draws with the ``LIGHT`` colors, and CSS variables take their place in
the page, so that one drawing serves both themes. The same values stand in ``book/_static/figures.css``; a test holds
the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["DARK", "DASHES", "LIGHT", "TINTS", "Theme", "css_names", "tints"]

TINTS = 5  # how many widths one figure can tell apart
DASHES = {"limit": (4.5, 2.5), "after": (1.0, 1.8)}  # in line widths: the second channel beside color


@dataclass(frozen=True)
class Theme:
    """The colors of one theme, each ``#rrggbb``."""

    page: str  # what the figure lies on: the rim of the limit, where it crosses the networks
    ink: str  # text and the infinite-width limit
    muted: str  # axes and ticks
    rule: str  # grid lines: decoration, may be faint
    data: str  # data points
    net: tuple[str, ...]  # finite networks, narrow to wide


LIGHT = Theme(
    page="#ffffff",
    ink="#222832",
    muted="#57606c",
    rule="#d8dde3",
    data="#c2410c",
    net=("#5a99d4", "#4083c3", "#2b6fb0", "#1c5c9c", "#0f4a88"),
)
DARK = Theme(
    page="#121212",
    ink="#ced6dd",
    muted="#9aa6b4",
    rule="#2e3642",
    data="#ff9b5e",
    net=("#4179ad", "#4f8cc4", "#60a0d9", "#76b3ea", "#90c6f7"),
)


def css_names(theme: Theme) -> Mapping[str, str]:
    """CSS variable of each color, ``{"--ntk-net-1": "#5a99d4", …}``; ink is not one, it is the color of the text."""
    names = {"--ntk-page": theme.page, "--ntk-muted": theme.muted, "--ntk-rule": theme.rule, "--ntk-data": theme.data}
    return names | {f"--ntk-net-{step}": color for step, color in enumerate(theme.net, start=1)}


def tints(count: int) -> list[int]:
    """Steps ``1 … TINTS`` for ``count`` widths in increasing order, spread as far apart as they go.

    Args:
        count: number of widths in the figure; beyond ``TINTS`` neighbors share a step.

    Returns:
        ``count`` steps into ``Theme.net`` (counted from 1, as in ``--ntk-net-1``), never decreasing.
    """
    if count == 1:
        return [(TINTS + 1) // 2]
    return [1 + round(place * (TINTS - 1) / (count - 1)) for place in range(count)]
