"""A Matplotlib figure as inline SVG that takes the colors and the typeface of the page it lies on."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from ntk_teach.plot.caption import caption_html, mark
from ntk_teach.plot.language import style
from ntk_teach.plot.palette import LIGHT, css_names

if TYPE_CHECKING:
    import matplotlib.figure

__all__ = ["Embedded", "embed", "inline"]

_NARROW = 3.45  # inches: what is left of a telephone's 375 px beside the page's margins
_PIXELS_IN_POINT = 96 / 72
_LETTERS = ("text", "tspan")
_HREF = "{http://www.w3.org/1999/xlink}href"


@dataclass(frozen=True)
class Embedded:
    """A figure as HTML; a notebook shows it, and its plain text is the alternative text."""

    html: str
    alt: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"


def embed(figure: matplotlib.figure.Figure | Sequence[matplotlib.figure.Figure], *, alt: str, caption: str) -> Embedded:
    r"""The figure as an inline ``<figure>``, right in light and dark, on a wide page and on a telephone.

    Colors of the visual language become ``currentColor`` and CSS variables (with the light color as fallback, for
    notebooks outside the book), text stays text. A figure wider than a telephone is laid out twice, and the page shows
    the layout that fits. The same figure gives the same bytes.

    Args:
        figure: one figure, or several to stand side by side where there is room and below each other where there is
            not. A figure made by pyplot is closed.
        alt: what the figure shows, for those who do not see it; plain text.
        caption: what to see in it; HTML, mathematics between ``$…$``.

    Returns:
        An object that notebooks display.

    Raises:
        ImportError: Matplotlib is not installed.

    Cost: one or two Matplotlib drawings a figure.
    Chapter: 05.
    """
    panels = list(figure) if isinstance(figure, Sequence) else [figure]
    svgs = "".join(inline(panels, alt, caption))
    # Inline style stands only where a notebook without the book's style sheet would look wrong.
    row = "display:flex;flex-wrap:wrap;gap:1rem;justify-content:center"
    html = (
        f'<figure class="ntk-figure" style="margin:1rem 0">'
        f'<div role="img" aria-label="{escape(alt)}" style="{row}">{svgs}</div>'
        f"<figcaption>{caption_html(caption)}</figcaption></figure>"
    )
    return Embedded(html=html, alt=alt)


def inline(figures: Sequence[matplotlib.figure.Figure], *about: str) -> list[str]:
    """Each figure as one ``<svg>``, or as two for two widths of the page, with ids that no other figure has.

    A figure made by pyplot is closed; ``about`` is what else tells this figure from others, such as its caption.
    """
    drawings = [_drawings(figure) for figure in figures]
    prefix = mark(*about, *(ET.tostring(svg, "unicode") for layouts in drawings for svg in layouts.values()))
    for figure in figures:
        _close(figure)
    return [
        "".join(_inline(svg, layout, f"{prefix}-{place}{layout}-") for layout, svg in layouts.items())
        for place, layouts in enumerate(drawings)
    ]


def _drawings(figure: matplotlib.figure.Figure) -> dict[str, ET.Element]:
    """The figure as it is and, where it is wider than a telephone, once more laid out for one."""
    width, height = figure.get_size_inches()
    if width <= 1.1 * _NARROW:
        return {"any": _drawn(figure)}
    wide = _drawn(figure)
    figure.set_size_inches(_NARROW, min(height, 0.95 * _NARROW))
    try:
        return {"wide": wide, "narrow": _drawn(figure)}
    finally:
        figure.set_size_inches(width, height)


def _drawn(figure: matplotlib.figure.Figure) -> ET.Element:
    target = io.StringIO()
    with style():
        figure.savefig(target, format="svg", transparent=True)
    root = ET.fromstring(target.getvalue())
    _shed(root)
    _repaint(root)
    return root


def _shed(root: ET.Element) -> None:
    """Drop what a page does not want: namespaces, metadata, indents, empty words, a rule that styles all of it."""
    for parent in root.iter():
        for child in list(parent):
            if child.tag.endswith(("}metadata", "}style")):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.split("}")[-1]
        if _HREF in element.attrib:
            element.set("href", element.attrib.pop(_HREF))
    used = {name for element in root.iter() for name in _references(element)}
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        if element.get("transform", "").startswith("rotate(-0 "):
            del element.attrib["transform"]
        for key in ("d", "x", "y"):
            if key in element.attrib:
                element.set(key, _rounded(element.attrib[key]))
        if "style" in element.attrib:
            element.set("style", element.attrib["style"].replace("; ", ";"))
    _flatten(root)


def _flatten(parent: ET.Element) -> None:
    """Children of groups that say nothing about them, in place of the groups; no indents outside of text."""
    children = list(parent)
    for child in children:
        parent.remove(child)
        if child.tag in _LETTERS:
            child.tail = None
            parent.append(child)
            continue
        _flatten(child)
        child.tail = None
        parent.extend(child if child.tag == "g" and not child.attrib else [child])
    parent.text = None


def _repaint(root: ET.Element) -> None:
    """Colors by meaning in place of colors by value; the reader's typeface in place of the one that measured."""
    meaning = {color: f"var({name}, {color})" for name, color in css_names(LIGHT).items()}
    # A page that does not name its color may be a dark one: no rim rather than a white one.
    meaning |= {LIGHT.ink: "currentColor", LIGHT.page: "var(--ntk-page, none)"}
    for element in root.iter():
        if "style" in element.attrib:
            value = re.sub(r"\s*font-family:[^;]*;?", "", element.attrib["style"])
            element.set("style", re.sub(r"#[0-9a-f]{6}\b", lambda found: meaning.get(found[0], found[0]), value))


def _inline(svg: ET.Element, layout: str, prefix: str) -> str:
    """The ``<svg>`` with ids of its own, as wide as it was drawn but never wider than the page."""
    for element in svg.iter():
        for key, value in element.attrib.items():
            if key == "id":
                element.set("id", f"{prefix}{value}")
            elif key == "href":
                element.set("href", value.replace("#", f"#{prefix}"))
            elif "url(#" in value:
                element.set(key, value.replace("url(#", f"url(#{prefix}"))
    content = "".join(ET.tostring(child, "unicode") for child in svg)
    width = float(svg.get("width", "").removesuffix("pt")) * _PIXELS_IN_POINT
    hidden = "display:none;" if layout == "narrow" else ""  # the style sheet shows it where the page is narrow
    size = f"{hidden}width:100%;max-width:{width:.0f}px;height:auto;stroke-linejoin:round"
    return f'<svg class="ntk-{layout}" viewBox="{svg.get("viewBox")}" style="{size}">{content}</svg>'


def _references(element: ET.Element) -> Iterator[str]:
    for key, value in element.attrib.items():
        if key == "href":
            yield value.removeprefix("#")
        elif found := re.search(r"url\(#([^)]+)\)", value):
            yield found[1]


def _rounded(path: str) -> str:
    """Hundredths of a point are finer than any screen, and halve the page."""
    path = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), path)
    return re.sub(r" ?([A-Za-z]) ?", r"\1", " ".join(path.split()))


def _close(figure: matplotlib.figure.Figure) -> None:
    # A figure that pyplot never knew needs no closing, and is no reason to import pyplot.
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close(figure)
