"""A course follows one convention in each exercise: chosen by a person or by the secret, kept while a class answers."""

import shutil
from pathlib import Path

import pytest

from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.variant import choose, course_exercise, drawn
from ntk_teach.grading.tasks import exercise, variants

EXERCISES = Path(__file__).parents[2] / "exercises"
SLUG = "05_neural_tangent_kernel"
NAMES = variants("05")


@pytest.fixture
def course(tmp_path) -> Course:
    shutil.copy(EXERCISES / "nbgrader_config.py", tmp_path)
    shutil.copytree(EXERCISES / "source", tmp_path / "source", ignore=shutil.ignore_patterns("*.ipynb"))
    return Course(tmp_path)


def test_the_secret_chooses_the_same_variant_every_time_and_never_the_books(course) -> None:
    """Sixty secrets: both others occur, with no secret the book's."""
    found = []
    for number in range(60):
        (course.root / ".secret").write_text(f"{number:064}\n")
        found.append(drawn(course, "05"))
        assert drawn(course, "05") == choose(course, "05", "course").variant == found[-1]
    assert set(found) == set(NAMES) - {"book"}
    assert min(found.count(name) for name in NAMES[1:]) > 15


def test_a_choice_is_kept(course) -> None:
    """By number or slug, for everything that asks the course afterwards."""
    assert course.variant("05") == "book" == course_exercise(course, "05").variant
    assert choose(course, "05", "he").variant == "he"
    assert course.variant("05") == course.variant(SLUG) == "he"
    assert course_exercise(Course(course.root), "05") == exercise("05", "he")


def test_words_that_name_no_variant(course) -> None:
    """The command, and a file that somebody edited."""
    with pytest.raises(CourseError, match=r"expected one of book, arora, he, received 'jacot'.*--variant course"):
        choose(course, "05", "jacot")
    assert course.variant("05") == "book"
    choose(course, "05", "he")
    course.state("variant-05").write_text('{"variant": "gone"}')
    with pytest.raises(CourseError, match="expected one of book, arora, he, received 'gone'"):
        course_exercise(course, "05")
    course.state("variant-05").write_text("he")
    with pytest.raises(CourseError, match="expected the name of a variant"):
        course.variant("05")


def test_another_variant_is_refused_once_a_class_has_answered(course) -> None:
    """A folder of submissions is enough, and so is a gradebook; the same variant may be chosen again."""
    choose(course, "05", "arora")
    folder = course.root / "submitted" / "ada" / SLUG
    folder.mkdir(parents=True)
    with pytest.raises(CourseError, match=r"'he', while 1 submissions answer that text.*--variant arora"):
        choose(course, "05", "he")
    assert choose(course, "05", "arora").variant == course.variant("05") == "arora"
    folder.rmdir()
    assert choose(course, "05", "he").variant == "he"


def run(course: Course, *words: str) -> int:
    from ntk_teach.grading.cli import main

    return main([*words, "--course", str(course.root)])


@pytest.mark.filterwarnings("ignore:Object of type <Submitted")  # nbgrader's way of adding one
def test_release_in_a_variant_and_back(course, capsys) -> None:
    """The command makes the chosen text, keeps to it, says so, and goes back only while nobody has handed in."""
    pytest.importorskip("nbgrader")
    from nbgrader.api import Gradebook

    released = course.released(SLUG)
    assert run(course, "release", "05") == 0
    book = released.read_bytes()
    assert b"variant" not in book
    assert "  variant" not in capsys.readouterr().out
    assert run(course, "release", "05", "--variant", "arora") == 0
    assert "  variant arora" in capsys.readouterr().out
    text = released.read_text()
    assert text.count('variant=\\"arora\\"') == 6
    assert "SOLUTION" not in text
    assert run(course, "release", "05") == 0
    assert capsys.readouterr().out.startswith("unchanged")
    with Gradebook(f"sqlite:///{course.gradebook}") as open_book:
        open_book.add_student("ada")
        open_book.add_submission(SLUG, "ada")
    assert run(course, "release", "05", "--variant", "book") == 2
    assert "'book', while 1 submissions answer that text" in capsys.readouterr().err
    assert released.read_text() == text
    with Gradebook(f"sqlite:///{course.gradebook}") as open_book:
        open_book.remove_submission(SLUG, "ada")
    assert run(course, "release", "05", "--variant", "book") == 0
    assert released.read_bytes() == book
