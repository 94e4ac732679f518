"""The pages for instructors, held to the code: commands, options, limits, names, numbers and messages."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from traitlets.config import Config

import ntk_teach as ntk
from ntk_teach.grading import cli
from ntk_teach.grading.cli.publish import FORMATS as NAMED_FORMATS
from ntk_teach.grading.sandbox import system, warden
from ntk_teach.grading.sandbox.backends import NAMES
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.tasks import CHAPTERS, exercise, variants

ROOT = Path(__file__).parents[2]
GUIDE, SECURITY, PLANS = (
    (ROOT / "book" / f"{name}.md").read_text() for name in ("instructors_guide", "grading_security", "teaching_plans")
)
PAGES = {"guide": GUIDE, "security": SECURITY, "plans": PLANS}
CONTAINERFILE = (ROOT / "exercises" / "Containerfile").read_text()
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def fenced(text: str, language: str) -> list[str]:
    """What stands in the blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[str]:
    """Everything behind the name of a program, in consoles and in the text."""
    found = []
    for text in PAGES.values():
        lines = [line for block in fenced(text, "console") for line in block.splitlines()]
        assert all(line.startswith("$ ") for line in lines), "a console shows commands alone"
        found += [line.removeprefix(f"$ {program} ") for line in lines if line.startswith(f"$ {program} ")]
        found += re.findall(rf"`{re.escape(program)} ([^`\n]+)`", text)
    return found


