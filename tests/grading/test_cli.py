"""The command line without a class: help, wrong words, wrong folders. Real gradings are in tests/exercises."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ntk_teach.grading.classroom.course import Course
from ntk_teach.grading.cli import main

EXERCISES = Path(__file__).parents[2] / "exercises"
SLUG = "05_neural_tangent_kernel"


@pytest.fixture
def course(tmp_path):
    """A course in which nothing has happened yet."""
    shutil.copy(EXERCISES / "nbgrader_config.py", tmp_path)
    return tmp_path


def fails(capsys, *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert err.startswith("ntk-teach: ")
    return err


@pytest.mark.parametrize("command", ["status", "release", "check", "grade", "feedback", "export"])
def test_every_command_explains_itself_with_an_example(capsys, command: str) -> None:
    """Help shows a line that can be typed."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"example: ntk-teach {command}" in capsys.readouterr().out


def test_a_word_that_is_no_command_is_a_usage_error() -> None:
    """Exit code 2, as for any command line."""
    with pytest.raises(SystemExit) as ended:
        main(["grad"])
    assert ended.value.code == 2


def test_where_is_the_course(tmp_path, course, capsys, monkeypatch) -> None:
    """Given, else here, else ./exercises, else an error that says how to name it."""
    assert "--course DIR" in fails(capsys, "status", "--course", tmp_path / "nowhere")
    monkeypatch.chdir(course)
    assert Course.find().root == course.resolve()
    (course / "exercises").mkdir()
    (course / "nbgrader_config.py").rename(course / "exercises" / "nbgrader_config.py")
    assert Course.find().root == (course / "exercises").resolve()


def test_unknown_chapter(course, capsys) -> None:
    """The known ones are listed."""
    for command in ("release", "grade", "feedback"):
        assert "expected one of 05" in fails(capsys, command, "77", "--course", course)


def test_release_needs_a_chapter_or_all(course, capsys) -> None:
    """Not neither, not both."""
    assert "received neither" in fails(capsys, "release", "--course", course)
    assert "received both" in fails(capsys, "release", "05", "--all", "--course", course)


def test_release_without_its_source(course, capsys) -> None:
    """Says which file is missing and where it can be taken from."""
    assert f"exercises/source/{SLUG}" in fails(capsys, "release", "05", "--course", course)


def test_each_step_says_which_one_comes_before(course, capsys) -> None:
    """Grade before release, feedback before grade, export before anything."""
    assert "ntk-teach release 05" in fails(capsys, "grade", "05", "--course", course)
    assert "ntk-teach grade 05" in fails(capsys, "feedback", "05", "--course", course)
    assert "release and grade" in fails(capsys, "export", "--csv", course / "g.csv", "--course", course)
    assert not (course / "g.csv").exists()


def test_check_of_what_is_no_notebook(tmp_path, capsys) -> None:
    """A missing file, and a file that is not JSON."""
    assert "no such file" in fails(capsys, "check", tmp_path / "my.ipynb")
    (tmp_path / "my.ipynb").write_text("{ nothing")
    assert "cannot be read" in fails(capsys, "check", tmp_path / "my.ipynb")


def test_a_missing_extra_says_what_to_install(course) -> None:
    """The core alone knows the command line, and refuses in one sentence."""
    shutil.copytree(EXERCISES / "source", course / "source", ignore=shutil.ignore_patterns("*.ipynb"))
    code = (
        "import sys\n"
        "class No:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'nbgrader', 'nbformat', 'jupytext', 'traitlets'}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, No())\n"
        "from ntk_teach.grading.cli import main\n"
        "codes = [main([*words.split(), '--course', sys.argv[1]]) for words in ('status', 'release 05', 'grade 05')]\n"
        "print(codes)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(course)], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "[0, 2, 2]"
    assert done.stderr.count('pip install "ntk-teach[instructor]"') == 2
    assert "Traceback" not in done.stderr


def test_the_secret_is_private_lasting_and_not_printed(course, capsys) -> None:
    """Mode 600, made once, the same seeds every time, other seeds in another course."""
    from ntk_teach.grading.tasks import exercise

    seeds = Course(course).seeds(exercise("05"))
    path = course / ".secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert Course(course).seeds(exercise("05")) == seeds
    assert len(set(seeds.values())) == len(seeds) == 5
    main(["status", "--course", str(course)])
    assert path.read_text().strip() not in capsys.readouterr().out
    path.unlink()
    assert Course(course).seeds(exercise("05")) != seeds


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_a_course_that_cannot_be_written(course, capsys, monkeypatch) -> None:
    """A sentence with the folder, before anything is half done. Root may write anywhere, so the refusal is played."""
    import builtins

    def refuses(path, *rest, **more):
        if Path(str(path)).is_relative_to(course) and ("w" in str(rest[:1]) or "w" in more.get("mode", "")):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *rest, **more)

    shutil.copytree(EXERCISES / "source", course / "source", ignore=shutil.ignore_patterns("*.ipynb"))
    opened = builtins.open
    monkeypatch.setattr(builtins, "open", refuses)
    monkeypatch.setattr("io.open", refuses)
    message = fails(capsys, "release", "05", "--course", course)
    assert "make the folder writable" in message
    assert not (course / "release").exists()
