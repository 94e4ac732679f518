"""The part of the library that an exercise provides, cut out of the rest.

The answers to the tasks are in the library: what is handed to a submission at grading must not contain them. So each
provided name is followed through the source to what it needs when it runs, definition by definition, and nothing else
is kept. What stands in an annotation alone is not needed.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import ntk_teach

__all__ = ["provided_library", "refusal"]

ROOT = Path(ntk_teach.__file__).parent
NAME = "ntk_teach"
ALL = "*"  # every definition of a module

STAND_IN = '''"""What of ntk_teach the answers may use, at grading."""
{imports}

__version__ = "{version}"
_refusal = "{refusal}"  # the line that raises is shown to the student, too: it does not say all of it again


def __getattr__(name):
    raise AttributeError(f"ntk_teach.{{name}}: {{_refusal}}")
'''
CHECK = '''"""At grading the verdict is the grader's."""


def check(task_id, answer, **options):
    return f"{task_id}: judged by the grader"
'''


def refusal(provides: Sequence[str]) -> str:
    """What a submission is told that asks for more."""
    names = ", ".join(f"ntk.{name}" for name in provides)
    return f"this is what the exercise asks you to write; when it is graded there is {names or 'nothing'}, and no more"


@cache
def provided_library(provides: tuple[str, ...]) -> dict[str, str]:
    """Dotted module name to source text: ``ntk_teach`` with these public names, and what they need.

    Args:
        provides: names of the package, such as ``relu`` or ``data``.

    Raises: ValueError for a name that the package does not have. To be called in one thread: in Python 3.11 two of
    them may not parse at once.
    """
    public, _ = _names(NAME)
    kept: dict[str, set[str]] = defaultdict(set)
    lines = []
    for name in provides:
        if name not in public:
            raise ValueError(f"provides: expected public names of ntk_teach, received {name!r}; correct the exercise")
        module, definition = public[name]
        lines.append(f"from {module} import {definition} as {name}")
        _follow(module, definition, kept)
    texts = {module: _cut(module, names) for module, names in kept.items()}
    for module in list(texts):  # packages on the way, empty where nothing of them is needed
        for depth in range(1, module.count(".")):
            texts.setdefault(module.rsplit(".", depth)[0], "")
    texts[NAME] = STAND_IN.format(
        imports="\n".join(lines), version=ntk_teach.__version__, refusal=refusal(provides).replace('"', "'")
    )
    texts[f"{NAME}.grading"] = CHECK
    return texts


def _follow(module: str, name: str, kept: dict[str, set[str]]) -> None:
    """Mark a definition, and all that it names, in its own module and in others."""
    if f"{module}.{name}" != module and _file(f"{module}.{name}") is not None:
        module, name = f"{module}.{name}", ALL
    if name in kept[module]:
        return
    kept[module].add(name)
    origins, own = _names(module)
    for part in own if name == ALL else [name]:
        if part in origins:
            _follow(*origins[part], kept)
        for used in _used(own[part]) if part in own else ():
            if used in origins:
                _follow(*origins[used], kept)
                kept[module].add(used)
            elif used in own and used != part:
                _follow(module, used, kept)
    if name == ALL:
        for origin in origins.values():
            _follow(*origin, kept)


def _cut(module: str, names: set[str]) -> str:
    """The module with these definitions, and imports of what is not ours."""
    body: list[ast.stmt] = []
    for node in _tree(module).body:
        if isinstance(node, ast.Import):
            body.append(node)
        elif isinstance(node, ast.ImportFrom):
            foreign = (node.module or "").partition(".")[0] != NAME
            aliases = [alias for alias in node.names if foreign or {ALL, alias.asname or alias.name} & names]
            if aliases:
                body.append(ast.ImportFrom(node.module, aliases, 0))
        elif ALL in names or any(name in names for name, _ in _named(node)):
            body.append(node)
    return ast.unparse(ast.fix_missing_locations(ast.Module(body, type_ignores=[])))


@cache
def _names(module: str) -> tuple[dict[str, tuple[str, str]], dict[str, ast.stmt]]:
    """What a module takes from this package, and what it defines itself."""
    tree = _tree(module)
    return dict(_imports(tree)), {name: node for statement in tree.body for name, node in _named(statement)}


def _named(node: ast.stmt) -> Iterator[tuple[str, ast.stmt]]:
    """Names that a statement at the top of a module defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name, node
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            yield from ((part.id, node) for part in ast.walk(target) if isinstance(part, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id, node


def _imports(tree: ast.Module) -> Iterator[tuple[str, tuple[str, str]]]:
    """Names that a module takes from this package: (as it calls it, (module, name there))."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == NAME:
            yield from ((alias.asname or alias.name, (str(node.module), alias.name)) for alias in node.names)


def _used(node: ast.AST) -> Iterator[str]:
    """Names that are read when this runs. Annotations are texts and do not run."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.Name):
                yield part.id
            if isinstance(part, ast.AST):
                yield from _used(part)


@cache
def _tree(module: str) -> ast.Module:
    path = _file(module)
    if path is None:
        raise ValueError(f"{module} is no module of {ROOT}")
    return ast.parse(path.read_text(encoding="utf-8"))


def _file(module: str) -> Path | None:
    path = ROOT.parent.joinpath(*module.split("."))
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None
