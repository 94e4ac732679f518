"""A module imports only from lower floors, or from what stands before it on its own."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ntk_teach"

# Lowest first; on a floor, left to right. A package is one name: what its files import of each other is its affair.
FLOORS = [
    ["shapes", "errors", "quadrature", "device", "ragged", "sites", "inputs"],
    ["inner_products", "kernel", "duals", "nn", "activations"],
    ["layers"],
    ["gram", "architecture", "zoo", "augmentation", "empirical"],
    ["costs", "spectrum", "kernel_gradient_descent", "least_squares", "posterior", "generalization", "neural_collapse"],
    ["finite_width", "dynamics", "training", "linearize", "random_features", "landscape", "lazy", "physics_informed"],
    ["diagnosis", "surrogate"],
    ["data", "plot", "interactive", "experiments"],
    ["grading"],
]
ORDER = [name for floor in FLOORS for name in floor]
FLOOR = {name: number for number, floor in enumerate(FLOORS) for name in floor}
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def unit(path: Path) -> str:
    """The name a file has in FLOORS: its first folder, or its own stem."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_deferred(node: ast.AST) -> bool:
    """A function's body runs when it is called, and a block for the type checker never."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def imports(path: Path) -> list[tuple[str, bool]]:
    """(absolute name, runs when the module is imported) of every import of a file; `from a import b` is a.b."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(node) for part in ast.walk(tree) if is_deferred(part) for node in ast.walk(part)}
    package = ("ntk_teach", *path.relative_to(PACKAGE).parts[:-1])
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) not in inside) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            source = ".".join(part for part in (base, node.module) if part)
            found += [(f"{source}.{alias.name}", id(node) not in inside) for alias in node.names]
    return found


def own(path: Path) -> list[str]:
    """The units of this package that a file imports; the package's root counts as the unit 'ntk_teach'."""
    names = [name.split(".") for name, _ in imports(path) if name.split(".")[0] == "ntk_teach"]
    return [parts[1] if len(parts) > 1 and parts[1] in ORDER else "ntk_teach" for parts in names]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_below(path):
    """Every import inside the package points down; the root, which imports every floor, is for the school alone."""
    name = unit(path)
    assert name in FLOOR, f"{name} stands on no floor: add it to FLOORS where it belongs"
    for target in own(path):
        if name == "grading" or target == name:
            continue
        assert target != "ntk_teach", f"{name} imports the package's root, which hides what it needs: name the module"
        assert ORDER.index(target) < ORDER.index(name), f"{name} imports {target}, which stands above it"


def test_the_root_does_not_import_the_school():
    """`import ntk_teach` brings no grading with it."""
    assert "grading" not in own(PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_or_optional_packages_stay_out_of_the_library(path):
    """matplotlib, nbgrader, dask: never below the senses, and never when a module of theirs is merely imported; the
    engine alone may name dask, inside the one function that makes a cluster."""
    floor, senses = FLOOR.get(unit(path), 0), FLOOR["plot"]
    for name, at_import in imports(path):
        package = name.split(".")[0]
        if package in {"matplotlib", "nbgrader", "distributed", "dask"} and floor <= senses:
            known = floor == senses or (unit(path), package) == ("gram", "distributed")
            assert known, f"{unit(path)} stands on floor {floor} and must not know {name}"
            assert not at_import, f"{unit(path)} must import {name} inside the function that needs it"


def test_every_name_of_the_plan_that_exists_is_checked():
    """The list of modules is not empty and the floors name each unit once."""
    assert {unit(p) for p in MODULES} >= {"kernel", "activations", "architecture"}
    assert len(ORDER) == len(set(ORDER))
