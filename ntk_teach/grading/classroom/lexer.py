"""Source text to words: total, linear, and without Python's own parser, which hostile text can bring down.

Comments and docstrings are gone, layout too. A name is erased unless it follows a dot: what a library calls its things
cannot be renamed, what a student calls theirs can.
"""

from __future__ import annotations

import keyword
import re
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Word", "erased", "words"]

LONGEST = 8_000  # characters that are looked at
# Every alternative ends somewhere, also where the quotation mark that would close it is missing.
PATTERN = re.compile(
    r"""
    [^\S\n]*(?:
    (?P<name>(?![rbuftRBUFT]{1,2}['\"])[^\W\d]\w*)
  | (?P<line>\n)
  | (?P<number>0[xobXOB][\da-fA-F_]+|(?:\d[\d_]*)?\.?\d[\d_]*\.?(?:[eE][+-]?\d+)?[jJ]?)
  | (?P<text>[rbuftRBUFT]{0,2}(?:\"\"\"(?:[^\\]|\\.)*?(?:\"\"\"|\Z)|'''(?:[^\\]|\\.)*?(?:'''|\Z)
      |\"(?:[^\"\\\n]|\\.)*\"?|'(?:[^'\\\n]|\\.)*'?))
  | (?P<comment>\#[^\n]*)
  | (?P<sign>\*\*|//|->|:=|<=|>=|==|!=|[^\s\w])
    )""",
    re.VERBOSE | re.DOTALL,
)


class Word(NamedTuple):
    """One token: what it is (text, number, name or sign) and how it is written."""

    kind: str
    text: str


def words(source: str) -> list[Word]:
    """The tokens of a program, or of anything else; comments, docstrings and line ends left out."""
    found = [Word("line", "\n")]
    for match in PATTERN.finditer(source[:LONGEST]):
        kind = str(match.lastgroup)
        if kind != "comment" and not (kind == "line" and found[-1].kind == "line"):
            found.append(Word(kind, match[kind]))
    found += [Word("line", "\n")] * (found[-1].kind != "line")
    kept = []
    for before, word, after in zip(found, found[1:], found[2:], strict=False):
        is_docstring = word.kind == "text" and before.kind == after.kind == "line"
        if word.kind != "line" and not is_docstring:
            kept.append(word)
    return kept


def erased(source: list[Word]) -> list[str]:
    """One letter for each literal and each of the author's names; keywords, signs and attributes as they are."""
    shape = []
    for before, word in pairwise([Word("sign", ""), *source]):
        if word.kind in ("text", "number"):
            shape.append("#")
        elif word.kind == "name" and not keyword.iskeyword(word.text) and before.text != ".":
            shape.append("n")
        else:
            shape.append(word.text)
    return shape
