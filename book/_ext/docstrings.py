r"""Docstrings are written to be read in a terminal; here they are made safe for the markup of the reference page.

A shape ends in ``*sites``: any number of axes; to the markup that star would open an emphasis that nothing closes. A
modulus stands between bars; to the markup they would name a substitution.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# A star before a word, in brackets and without its closing star: [n, m, *sites].
AXES = re.compile(r"(?<=[\[ ,(])\*(?=\w+[\],) ])")


def escape(_app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Between backquotes a star is a star already; every second piece of a line lies between them."""
    for number, line in enumerate(lines):
        pieces = line.split("``")
        pieces[::2] = [AXES.sub(r"\\*", piece.replace("|", r"\|")) for piece in pieces[::2]]
        lines[number] = "``".join(pieces)


def setup(app: Sphinx) -> dict[str, bool]:
    # Before napoleon (priority 500) takes the sections apart.
    app.connect("autodoc-process-docstring", escape, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
