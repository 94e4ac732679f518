"""Which files of a package a piece of code depends on: found by reading its imports, without importing anything."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def imported_files(sources: Iterable[str], package: Path) -> set[Path]:
    """Every file of ``package`` that the sources import, directly or through other modules of it.

    Imports inside functions count: a page may call the function. Code that cannot be parsed (a cell that is no
    Python) counts as importing everything.

    Args:
        sources: Python code, for example the cells of a notebook; lines of IPython magic are skipped.
        package: the folder of the package; its name is the name of the import.
    """
    try:
        names = {name for source in sources for name in imported_names(without_magic(source))}
    except SyntaxError:
        return {path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    found: set[Path] = set()
    waiting = [path for name in names for path in files_of(name, package)]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        if path.suffix == ".py":
            name = ".".join(path.relative_to(package.parent).with_suffix("").parts)
            for imported in imported_names(path.read_text(encoding="utf-8"), name):
                waiting += files_of(imported, package)
    return found


def without_magic(source: str) -> str:
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines())


def imported_names(source: str, module: str = "") -> Iterator[str]:
    """Dotted names that the source imports; for ``from a import b`` both a and a.b, as b may be a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative import is counted from the module; a package's own name ends in __init__, which is one step.
            above = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def files_of(name: str, package: Path) -> Iterator[Path]:
    """The module of that name, and every package on the way to it with the data files that lie in its folder."""
    parts = name.split(".")
    if parts[0] != package.name:
        return
    for depth in range(1, len(parts) + 1):
        path = package.parent.joinpath(*parts[:depth])
        if path.is_dir():
            yield from (file for file in path.iterdir() if file.is_file() and file.suffix not in (".py", ".pyc"))
            if (path / "__init__.py").is_file():
                yield path / "__init__.py"
        elif path.with_suffix(".py").is_file():
            yield path.with_suffix(".py")
