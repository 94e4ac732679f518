"""One slug in four places: chapter, exercise, tasks, tests; and every public name on the API page."""

import re
from pathlib import Path

import pytest

import ntk_teach

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ntk_teach"
UNPRACTISED = {"00", "14"}  # notation and critique: read, not exercised


def slugs(folder: Path, pattern: str) -> set[str]:
    """The names NN_slug among the files or folders that match."""
    names = {path.name.removesuffix(".md") for path in folder.glob(pattern)}
    return {name for name in names if re.fullmatch(r"\d\d_[a-z_]+", name)}


CHAPTERS = {name for name in slugs(ROOT / "book", "*.md") if name[:2] not in UNPRACTISED}
EXERCISES = slugs(ROOT / "exercises" / "source", "*")
PLACES = {
    "chapter": "book/{numbered}.md",
    "exercise": "exercises/source/{numbered}/{numbered}.py",
    "tests": "tests/exercises/test_{numbered}.py",
}


def tasks(numbered: str) -> list[Path]:
    folder, slug = PACKAGE / "grading" / "tasks", numbered[3:]
    return [path for path in (folder / f"{slug}.py", folder / slug / "__init__.py") if path.is_file()]


@pytest.mark.parametrize("numbered", sorted(CHAPTERS | EXERCISES))
def test_a_chapter_has_its_exercise_its_tasks_and_its_tests(numbered):
    """A slug that stands in one of the four places stands in all of them."""
    missing = [name for name, pattern in PLACES.items() if not (ROOT / pattern.format(numbered=numbered)).is_file()]
    assert not missing, f"{numbered} lacks {missing}: {[PLACES[m].format(numbered=numbered) for m in missing]}"
    assert len(tasks(numbered)) == 1, f"ntk_teach/grading/tasks/{numbered[3:]} must be one module or one package"


def test_tasks_and_tests_belong_to_a_chapter():
    """No tasks and no test of an exercise without its chapter; numbers are unique."""
    known = {numbered[3:] for numbered in CHAPTERS}
    folder = PACKAGE / "grading" / "tasks"
    found = {
        p.stem for p in folder.iterdir() if (p.suffix == ".py" or (p / "__init__.py").is_file()) and p.stem[0] != "_"
    }
    assert found == known, f"tasks {sorted(found)} and chapters {sorted(known)} differ"
    tested = {p.stem.removeprefix("test_") for p in (ROOT / "tests" / "exercises").glob("test_[0-9][0-9]_*.py")}
    assert tested == CHAPTERS
    numbers = [name[:2] for name in slugs(ROOT / "book", "*.md")]
    assert len(numbers) == len(set(numbers))


def test_every_chapter_stands_in_the_table_of_contents():
    """A chapter that is written is also shown."""
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    absent = [name for name in slugs(ROOT / "book", "*.md") if name not in contents]
    assert not absent, f"not in _toc.yml: {absent}"


@pytest.mark.parametrize("name", ntk_teach.__all__)
def test_every_public_name_stands_on_the_api_page(name):
    """Each name of ntk_teach.__all__ exists and is documented in book/api.md."""
    assert hasattr(ntk_teach, name)
    page = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    assert re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", page), (
        f"{name} is missing from book/api.md"
    )


MODULES = [
    path.relative_to(PACKAGE)
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__init__.py"
    and path.relative_to(PACKAGE).parts[0] != "grading"  # tested by what it does, end to end
]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_has_its_test_file(module):
    """ntk_teach/a/b.py is tested by tests/a/test_b.py, or with its package by tests/test_a.py."""
    wanted = [module.with_name(f"test_{module.name}")]
    if len(module.parts) > 1:
        wanted.append(Path(f"test_{module.parts[0]}.py"))
    assert any((ROOT / "tests" / path).is_file() for path in wanted), f"none of {[f'tests/{w}' for w in wanted]}"
