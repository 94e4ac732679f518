"""Captions: HTML in which ``$…$`` is mathematics."""

import hashlib
import re

__all__ = ["caption_html", "mark"]


def caption_html(caption: str) -> str:
    r"""``caption`` with every ``$…$`` put where MathJax looks for it; ``\$`` is a dollar sign.

    Sphinx lets MathJax read elements of class ``math`` only, and Jupyter reads ``\(…\)`` anywhere, so both are written.
    """
    pieces = re.split(r"(?<!\\)\$(.+?)(?<!\\)\$", caption, flags=re.DOTALL)
    for place in range(1, len(pieces), 2):
        pieces[place] = rf'<span class="math notranslate nohighlight">\({_escaped(pieces[place])}\)</span>'
    return "".join(pieces).replace(r"\$", "$")


def mark(*parts: str) -> str:
    """A name for the ids of one figure.

    It depends on the content alone: unlike figures never share ids, and no build of the book differs from the last.
    """
    return "ntk-" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]


def _escaped(formula: str) -> str:
    # A formula may hold "<"; the rest of the caption is HTML already.
    return formula.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
