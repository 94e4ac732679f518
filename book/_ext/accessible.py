"""Faults of the theme and of its parts, put right for people who listen to a page or steer it by keyboard.

What the theme's templates say wrongly is in book/_templates, what its colors say too faintly in book/_static/book.css;
here is what comes from the writers of single nodes.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator


def visit_citation(self: HTML5Translator, node: nodes.citation) -> None:
    """A bibliography is a list of items, so that its length and the position in it are announced.

    docutils writes the list, but marks its entries ``doc-biblioentry``: a role that its standard has since withdrawn
    in favor of plain list items, and that left the list without any item.
    """
    if not isinstance(node.previous_sibling(), nodes.citation):
        self.body.append('<div role="list" class="citation-list">\n')
    self.body.append(self.starttag(node, "div", classes=["citation"], role="listitem"))


def depart_citation(self: HTML5Translator, node: nodes.citation) -> None:
    self.body.append("</div>\n")
    if not isinstance(node.next_node(descend=False, siblings=True), nodes.citation):
        self.body.append("</div>\n")


def visit_hidden_cell(self: HTML5Translator, node: HideCodeCellNode) -> None:
    """The line that opens a hidden cell is called by the words that stand on it ("Show code cell source").

    myst-nb names every one of them "Toggle hidden content": who speaks to the computer says the words and is not
    understood, and who listens cannot tell code from output.
    """
    classes = " ".join(node["classes"])
    self.body.append(
        f'<details class="admonition hide {escape(classes)}">\n<summary>\n'
        f'<p class="collapsed admonition-title">{escape(node["prompt_show"])}</p>\n'
        f'<p class="expanded admonition-title">{escape(node["prompt_hide"])}</p>\n</summary>\n'
    )


def depart_hidden_cell(self: HTML5Translator, node: HideCodeCellNode) -> None:
    self.body.append("</details>\n")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(nodes.citation, html=(visit_citation, depart_citation), override=True)
    app.add_node(HideCodeCellNode, html=(visit_hidden_cell, depart_hidden_cell), override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
