"""The command line without a class: help, wrong words, wrong folders. Real gradings are in tests/exercises."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from booked import booked

from ntk_teach.grading.classroom.course import Course
from ntk_teach.grading.cli import main
from ntk_teach.grading.tasks import CHAPTERS

EXERCISES = Path(__file__).parents[2] / "exercises"
SLUG = "05_neural_tangent_kernel"
KNOWN = f"expected one of {', '.join(CHAPTERS)}"


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


COMMANDS = ["status", "doctor", "release", "check", "validate", "grade", "regrade", "feedback", "export"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(capsys, command: str) -> None:
    """Help shows a line that can be typed, and the exit codes; the example is one that the command takes."""
    from ntk_teach.grading.cli import _parser

    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "exit codes: 0 done; 1 done, and something needs a person; 2 could not be done" in text
    example = text.partition("example: ntk-teach ")[2].partition(" -- ")[0]
    assert _parser().parse_args(example.split()).command == command


def test_the_command_line_starts_without_nbgrader() -> None:
    """Its import takes seconds, and many commands need none of it."""
    code = "import sys, ntk_teach.grading.cli; print({'nbgrader', 'nbformat', 'IPython', 'dask'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


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
        assert KNOWN in fails(capsys, command, "77", "--course", course)


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


def as_json(capsys, *arguments: object) -> tuple[int, dict]:
    """Exit code and the one object on stdout."""
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_status_for_a_program(course, capsys, monkeypatch) -> None:
    """The numbers of the line, and who is meant; the sandbox that a grading would take."""
    from ntk_teach.grading.classroom import doctor
    from ntk_teach.grading.classroom.report import REVIEW, Report, Row

    monkeypatch.setattr(doctor, "sandbox_used", lambda: "user")
    rows = (
        Row("ada", "graded", 9.0, 18.0, to_read=4.0, penalty=1.0),
        Row("bob", REVIEW, 0.0, 18.0, reasons=("no notebook",), flags=("like ada's",)),
    )
    Course(course).state("x").parent.mkdir()
    Report(rows).save(Course(course).state(f"graded-{SLUG}"))
    (course / "submitted" / "ada" / SLUG).mkdir(parents=True)
    code, told = as_json(capsys, "status", "--course", course)
    assert (code, told["sandbox"]) == (0, "user")
    (chapter,) = (one for one in told["chapters"] if one["chapter"] == "05")
    lists = {key: chapter[key] for key in ("to_review", "to_read", "flagged", "late")}
    assert lists == {"to_review": ["bob"], "to_read": ["ada"], "flagged": ["bob"], "late": ["ada"]}
    assert (chapter["handed_in"], chapter["graded"], chapter["released"], chapter["points"]) == (1, 2, False, 18)
    assert [row["score"] for row in chapter["students"]] == [9.0, 0.0]
    assert main(["status", "--course", str(course)]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if SLUG in line)
    assert "1 handed in, 2 graded, 1 to review, 1 with answers for you to read, 1 with likenesses" in line


def test_status_finds_the_due_date_whatever_the_folder_is_called(tmp_path, capsys) -> None:
    """Blanks, letters of other languages, and the signs of an address."""
    made = booked(tmp_path / "Kurs ü #1", {"ada": (3, 7)})
    assert main(["status", "--course", str(made.root)]) == 0
    assert "due 2026-03-01 12:00:00 UTC" in capsys.readouterr().out


def test_the_summary_says_who_was_late_and_whose_time_nobody_knows(course) -> None:
    """A name that a table of times lacks must not look like a name in time; who has no points cannot lose any."""
    from ntk_teach.grading.classroom.report import REVIEW, Report, Row
    from ntk_teach.grading.cli.grade import NAMED, summary
    from ntk_teach.grading.tasks import exercise

    def told(*rows: Row) -> list[str]:
        lines = summary(Report(rows), Course(course), exercise("05")).splitlines()
        return [line.removeprefix("lateness: ") for line in lines if line.startswith("lateness: ")]

    ada = Row("ada", "graded", 9.0, 18.0, penalty=1.5, tasks={"05-1": 9.0})
    bob = Row("bob", "graded", 3.0, 18.0, tasks={"05-1": 3.0})
    assert told(ada, bob) == ["no time of receipt is known (--received), so nobody lost points for it"]
    Course(course).state("x").parent.mkdir()
    times = {"ada": {"received": "2026-03-02T12:00:00+00:00", "source": "times.csv"}}
    Course(course).state(f"received-{SLUG}").write_text(json.dumps(times))
    free = "it costs nothing, as c.LatePenalty.per_day in nbgrader_config.py says"
    assert told(Row("ada", "graded", 9.0, 18.0, tasks={"05-1": 9.0})) == [free]
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("\nc.LatePenalty.per_day = 0.1\n")
    assert told(ada) == ["1 lose points: ada 1.5"]
    unknown = "no time of receipt is known for 1, who lose nothing: bob"
    assert told(ada, bob, Row("b d", REVIEW, 0.0, 18.0)) == ["1 lose points: ada 1.5", unknown]
    many = [Row(f"s{number}", "graded", 3.0, 18.0, tasks={"05-1": 3.0}) for number in range(NAMED + 1)]
    (line,) = told(*many)
    assert line.startswith(f"no time of receipt is known for {NAMED + 1}, ")
    assert line.endswith(f"s{NAMED - 1}, …")


@pytest.mark.parametrize("state", [0, 1, 2])
def test_the_doctors_exit_code_is_the_worst_that_was_found(course, capsys, monkeypatch, state) -> None:
    """0 all well, 1 something needs a person, 2 cannot grade; the same in words and for a program."""
    from ntk_teach.grading.classroom import doctor
    from ntk_teach.grading.classroom.machine import Finding, State

    findings = [Finding("python", State.FINE, "3.11"), Finding("disk", State(state), "full", "free some")]
    monkeypatch.setattr(doctor, "examine", lambda course, why: findings)
    assert main(["doctor", "--course", str(course)]) == state
    text = capsys.readouterr().out
    assert "do: free some" in text
    assert (
        text.splitlines()[-1] == ["all is well", "something needs you", "this course cannot be graded here yet"][state]
    )
    code, told = as_json(capsys, "doctor", "--course", course)
    assert (code, told["code"], told["findings"][1]["do"]) == (state, state, "free some")
    assert main(["doctor", "--course", str(course / "nowhere")]) == state


@pytest.fixture
def tried_out(monkeypatch):
    """What running the notebook gives, without running it."""
    from ntk_teach.grading.classroom import try_out

    def gives(*results: tuple[float, float, str]) -> None:
        found = [try_out.Tried(result[2].partition(" ")[0], *result) for result in results]
        outcome = try_out.TryOut(found, ["cell 7 ('x') stopped with NameError: x"])
        monkeypatch.setattr(try_out, "try_out", lambda path, task=None: outcome)

    gives((3.0, 3.0, "05.1 passed"), (1.0, 3.0, "05.2 partly"))
    return gives


def test_check_says_the_points_and_so_does_the_exit_code(tmp_path, capsys, tried_out) -> None:
    """1 until every point is there; for a program, each task with its words."""
    assert main(["check", "my.ipynb"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "by the way: cell 7 ('x') stopped with NameError: x",
        "05.1 passed",
        "05.2 partly",
        "4 of 6 points",
    ]
    code, told = as_json(capsys, "check", "my.ipynb", "--task", "05.2")
    assert (code, told["points"], told["of"], told["problems"]) == (1, 4.0, 6.0, [])
    assert told["remarks"] == ["cell 7 ('x') stopped with NameError: x"]
    assert told["tasks"][1] == {"task": "05.2", "points": 1.0, "of": 3.0, "text": "05.2 partly"}
    tried_out((3.0, 3.0, "05.1 passed"))
    assert main(["check", "my.ipynb"]) == 0


def test_validate_looks_at_the_file_as_well(tmp_path, capsys, tried_out) -> None:
    """All points and a cell too many is not yet ready; a file that is none of ours is refused before it runs."""
    tried_out((3.0, 3.0, "05.1 passed"))
    cells = [{"cell_type": "code", "id": "05-1", "metadata": {}, "source": ""}]
    (tmp_path / "my.ipynb").write_text(json.dumps({"cells": cells}))
    assert main(["validate", str(tmp_path / "my.ipynb")]) == 1
    out = capsys.readouterr().out.splitlines()
    assert f"before handing in: the file is to be called {SLUG}.ipynb, this one is called my.ipynb" in out
    assert out[-1] == "3 of 3 points"
    code, told = as_json(capsys, "validate", tmp_path / "my.ipynb")
    assert code == 1
    assert len(told["problems"]) == len(out) - 3  # a remark, a task, the points
    (tmp_path / "my.ipynb").write_text("{}")
    assert "which is another" in fails(capsys, "validate", tmp_path / "my.ipynb")
    assert "no such file" in fails(capsys, "validate", tmp_path / "none.ipynb")


def test_export_to_a_file_and_for_whom(tmp_path, capsys) -> None:
    """Formats and rosters from the command line; a target that cannot be written leaves nothing behind."""
    made = booked(tmp_path / "course", {"ada": (3, 5.5), "bob": (1, 0)}).root
    for name, first in (("plain", "assignment"), ("canvas", "Student"), ("moodle", "Username")):
        table = made / f"{name}.csv"
        assert main(["export", "--csv", str(table), "--format", name, "5", "--course", str(made)]) == 0
        assert capsys.readouterr().out == f"{2 + (name == 'canvas')} rows in {table}\n"
        assert table.read_text().startswith(first)
    code, told = as_json(capsys, "export", "--csv", made / "g.csv", "--course", made)
    assert (code, told) == (0, {"file": str(made / "g.csv"), "rows": 2, "format": "plain", "unread": []})
    assert "name a file in a folder that exists" in fails(
        capsys, "export", "--csv", made / "no" / "g.csv", "--course", made
    )
    assert "a CSV file" in fails(
        capsys, "export", "--csv", made / "g.csv", "--format", "canvas", "--roster", made / "no.csv", "--course", made
    )
    assert KNOWN in fails(capsys, "export", "--csv", made / "g.csv", "77", "--course", made)


def test_check_of_what_is_no_notebook(tmp_path, capsys) -> None:
    """A missing file, and a file that is not JSON."""
    assert "no such file" in fails(capsys, "check", tmp_path / "my.ipynb")
    assert "a folder" in fails(capsys, "check", tmp_path)
    assert "a folder" in fails(capsys, "validate", tmp_path)
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
