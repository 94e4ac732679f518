"""Notebook files, with types: nbformat has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

__all__ = [
    "NotebookNode",
    "code_cell",
    "message",
    "number",
    "output",
    "own",
    "parsed",
    "read",
    "text",
    "text_cell",
    "write",
]


def read(path: Path) -> NotebookNode:
    """Any version of the format, as version 4."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def parsed(content: str) -> NotebookNode:
    """The same from text. What it raises for text that is no notebook is of many kinds."""
    # Versions before 4 come back as a type of their own.
    notebook: NotebookNode = nbformat.from_dict(nbformat.reads(content, as_version=4))  # type: ignore[no-untyped-call]
    return notebook


def own(content: str) -> NotebookNode:
    """The same from text that this program wrote: it is not checked against the format once more, which takes time."""
    notebook: NotebookNode = nbformat.v4.reads_json(content)  # type: ignore[no-untyped-call]
    return notebook


def text(notebook: NotebookNode) -> str:
    content: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    return content


def write(notebook: NotebookNode, path: Path) -> None:
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def message(text: str) -> NotebookNode:
    """Printed text, as an output."""
    return output("stream", name="stdout", text=text + "\n")


def number(value: float, execution_count: int | None) -> NotebookNode:
    """The value of a cell's last expression, as an output."""
    data = {"text/plain": repr(value)}
    return output("execute_result", data=data, metadata={}, execution_count=execution_count)


def output(kind: str, **fields: Any) -> NotebookNode:
    """One output of a cell, from values of the right types: ``text`` checks the whole once, at the end."""
    made: NotebookNode = nbformat.from_dict({"output_type": kind} | fields)  # type: ignore[no-untyped-call]
    return made


def code_cell(source: str) -> NotebookNode:
    made: NotebookNode = nbformat.v4.new_code_cell(source)  # type: ignore[no-untyped-call]
    return made


def text_cell(source: str) -> NotebookNode:
    made: NotebookNode = nbformat.v4.new_markdown_cell(source)  # type: ignore[no-untyped-call]
    return made
