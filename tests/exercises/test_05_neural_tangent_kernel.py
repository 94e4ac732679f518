"""The exercise of chapter 05 with the real tools: released, handed in, graded, fed back and exported."""

import csv
import hashlib
import html
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from ntk_teach.grading.classroom.report import REVIEW, Report
from ntk_teach.grading.judge import judge_function
from ntk_teach.grading.tasks import exercise

ROOT = Path(__file__).parents[2]
EXERCISE = exercise("05")
MOST = max(len(task.misconceptions) for task in EXERCISE.tasks)


# ---- release


def test_the_same_bytes_everywhere_made_once_and_again_when_the_text_changes(classroom, tmp_path, capsys) -> None:
    """The page of the book offers the file that grading builds on. Made anew for another text, a damaged file, a lost
    gradebook, and for nothing else.
    """
    room = type(classroom).opened(tmp_path / "elsewhere", "05")
    released, source = room.course.released(room.slug), room.course.source(room.slug)
    before = released.stat().st_mtime_ns
    digests = {
        hashlib.sha256(path.read_bytes()).hexdigest() for path in (released, classroom.course.released(room.slug))
    }
    assert len(digests) == 1
    assert digests.pop() in capsys.readouterr().out
    assert room.run("release", "05") == 0
    assert capsys.readouterr().out.startswith("unchanged")
    assert released.stat().st_mtime_ns == before
    source.write_text(source.read_text().replace("Exercise 05:", "Exercise five:"))
    released_again(room, capsys)
    assert "Exercise five:" in released.read_text()
    released.write_text("{}")
    released_again(room, capsys)
    room.course.gradebook.unlink()
    released_again(room, capsys)


def released_again(room, capsys) -> None:
    assert room.run("release", "05") == 0
    assert capsys.readouterr().out.startswith("made")


# ---- the notebook itself


def test_the_solved_notebook_runs_from_top_to_bottom(classroom) -> None:
    """Demonstrations and visible checks included: what the author shows is true."""
    notebook = NotebookClient(classroom.solved(), timeout=120).execute()
    shown = ["".join(output.text for output in cell.outputs) for cell in notebook.cells if cell.metadata.get("tags")]
    antipode, width, outputs, slope, shares = shown
    assert re.search(r"depth 2: Θ\(x, -x\) = -0\.0113\n", antipode)
    assert re.search(r"depth 4: Θ\(x, -x\) = \+0\.0644\n", antipode)
    near = [float(number) for number in re.findall(r"distance ([\d.]+)", width)]
    assert 2 < near[0] / near[2] < 8  # a sixteenfold width: about 4
    shrinking = [float(number) for number in re.findall(r"= ([\d.]+)", outputs)]
    assert shrinking == sorted(shrinking, reverse=True)
    assert 4 < shrinking[0] / shrinking[-1] < 16  # a 64-fold width: about 8
    assert -1.5 < float(slope.split()[1]) < -0.6
    assert re.search(r"sigma_b 0\.0: 0\.03125(?:  0\.03125){4}\n", shares)  # without biases all layers add the same


# ---- a class


def misconceived(classroom, number: int):
    """The number-th misconception of every task that has so many, in one notebook."""
    code = {
        task.id: f"from ntk_teach.grading.tasks import exercise\n"
        f"{task.name} = exercise('05').find('{task.id}').misconceptions[{number}].function"
        for task in EXERCISE.tasks
        if number < len(task.misconceptions)
    }
    return classroom.answered(code)


def broken(classroom) -> dict[str, object]:
    """What goes wrong in every class."""
    solved = classroom.solved
    dies = classroom.answered({"05.3": "import os\n\n\ndef output_ntk(*arguments):\n    os._exit(1)"}, solved())
    loops = classroom.answered({"05.2": "def network_ntk(*arguments):\n    while True:\n        pass"}, solved())
    typo = classroom.answered({"05.4": "def variance_slope(widths, samples):\n    return (widths"}, solved())
    twice = solved()
    twice.cells.insert(12, twice.cells[6].copy())
    twice.cells.append(next(cell for cell in twice.cells if cell.id == "05-4").copy())
    deleted = solved()
    deleted.cells = [cell for cell in deleted.cells if cell.id not in ("05-1", "05-5")]
    stripped = solved()
    for cell in stripped.cells:
        cell.metadata.clear()
    noisy = solved()
    for cell in noisy.cells:
        if cell.id == "05-1-answer":
            cell.source = cell.source.replace(
                "    ### BEGIN SOLUTION",
                "    import sys, warnings\n    warnings.warn('look out')\n    print('!', file=sys.stderr)",
            )
    return {
        "dies": dies,
        "loops": loops,
        "typo": typo,
        "twice": twice,
        "deleted": deleted,
        "stripped": stripped,
        "noisy": noisy,
        "garbage": "{ this is not JSON",
    }


