"""What of the library is handed to a submission: what the exercise provides, and nothing that answers it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache

import pytest

import ntk_teach
from ntk_teach.grading.classroom.library import provided_library, refusal
from ntk_teach.grading.sandbox import provided
from ntk_teach.grading.tasks import CHAPTERS, exercise, variants

EXERCISES = {f"{number}-{name}": exercise(number, name) for number in CHAPTERS for name in variants(number)}
PROVIDED = sorted({chapter.provides for chapter in EXERCISES.values()})
EACH = pytest.mark.parametrize("chapter", EXERCISES.values(), ids=EXERCISES)
EACH_SET = pytest.mark.parametrize("provides", PROVIDED, ids=" ".join)
ANSWERS = {
    "Kernel",
    "Architecture",
    "Grams",
    "serial",
    "zoo",
    "Dense",
    "Linear",
    "Residual",
    "empirical_ntk",
    "linearize",
}
FORBIDDEN = ("layers", "gram", "empirical", "architecture", "zoo", "linearize", "layerwise", "training")
WANTED = (
    "import ntk_teach.zoo",
    "from ntk_teach import serial",
    "from ntk_teach.kernel import Kernel",
    "ntk.empirical_ntk",
    "from ntk_teach.grading.tasks import exercise",
    "import ntk_teach.layers.dense",
)
PROGRAM = """
import gc, importlib, importlib.util, json, sys, types
spec = importlib.util.spec_from_file_location("provided", sys.argv[1])
provided = importlib.util.module_from_spec(spec)
spec.loader.exec_module(provided)
asked = json.load(sys.stdin)
told = []
for provides, library, refusal, closely in asked["libraries"]:
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "Provided"]
    provided.install(library, refusal)
    before = {id(one) for one in gc.get_objects()} if closely else set()
    told.append({"failed": [], "refused": [], "made": []})
    try:
        import ntk_teach as ntk
        for module in library:
            importlib.import_module(module)
        for name in provides:
            getattr(ntk, name)
    except BaseException as error:
        told[-1]["failed"].append(f"{type(error).__name__}: {error}")
    if not closely:
        continue
    for one in gc.get_objects():
        if isinstance(one, (types.FunctionType, type)) and id(one) not in before:
            origin = str(one.__module__)
            if origin.startswith("ntk_teach"):
                told[-1]["made"].append([origin, one.__qualname__.partition(".")[0]])
    for wanted in asked["wanted"]:
        try:
            exec(wanted)
            told[-1]["refused"].append(f"there: {wanted}")
        except (ImportError, AttributeError) as error:
            told[-1]["refused"].append(str(error))
    told[-1]["asked"] = hasattr(ntk, "zoo")
    told[-1]["version"], told[-1]["check"] = ntk.__version__, ntk.grading.check("05.1", None, variant="he")
print(json.dumps(told))
"""


@cache
def fresh() -> dict[tuple[str, ...], dict]:
    """What a new interpreter says of each library: of every exercise's, and of every public name's alone. It knows
    the texts, and no file of this package.
    """
    every = [*PROVIDED, *((name,) for name in ntk_teach.__all__ if (name,) not in PROVIDED)]
    libraries = [(provides, provided_library(provides), refusal(provides), provides in PROVIDED) for provides in every]
    run = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM, provided.__file__],
        input=json.dumps({"libraries": libraries, "wanted": WANTED}),
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert run.returncode == 0, run.stderr
    return dict(zip(every, json.loads(run.stdout), strict=True))


def defined(library: Mapping[str, str], *, methods: bool = True) -> set[str]:
    """Names of all functions and classes, however deep; or of those that can be imported."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    trees = [ast.parse(text) for text in library.values()]
    nodes = [node for tree in trees for node in (ast.walk(tree) if methods else tree.body)]
    return {node.name for node in nodes if isinstance(node, kinds)}


@EACH
def test_no_answer_is_in_it(chapter) -> None:
    """No definition of that name, no module of those that compute kernels, no task and no misconception."""
    library = provided_library(chapter.provides)
    names = defined(library)
    assert not names & ANSWERS
    assert not [module for module in library for part in FORBIDDEN if module.startswith(f"ntk_teach.{part}")]
    assert [module for module in library if module.startswith("ntk_teach.grading")] == ["ntk_teach.grading"]
    for task in chapter.tasks:
        assert task.name not in defined(library, methods=False)
        assert not names & {mistaken.name for mistaken in task.misconceptions}
        assert not names & {answer.__name__ for answer in task.alternatives}
    assert [name for name in names if "ntk" in name.lower()] == ["NTKError"]


@EACH_SET
def test_it_works_alone(provides) -> None:
    """In an interpreter that has the texts only, every module imports, and what is provided is there."""
    told = fresh()[provides]
    assert told["failed"] == []
    assert (told["version"], told["check"]) == (ntk_teach.__version__, "05.1: judged by the grader")


@EACH_SET
def test_nothing_of_the_rest_is_in_its_memory(provides) -> None:
    """After everything was imported, there is no function and no class of ours but those of the texts."""
    library = provided_library(provides)
    names = defined(library) | {"<lambda>", "__create_fn__"}  # the latter makes the methods of dataclasses
    made = fresh()[provides]["made"]
    assert len(made) > 20
    for module, name in made:
        assert module in library
        assert name in names, (module, name)


@EACH_SET
def test_whoever_asks_for_more_is_told_what_there_is(provides) -> None:
    """With the words of the exercise, by every form of the question; asking whether it is there is no error."""
    told, words = fresh()[provides], refusal(provides)
    assert len(told["refused"]) == len(WANTED)
    assert all(line.endswith(words) for line in told["refused"]), told["refused"]
    assert told["asked"] is False
    assert all(f"ntk.{name}" in words for name in provides)


@pytest.mark.parametrize("name", ntk_teach.__all__)
def test_every_public_name_can_be_provided(name) -> None:
    """Alone, cut out of the rest, it imports and is there: a new exercise may choose any."""
    assert fresh()[(name,)]["failed"] == []


def test_a_name_that_is_not_public_is_refused() -> None:
    """The author of an exercise is told which."""
    with pytest.raises(
        ValueError, match="expected public names of ntk_teach, received 'kernels'; correct the exercise"
    ):
        provided_library(("relu", "kernels"))


def test_a_narrow_cut_is_narrow() -> None:
    """A cost brings no kernel, a kernel's algebra no networks: definitions are followed, not modules."""
    assert "Kernel" not in defined(provided_library(("squared_error",)))
    assert "Architecture" not in defined(provided_library(("Dual",)))
    assert {"Kernel", "Architecture"} <= defined(provided_library(("serial",)))
