"""A full stop stays with its formula: no line begins with it.

A formula is a box to the browser, which may break the line behind any box. What closes a sentence or a bracket there is
put into one piece with the formula that it follows.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

CLOSING = re.compile(r"[.,;:!?)\]”’…∎]+(?: ∎)?")


class KeepTogether(SphinxPostTransform):
    """``$x$.`` becomes one inline node of the class ``keep-together``, whose style is in book.css."""

    default_priority = 700
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        for formula in list(self.document.findall(nodes.math)):
            parent = formula.parent
            place = parent.index(formula)
            behind = parent[place + 1] if place + 1 < len(parent) else None
            if isinstance(behind, nodes.Text) and (closing := CLOSING.match(behind.astext())):
                kept = nodes.inline("", "", formula.deepcopy(), nodes.Text(closing[0]), classes=["keep-together"])
                parent[place : place + 2] = [kept, nodes.Text(behind.astext()[closing.end() :])]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_post_transform(KeepTogether)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
