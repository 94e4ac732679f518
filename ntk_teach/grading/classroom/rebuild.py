"""A submission on the skeleton of the release, whose locked cells and ids win; answers and extra cells stay.

What a student may have done to a notebook by accident: copied a cell with its id, deleted a test, lost all metadata.
"""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from collections.abc import Mapping

from ntk_teach.grading.classroom.notebooks import NotebookNode, code_cell, text_cell
from ntk_teach.grading.classroom.sanitize import safe_attachments, safe_markdown

__all__ = ["rebuilt"]

LAID_OUT = 100_000  # characters of texts in a notebook; an answer has one thousand, and the converter reads slowly


def rebuilt(submitted: NotebookNode, released: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The notebook to grade, and what had to be mended, in words."""
    slots = {cell.id: cell for cell in released.cells}
    taken: dict[str, NotebookNode] = {}
    extra: dict[str, list[NotebookNode]] = defaultdict(list)  # by the slot that they follow
    mended: list[str] = []
    texts = _Texts()
    last = ""
    for cell in submitted.cells:
        # Half of a character outside of the first plane cannot be written to a file; Python would not compile it.
        cell.source = str(cell.source).encode("utf-8", "replace").decode("utf-8")
        slot, how = _slot(cell, released, taken)
        if slot is None:
            extra[last].append(_loose(cell, texts))
            continue
        if slot in taken:
            mended.append(f"the cell {slot} is there twice: the first is the answer, the others run after it")
            if _is_solution(slots[slot]):
                extra[last].append(_loose(cell, texts))
            continue
        if how:
            mended.append(f"the cell {slot} was found by {how}")
        taken[slot], last = cell, slot
    for slot, original in slots.items():
        if slot not in taken and _is_graded(original):
            mended.append(f"the cell {slot} was missing")
        elif (
            slot in taken
            and _is_graded(original)
            and not _is_solution(original)
            and taken[slot].source != original.source
        ):
            mended.append(f"the cell {slot} was edited: the released one is used")
    result = type(released)({**released, "metadata": copy.deepcopy(released.metadata), "cells": list(extra[""])})
    for slot, original in slots.items():
        cell = copy.deepcopy(original)
        if _is_solution(original) and slot in taken and taken[slot].source != original.source:
            cell.source = taken[slot].source
            texts.make_harmless(cell, taken[slot].get("attachments"))
        result.cells += [cell, *extra[slot]]
    return result, list(dict.fromkeys(mended))  # two thousand copies are one thing to say


def _slot(cell: NotebookNode, released: NotebookNode, taken: Mapping[str, NotebookNode]) -> tuple[str | None, str]:
    """Which released cell is this one? By nbgrader's id, the notebook's id, the same text, or the function's name."""
    known = {c.id: c for c in released.cells}
    by_grade_id = {_meta(c).get("grade_id"): c.id for c in released.cells if _meta(c).get("grade_id")}
    named = by_grade_id.get(str(_meta(cell).get("grade_id")))
    if named:
        return named, ""
    if cell.get("id") in known and known[cell["id"]].cell_type == cell.cell_type:
        return str(cell["id"]), "its notebook id" if _is_solution(known[cell["id"]]) else ""
    for original in released.cells:
        if original.source == cell.source and original.cell_type == cell.cell_type and original.id not in taken:
            return str(original.id), ""
    for original in released.cells:
        function = _function(original)
        if _is_solution(original) and function and function == _function(cell) and original.id not in taken:
            return str(original.id), f"its `def {function}`"
    return None, ""


def _meta(cell: NotebookNode) -> Mapping[str, object]:
    found = cell.metadata.get("nbgrader", {})
    return found if isinstance(found, Mapping) else {}


def _loose(cell: NotebookNode, texts: _Texts) -> NotebookNode:
    """An extra cell runs, but is nobody's answer: it has no nbgrader metadata and no id that is in use."""
    if cell.cell_type == "code":
        return code_cell(cell.source)
    # A raw cell would go into a page as it is.
    loose = text_cell(cell.source if cell.cell_type == "markdown" else f"(raw cell)\n\n{cell.source}")
    texts.make_harmless(loose, cell.get("attachments"))
    return loose


class _Texts:
    """The texts of one notebook, as many as are laid out; those behind them are shown as they were written."""

    def __init__(self) -> None:
        self.left = LAID_OUT

    def make_harmless(self, cell: NotebookNode, attachments: object) -> None:
        """Text is shown in a browser; code is shown as text, and runs as it was written."""
        if cell.cell_type == "markdown":
            kept = safe_attachments(attachments)
            self.left -= len(cell.source)
            cell.source = safe_markdown(cell.source, kept, layout=self.left >= 0)
            if kept:
                cell.attachments = type(cell)(kept)


def _is_solution(cell: NotebookNode) -> bool:
    return bool(_meta(cell).get("solution"))


def _is_graded(cell: NotebookNode) -> bool:
    return bool(_meta(cell).get("grade") or _meta(cell).get("solution"))


def _function(cell: NotebookNode) -> str:
    found = re.search(r"^def (\w+)\(", cell.source, re.MULTILINE) if cell.cell_type == "code" else None
    return found[1] if found else ""