def column(text: str, heading: str) -> list[str]:
    """The first cells of the table that begins with these words."""
    (start,) = (
        match.end() for match in re.finditer(rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\|\n", text, re.MULTILINE)
    )
    rows = re.match(r"(?:\|.*\n)+", text[start:])
    assert rows
    return [row.split("|")[1].strip() for row in rows[0].splitlines()]


@pytest.mark.parametrize("words", [*commands("ntk-teach"), *commands("./box")])
def test_every_command_is_one(words: str) -> None:
    """The parser of the command line takes it, with its options and its chapter."""
    options = cli._parser().parse_args(shlex.split(words))
    chapter = getattr(options, "chapter", None)
    assert chapter is None or exercise(chapter)
    assert getattr(options, "variant", None) in (None, "course", *variants("05"))


def test_every_command_is_shown() -> None:
    """The guide leaves none out."""
    (subcommands,) = (action.choices for action in cli._parser()._actions if isinstance(action.choices, dict))
    assert {words.split()[0] for words in commands("ntk-teach")} == set(subcommands)


def test_every_option_is_shown_and_is_one() -> None:
    """In the text, too; those of the container's engine stand in its own section."""
    (subcommands,) = (action.choices for action in cli._parser()._actions if isinstance(action.choices, dict))
    ours = {option for parser in subcommands.values() for option in parser._option_string_actions} - {"-h", "--help"}
    text = GUIDE + SECURITY.partition("(containers)=")[0] + PLANS
    named = set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", text))
    theirs = {"--duedate", "--lms-user-id", "--help", "--host", "--port", "--nthreads"}
    assert named - theirs <= ours
    assert ours - named <= {"--all", "--workers"}


def test_commands_of_nbgrader_are_there() -> None:
    """Its names have changed before."""
    from nbgrader.apps.nbgraderapp import NbGraderApp

    known = set(NbGraderApp().subcommands)
    assert {words.split()[0] for words in commands("nbgrader")} <= known


def test_the_table_of_limits() -> None:
    """Names, order and usual values are those of ``Limits``."""
    rows = re.findall(r"^\| (\w+) \| ([\d.]+)(?: (KiB|MiB|GiB))? \|", SECURITY, re.MULTILINE)
    stated = {name: float(number) * UNITS.get(unit, 1) for name, number, unit in rows}
    assert stated == {field.name: float(field.default) for field in fields(Limits)}
    assert list(stated) == [field.name for field in fields(Limits)]


def test_settings_can_be_set() -> None:
    """What is shown of ``nbgrader_config.py`` runs, and names traits that exist; the limits are taken."""
    from nbgrader.plugins.zipcollect import FileNameCollectorPlugin

    from ntk_teach.grading.classroom.late import LatePenalty
    from ntk_teach.grading.classroom.preprocessors import Run

    config = Config()
    for text in (GUIDE, SECURITY):
        for block in fenced(text, "python"):
            exec(block, {"c": config})
    classes = {"Run": Run, "LatePenalty": LatePenalty, "FileNameCollectorPlugin": FileNameCollectorPlugin}
    assert set(config) == set(classes)
    for name, settings in config.items():
        assert set(settings) <= set(classes[name].class_trait_names())
    assert Run(config=config).allowed == Limits()
    assert LatePenalty(config=config).policy.most == 0.5
    match = re.match(
        config.FileNameCollectorPlugin.named_regexp,
        "x/Ada Lovelace_12345_assignsubmission_file/05_neural_tangent_kernel.ipynb",
    )
    assert match
    assert match.groupdict() == {"student_id": "12345", "file_id": "05_neural_tangent_kernel.ipynb"}


def test_the_tables_that_a_person_writes(tmp_path) -> None:
    """Times of receipt and accommodations, as they are shown, are read without a complaint."""
    from ntk_teach.grading.classroom import accommodations
    from ntk_teach.grading.classroom.course import Course
    from ntk_teach.grading.classroom.received import load_received

    times, granted = (block for block in fenced(SECURITY, "text") if block.startswith("student,"))
    (tmp_path / "times.csv").write_text(times)
    (tmp_path / "accommodations.csv").write_text(granted)
    chapter, course = exercise("05"), Course(tmp_path)
    named = [line.partition(",")[0] for line in times.splitlines()[1:]]
    for student in named:
        (tmp_path / "submitted" / student / chapter.slug).mkdir(parents=True)
    assert list(load_received(course, chapter, tmp_path / "times.csv")) == named
    found = accommodations.load(course)
    assert (found.time("ada", chapter.slug), found.time("ben", chapter.slug)) == (1.0, 1.5)


def test_sandboxes_in_the_order_of_trial() -> None:
    assert column(SECURITY, "name") == list(NAMES)


def test_formats_of_the_export() -> None:
    from ntk_teach.grading.classroom.exporters import FORMATS

    assert column(GUIDE, "format") == list(FORMATS) == list(NAMED_FORMATS)


def test_what_a_line_may_say() -> None:
    from ntk_teach.grading.classroom.report import GRADED, REVIEW, ZERO

    assert column(GUIDE, "a line says") == [GRADED, ZERO, REVIEW]


def test_variants_are_those_of_the_exercise() -> None:
    (named,) = re.findall(r"chooses by hand: (.*)\.$", GUIDE, re.MULTILINE)
    assert re.findall(r"`(\w+)`", named) == list(variants("05"))


def test_numbers_in_the_text() -> None:
    """Each is a constant of the code."""
    from ntk_teach.grading.classroom import gradebook, ingest

    assert f"at most {ingest.LARGEST // 1_000_000} MB" in GUIDE
    assert f"waits up to {gradebook.PATIENCE} seconds" in GUIDE
    assert f"may use {Limits().cpu:.0f} seconds of a processor" in SECURITY
    assert f"more than {Limits().cpu:.0f} s of processor time" in GUIDE
    assert round(1 / warden.LOOK) == 20
    assert "twenty times a second" in SECURITY
    assert 55 <= len(system.REFUSED) <= 65
    assert "some sixty system calls" in SECURITY


def test_the_tasks_have_minutes() -> None:
    """Each task of each exercise, and no other, has its line in the plans, and each exercise its points."""
    rows = re.findall(r"^\| (\d\d\.\d) \| \d+ \|", PLANS, re.MULTILINE)
    assert rows == [item.id for number in CHAPTERS for item in exercise(number).items]
    for number in CHAPTERS:
        assert f"| {number}, {exercise(number).points} points |" in PLANS


def test_the_guide_lists_the_tasks_with_their_points() -> None:
    """The table on the page is the tasks' own."""
    rows = re.findall(r"^\| (\d\d\.\d) (.*?) \| (\d) \|", GUIDE, re.MULTILINE)
    items = [item for number in CHAPTERS for item in exercise(number).items]
    assert rows == [(item.id, item.title, str(item.points)) for item in items]


def test_chapters_that_are_called_ready_are_there() -> None:
    """And those to come are not: the plan does not promise, and does not lag behind."""
    weeks = re.findall(r"^\| [\d, ]+ \| (.*?) \| (.*?) \|", PLANS.partition("## Thirteen weeks")[2], re.MULTILINE)
    assert weeks
    for chapters, state in weeks:
        for number in re.findall(r"\b\d\d\b", chapters):
            ready = state.startswith("ready") or f"{number} ready" in state
            assert ready == bool(list((ROOT / "book").glob(f"{number}_*.md"))), f"chapter {number}: {state}"


def test_messages_are_the_ones_that_are_said() -> None:
    """Each fragment of a message stands in the code; the operating system's own are left to it."""
    theirs = {"database is locked", "unable to open", "disk full", "Permission denied"}
    theirs |= {"Operation not permitted: 'mount proc at /proc'"}
    code = " ".join(path.read_text() for path in (ROOT / "ntk_teach" / "grading").rglob("*.py"))
    code = re.sub(r"\{[^{}]*\}", "20", code)  # what is filled in
    for cell in column(GUIDE, "message"):
        for message in set(re.findall(r"\*(.+?)\*", cell)) - theirs:
            for part in re.split(r"…|, received none|^expected |^NameError|SyntaxError$", message):
                assert part.strip(" :") in code, message


def test_the_container_takes_what_is_there() -> None:
    """Files that it copies, the extra that it installs, a Python that the package runs on."""
    copied = [word for line in re.findall(r"^COPY (.*)$", CONTAINERFILE, re.MULTILINE) for word in line.split()[:-1]]
    assert copied
    assert all((ROOT / word).exists() for word in copied if not word.startswith("--"))
    assert "FROM python:3.11-slim" in CONTAINERFILE
    assert "[instructor]" in CONTAINERFILE
    assert "instructor = [" in (ROOT / "pyproject.toml").read_text()
    assert "sphinx-mathjax-offline==" in (ROOT / "requirements.lock").read_text()


def test_there_are_thirty_questions() -> None:
    questions = re.findall(r"^(\d+)\. \*(.+?)\* \S", PLANS, re.MULTILINE)
    assert [int(number) for number, _ in questions] == list(range(1, 31))


def test_the_answers_with_numbers() -> None:
    """Questions 8, 9, 13, 15, 25, 26 and 27, computed."""
    from ntk_teach.grading.tasks.neural_tangent_kernel import exercise as chapter

    x = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    long = 2**0.5 * x  # its square is n₀
    bare = {depth: ntk.zoo.mlp(depth, sigma_b=0.0) for depth in range(1, 6)}
    assert [bare[depth].nngp(long)[0, 0].item() for depth in (1, 2, 3)] == pytest.approx([1, 1 / 2, 1 / 4])
    assert [bare[depth].ntk(long)[0, 0].item() for depth in (2, 3)] == pytest.approx([1, 3 / 4])
    for depth, kernel in bare.items():
        assert kernel.ntk(long)[0, 0].item() == pytest.approx(depth * 2.0 ** (1 - depth))
        doubled = [ntk.Dense(1, 0.0), *[ntk.relu, ntk.Dense(2**0.5, 0.0)] * (depth - 1)]
        ratio = ntk.serial(*doubled).ntk(long)[0, 0] / kernel.ntk(long)[0, 0]
        assert ratio.item() == pytest.approx(2.0 ** (depth - 1))
        everywhere = ntk.zoo.mlp(depth, sigma_w=2**0.5, sigma_b=0.0).ntk(long)[0, 0] / kernel.ntk(long)[0, 0]
        assert everywhere.item() == pytest.approx(2.0**depth)
    for depth, stated in ((2, "-0.011"), (4, "+0.064")):
        assert f"{ntk.zoo.mlp(depth).ntk(x)[0, 1]:+.3f}" == stated
        assert f"${stated}$" in PLANS
    shares = chapter.find("05.5").reference
    plain, biased = (torch.as_tensor(shares(x, 5, beta)) for beta in (0.0, 0.3))
    assert torch.allclose(plain[:, 0, 0], plain[0, 0, 0])
    for layer in range(1, 5):
        step = biased[layer, 0, 0] - biased[layer - 1, 0, 0]
        assert step.item() == pytest.approx(0.09 * 2.0 ** -(5 - layer - 1))
    obtuse = torch.tensor([[1.0, 0.0], [-0.8, 0.6]], dtype=torch.float64)
    signs = torch.as_tensor(shares(obtuse, 5, 0.1))[:, 0, 1]
    assert signs[0] < 0
    assert (signs[1:] >= 0).all()