@pytest.fixture(scope="module")
def graded(tmp_path_factory, classroom):
    """The whole class, graded once; a loop is given up after three seconds of processor time.

    Here alone the sandbox has the whole library, so that a misconception is handed in by its name.
    """
    room = type(classroom).opened(tmp_path_factory.mktemp("class"), "05", cpu=3)
    room.hand_in("right", room.solved())
    room.hand_in("empty", room.empty())
    for number in range(MOST):
        room.hand_in(f"wrong{number:02}", misconceived(room, number))
    for student, notebook in broken(room).items():
        room.hand_in(student, notebook)
    (room.course.root / "submitted" / "missing" / room.slug).mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ntk_teach.grading.classroom.jobs.provided_library", lambda provides: whole_library())
        assert room.run("grade", "05") == 1  # some need a person
    assert room.run("feedback", "05") == 0
    assert room.run("export", "--csv", str(room.course.root / "grades.csv")) == 0
    return room


def whole_library() -> dict[str, str]:
    """Every module of the package by name."""
    files = [path.relative_to(ROOT) for path in (ROOT / "ntk_teach").rglob("*.py")]
    names = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in files}
    return {name: (ROOT / path).read_text() for name, path in names.items()}


def rows(room) -> dict:
    return {row.student: row for row in Report.load(room.course.state(f"graded-{room.slug}")).rows}


def table(room) -> dict[str, float]:
    with (room.course.root / "grades.csv").open() as file:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}


def told(room, student: str, cell: str) -> str:
    return room.verdicts(student)[cell]["text"]


def page(room, student: str) -> str:
    """The words of a feedback page."""
    text = room.course.feedback(room.slug, student).read_text()
    return " ".join(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL)).split())


def test_right_earns_every_point_and_empty_none(graded) -> None:
    """14 by machine, 4 to be read by a person; the untouched written answer is 0 and not to be read."""
    found = rows(graded)
    assert (found["right"].score, found["right"].to_read, found["right"].status) == (14, 4, "graded")
    assert (found["empty"].score, found["empty"].to_read, found["empty"].status) == (0, 0, "graded")


@pytest.mark.parametrize("number", range(MOST))
def test_each_misconception_is_graded_with_the_words_of_check(graded, number: int) -> None:
    """No points for what it breaks, its own message, and exactly the text that ``check`` gives on these inputs."""
    verdicts, seeds = graded.verdicts(f"wrong{number:02}"), graded.course.seeds(EXERCISE)
    text = page(graded, f"wrong{number:02}")
    for task in EXERCISE.tasks:
        if number < len(task.misconceptions):
            mistaken, told = task.misconceptions[number], verdicts[task.id.replace(".", "-")]
            assert told["points"] == mistaken.keeps
            assert told["text"] == str(judge_function(task, mistaken.function, seeds[task.id]))
            assert mistaken.message in told["text"]
            assert " ".join(mistaken.message.split()) in text


def test_gradebook_report_page_and_table_agree(graded) -> None:
    """Four places, one score, for every student."""
    from ntk_teach.grading.classroom.gradebook import gradebook

    found, exported = rows(graded), table(graded)
    assert set(found) == set(exported) == set(graded.course.students(graded.slug))
    with gradebook(graded.course) as book:
        for student, row in found.items():
            assert book.find_submission(graded.slug, student).score == row.score == exported[student]
            if graded.course.feedback(graded.slug, student).is_file():
                assert f"(Score: {row.score:.1f} / 18.0)" in page(graded, student)


def test_one_broken_submission_never_stops_the_others(graded) -> None:
    """Each ends in a row: with what it earned before or besides the accident, and with the reason."""
    found = rows(graded)
    assert (found["garbage"].score, found["garbage"].status) == (0, REVIEW)
    assert "JSON" in found["garbage"].reasons[0]
    assert (found["missing"].score, found["missing"].status) == (0, REVIEW)
    assert "no notebook" in found["missing"].reasons[0]
    assert (found["dies"].score, found["dies"].status) == (11, "graded")  # it costs the task alone
    assert "your function stopped its process" in told(graded, "dies", "05-3")
    assert (found["loops"].score, found["loops"].status) == (11, "graded")
    assert "more than 3 s of processor time" in told(graded, "loops", "05-2")
    assert found["typo"].score == 12
    assert re.search(
        r"NameError.*was to be defined in a cell that stopped with SyntaxError", told(graded, "typo", "05-4")
    )


