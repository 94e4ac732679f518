"""Notebook files, with types: nbformat has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

__all__ = ["NotebookNode", "message", "number", "read", "write"]


def read(path: Path) -> NotebookNode:
    """Any version of the format, as version 4."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def message(text: str) -> NotebookNode:
    """Printed text, as an output."""
    return _output("stream", name="stdout", text=text + "\n")


def number(value: float, execution_count: int | None) -> NotebookNode:
    """The value of a cell's last expression, as an output."""
    return _output("execute_result", data={"text/plain": repr(value)}, execution_count=execution_count)


def _output(kind: str, **fields: Any) -> NotebookNode:
    output: NotebookNode = nbformat.v4.new_output(kind, **fields)  # type: ignore[no-untyped-call]
    return output