def test_accidents_with_cells_cost_nothing(graded) -> None:
    """Copied with its id, deleted tests, no metadata at all, words on stderr: the right answers are still right."""
    found = rows(graded)
    assert [found[student].score for student in ("twice", "deleted", "stripped", "noisy")] == [14, 14, 14, 14]
    assert found["noisy"].status == "graded"
    assert found["deleted"].reasons == ("the cell 05-1 was missing", "the cell 05-5 was missing")
    assert found["twice"].status == found["stripped"].status == REVIEW


def test_demonstrations_are_not_run_at_grading(graded) -> None:
    """They use the whole library and carry no points."""
    notebook = nbformat.read(graded.course.autograded(graded.slug, "right"), as_version=4)
    shown = [cell for cell in notebook.cells if "demonstration" in cell.metadata.get("tags", [])]
    assert len(shown) == 5
    assert all(cell.execution_count is None and not cell.outputs for cell in shown)


def test_the_secret_is_in_no_notebook_and_no_page(graded) -> None:
    """Nor are the seeds that come from it."""
    hidden = [graded.course.secret().decode(), *map(str, graded.course.seeds(EXERCISE).values())]
    for kind, pattern in (("autograded", "*.ipynb"), ("feedback", "*.html"), ("release", "*.ipynb")):
        texts = [path.read_text() for path in (graded.course.root / kind).rglob(pattern)]
        assert texts
        assert not any(secret in text for secret in hidden for text in texts)


def test_nothing_is_graded_twice_and_a_person_has_the_last_word(graded, capsys) -> None:
    """A second run looks up; a new version of one submission is graded alone; a score given by hand stays."""
    from ntk_teach.grading.classroom.gradebook import gradebook

    times = {path: path.stat().st_mtime_ns for path in (graded.course.root / "autograded").rglob("*.ipynb")}
    with gradebook(graded.course) as book:
        book.find_grade("05-6", graded.slug, graded.slug, "right").manual_score = 3.0
        book.find_grade("05-1", graded.slug, graded.slug, "empty").manual_score = 1.5
        book.db.commit()
    graded.hand_in("missing", graded.solved())
    started = time.monotonic()
    assert graded.run("grade", "05") == 1
    took = time.monotonic() - started
    out = capsys.readouterr().out
    assert f"{len(rows(graded))} submissions: 1 graded now" in out
    assert "WITHOUT" not in out
    changed = [path for path, before in times.items() if path.stat().st_mtime_ns != before]
    assert [path.parts[-3] for path in changed] == ["missing"]
    found = rows(graded)
    assert (found["missing"].score, found["missing"].status) == (14, "graded")
    assert (found["right"].score, found["right"].to_read) == (17, 0)
    assert found["empty"].score == 1.5
    assert took < 60, f"{took:.0f} s for one submission and {len(found) - 1} look-ups"


def test_a_release_with_other_cells_is_refused_once_a_class_has_answered(graded, capsys) -> None:
    """nbgrader keeps the cells that students have answered; the error says what can be done."""
    source, released = graded.course.source(graded.slug), graded.course.released(graded.slug)
    text, before = source.read_text(), released.read_bytes()
    try:
        source.write_text(text.replace('# %% given="05.1-by-hand"', '# %% given="05.1-hand"'))
        assert graded.run("release", "05") == 2
        assert "put the text back as it was handed out" in capsys.readouterr().err
        assert released.read_bytes() == before
    finally:
        source.write_text(text)
    assert graded.run("release", "05") == 0
    assert capsys.readouterr().out.startswith("unchanged")


def test_nbgraders_own_command_grades_with_the_same_configuration(graded, tmp_path) -> None:
    """An instructor who types ``nbgrader autograde`` gets the same inputs, words and points."""
    before = graded.verdicts("typo")
    command = [sys.executable, "-m", "nbgrader", "autograde", graded.slug, "--student", "typo", "--force"]
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    done = subprocess.run(
        command, cwd=graded.course.root, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert graded.verdicts("typo") == before
