"""The gate: whatever stands in submitted/ is one row or none, never an exception, a wait, or another file's content."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import nbformat
import pytest

from ntk_teach.grading.classroom import ingest
from ntk_teach.grading.classroom.course import Course, CourseError
from ntk_teach.grading.classroom.ingest import Entry, entries

SLUG = "05_neural_tangent_kernel"
NAME = f"{SLUG}.ipynb"
NOTEBOOK = nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]))


@pytest.fixture
def course(tmp_path) -> Course:
    for folder in ("submitted", f"source/{SLUG}", "source/01_other"):
        (tmp_path / folder).mkdir(parents=True)
    return Course(tmp_path)


def place(course: Course, student: str, *parts: str) -> Path:
    """A path below a student's folder, which is made."""
    path = course.root.joinpath("submitted", student, *parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def hand_in(course: Course, student: str = "ann", content: str | bytes = NOTEBOOK, name: str = NAME) -> Path:
    path = place(course, student, SLUG, name)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(course: Course) -> list[Entry]:
    return list(entries(course, SLUG))


def only(course: Course) -> Entry:
    (row,) = rows(course)
    return row


def test_a_notebook_is_its_text(course) -> None:
    """With its author's name and nothing to say about it; without reading, the name alone."""
    hand_in(course)
    assert only(course) == Entry("ann", content=NOTEBOOK)
    assert list(entries(course, SLUG, read=False)) == [Entry("ann")]


def test_no_folder_is_no_submissions(course) -> None:
    """Nobody has handed in; a file in the place of the folder is an error of the course."""
    (course.root / "submitted").rmdir()
    assert rows(course) == []
    (course.root / "submitted").write_text("")
    with pytest.raises(CourseError, match="expected a folder submitted/, received"):
        rows(course)


GOOD = {
    "a byte order mark": b"\xef\xbb\xbf" + NOTEBOOK.encode(),
    "numbers that are none": json.dumps(json.loads(NOTEBOOK) | {"metadata": {"x": float("nan")}}),
    "ten thousand outputs": json.dumps(json.loads(NOTEBOOK) | {"metadata": {"x": [{}] * 10_000}}),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_what_a_program_may_have_written_is_taken(course, content) -> None:
    """As text, without the mark."""
    hand_in(course, content=content)
    row = only(course)
    assert row.refused == ""
    assert row.content.startswith("{")


BAD = {
    "empty": (b"", "is not a notebook: JSONDecodeError"),
    "truncated": (NOTEBOOK[:-20], "is not a notebook: JSONDecodeError"),
    "another encoding": (NOTEBOOK.encode("utf-16"), "is not text in UTF-8 (byte 0)"),
    "zero bytes": (b"\0" * 100, "is not a notebook"),
    "a zero byte in a text": (NOTEBOOK.replace('"1"', '"\0"'), "is not a notebook"),
    "deep": ("[" * 100_000, "is not a notebook: RecursionError"),
    "deep and whole": (
        '{"nbformat": 4, "a": ' + "[" * 50_000 + "]" * 50_000 + "}",
        "is not a notebook: RecursionError",
    ),
    "a long number": ('{"nbformat": ' + "4" * 5000 + "}", "is not a notebook: ValueError"),
    "a list": ("[]", "is JSON, but not a notebook"),
    "no version": ("{}", "is JSON, but not a notebook"),
    "a version that is none": ('{"nbformat": "4"}', "is JSON, but not a notebook"),
    "a page": ("<!DOCTYPE html><p>Log in first", "is not a notebook: JSONDecodeError"),
    "a flood of objects": ('{"nbformat": 4, "a": [' + "{}," * 200_000 + "{}]}", "has too many parts"),
    "a flood of lists": ('{"nbformat": 4, "a": [' + "[]," * 600_000 + "[]]}", "has too many parts"),
}


@pytest.mark.parametrize("content, words", BAD.values(), ids=BAD)
def test_what_is_no_notebook_is_refused_in_words(course, content, words) -> None:
    """One printable line, with the name of the file."""
    hand_in(course, content=content)
    row = only(course)
    assert (row.student, row.known, row.content) == ("ann", True, "")
    assert row.refused.startswith(f"{NAME} ")
    assert words in row.refused
    assert row.refused.isprintable()


def test_a_file_that_is_too_large_is_not_read(course) -> None:
    """A sparse one of many gigabytes costs nothing."""
    os.truncate(hand_in(course), 50_000_000_000)
    assert only(course).refused == f"{NAME} has 50000 MB, more than 20"


def secret(course: Course) -> Path:
    path = course.root / "elsewhere" / SLUG / NAME
    path.parent.mkdir(parents=True)
    path.write_text(NOTEBOOK.replace('"1"', '"secret"'))
    return path


@pytest.mark.parametrize("level", ["student", "exercise", "file"])
@pytest.mark.parametrize("there", [True, False])
def test_no_link_is_followed(course, level, there) -> None:
    """At none of the three levels, whether it leads somewhere or not: a row that says so."""
    target = secret(course)
    path = place(course, "ann", SLUG, NAME)
    link = {"student": path.parents[1], "exercise": path.parent, "file": path}[level]
    led = {"student": target.parents[1], "exercise": target.parent, "file": target}[level]
    if level == "student":
        path.parent.rmdir()
        link.rmdir()
    elif level == "exercise":
        link.rmdir()
    link.symlink_to(led if there else course.root / "nowhere")
    row = only(course)
    assert "link" in row.refused
    assert row.content == ""


def test_a_second_name_of_a_file_is_a_remark(course) -> None:
    """A hard link: programs that copy make them, too. The content counts, and a person is told."""
    path = place(course, "ann", SLUG, NAME)
    path.hardlink_to(hand_in(course, "bob"))
    first, second = rows(course)
    assert first == Entry("ann", content=NOTEBOOK, remarks=("the file has another name somewhere (hard link)",))
    assert second.remarks == first.remarks


@pytest.mark.skipif(os.getuid() != 0, reason="gives files to other users")
def test_a_classmates_file_under_another_name_is_not_taken(course) -> None:
    """On a shared disk a student links to a notebook that another one owns: the owner loses nothing, the linker sees
    nothing of it.
    """
    victim, other = hand_in(course, "bob"), place(course, "ann", SLUG, NAME)
    other.hardlink_to(victim)
    os.chown(victim, 4001, 4001)
    os.chown(victim.parent, 4001, 4001)
    os.chown(other.parent, 4002, 4002)
    linked, owned = rows(course)
    assert (linked.content, owned.content) == ("", NOTEBOOK)
    assert "hard link" in linked.refused


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "device"])
@pytest.mark.parametrize("level", ["file", "exercise", "student"])
def test_what_is_no_file_is_refused_without_waiting(course, kind, level, monkeypatch) -> None:
    """Nobody writes into the pipe and nobody listens."""
    path = place(course, "ann", SLUG, NAME)
    if level != "file":
        path.parent.rmdir()
        path = path.parent
    if level == "student":
        path.parent.rmdir()
        path = path.parent
    monkeypatch.chdir(path.parent)  # the path of a socket has about a hundred characters
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    elif kind == "folder":
        path.mkdir()
    elif os.getuid() == 0:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # zeros without end
    else:
        pytest.skip("needs root")
    if kind == "folder" and level == "student":
        assert rows(course) == []  # has handed in nothing yet
    else:
        row = only(course)
        assert (row.student, row.content) == ("ann", "")
        assert row.refused


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("level", [0, 1, 2])
def test_what_may_not_be_read_is_refused(course, level) -> None:
    """Folder or file: with the system's reason."""
    path = hand_in(course)
    closed = [path, *path.parents][level]
    closed.chmod(0)
    try:
        assert "permission denied" in only(course).refused
    finally:
        closed.chmod(0o700)


def test_what_cannot_be_listed_is_refused(course, monkeypatch) -> None:
    """A damaged folder stops nobody else; no descriptor stays open."""
    hand_in(course, "ann")
    hand_in(course, "bob")
    known, listed = os.listdir, []

    def damaged(folder: int) -> list[str]:
        listed.append(folder)
        if len(listed) == 2:
            raise OSError(5, "Input/output error")
        return known(folder)

    before = len(known("/proc/self/fd"))
    with monkeypatch.context() as patch:
        patch.setattr(ingest.os, "listdir", damaged)
        first, second = rows(course)
    assert first.refused == "the folder cannot be opened: input/output error"
    assert second.refused == ""
    assert len(known("/proc/self/fd")) == before


def test_a_missing_or_misnamed_notebook_is_told_what_was_found(course) -> None:
    """Under another name, two of them, a program, nothing."""
    hand_in(course, "ann", name="my solution.ipynb")
    hand_in(course, "bob", name="a.ipynb")
    hand_in(course, "bob", name="b.ipynb")
    hand_in(course, "cem", name=f"{SLUG}.py")
    place(course, "dee", SLUG, NAME)
    found = {row.student: row.refused for row in rows(course)}
    assert found == {
        "ann": f"no notebook {NAME}: found my solution.ipynb",
        "bob": f"no notebook {NAME}: found a.ipynb, b.ipynb",
        "cem": f"no notebook {NAME}: the folder has no notebook",
        "dee": f"no notebook {NAME}: the folder has no notebook",
    }


def test_a_second_notebook_is_a_remark(course) -> None:
    """The one with the right name counts."""
    hand_in(course)
    hand_in(course, name="copy.ipynb")
    assert only(course) == Entry("ann", content=NOTEBOOK, remarks=("copy.ipynb is not used",))


def test_a_folder_of_another_name_is_told(course) -> None:
    """Unless it is another exercise of the course: then nothing was handed in for this one."""
    place(course, "ann", "neural", NAME)
    place(course, "bob", "01_other", NAME)
    assert only(course) == Entry("ann", refused=f"no folder {SLUG}: found neural")


ODD = [
    "Käthe",
    "a b",
    "-rf",
    "..a..",
    "x" * 65,
    "a\nb",
    "a\x1b[31mb",
    "$(id)",
    "a;b",
    "\udcff\udcfe",
    "a/../b".replace("/", "\\"),
]


@pytest.mark.parametrize("name", ODD, ids=range(len(ODD)))
def test_names_that_are_no_ids_are_rows_that_can_be_printed(course, name) -> None:
    """And are not used in the gradebook."""
    hand_in(course, name)
    row = only(course)
    assert (row.known, row.content) == (False, "")
    assert "is no student's id" in row.refused
    assert row.student.isprintable()
    row.student.encode()


@pytest.mark.parametrize("name", ["a", "ann.b-c_9", "ann@example.org", "0", "x" * 64])
def test_names_that_are_ids_are_taken(course, name) -> None:
    """Letters, digits and a few marks."""
    hand_in(course, name)
    assert only(course) == Entry(name, content=NOTEBOOK)


def test_names_that_differ_in_capitals_only_are_a_remark(course) -> None:
    """Both count: one may be a slip of the other's name, and neither shall lose by it."""
    hand_in(course, "Ann")
    hand_in(course, "ann")
    first, second = rows(course)
    assert first == Entry("Ann", content=NOTEBOOK)
    assert second == Entry("ann", content=NOTEBOOK, remarks=("the folder Ann has the same letters",))


def test_loose_files_are_told_where_they_meant_to_be_handed_in(course) -> None:
    """A notebook or an archive is a row; what systems leave behind, and lists, are none."""
    for name in (".DS_Store", ".gitkeep", "README", "list.csv"):
        place(course, name).write_text("")
    place(course, ".ipynb_checkpoints", NAME)
    for name in ("ann.ipynb", "all.zip"):
        place(course, name).write_text(NOTEBOOK)
    assert [(row.student, row.known) for row in rows(course)] == [("all.zip", False), ("ann.ipynb", False)]


def test_a_file_that_becomes_a_link_is_not_followed(course, monkeypatch) -> None:
    """Between the list of names and the opening of one."""
    path, target, listed = hand_in(course), secret(course), os.listdir

    def swapping(folder: int) -> list[str]:
        names = listed(folder)
        if NAME in names and not path.is_symlink():
            path.unlink()
            path.symlink_to(target)
        return names

    with monkeypatch.context() as patch:
        patch.setattr(ingest.os, "listdir", swapping)
        row = only(course)
    assert (row.content, row.refused) == ("", f"{NAME} is a link, not a file of its own")


def test_a_folder_that_becomes_a_link_is_not_followed(course, monkeypatch) -> None:
    """Once opened, it is the folder that it was."""
    path, target, listed = hand_in(course), secret(course), os.listdir

    def swapping(folder: int) -> list[str]:
        names = listed(folder)
        if SLUG in names and path.parent.is_dir() and not path.parent.is_symlink():
            path.parent.rename(course.root / "moved")
            path.parent.symlink_to(target.parent)
        return names

    with monkeypatch.context() as patch:
        patch.setattr(ingest.os, "listdir", swapping)
        row = only(course)
    assert (row.content, row.refused) == ("", f"{SLUG} cannot be opened: is not a folder, or is a link")


def test_what_vanishes_meanwhile_is_no_row_or_a_reason(course, monkeypatch) -> None:
    """Somebody tidies up while we look."""
    hand_in(course, "ann")
    known = os.listdir
    with monkeypatch.context() as patch:
        patch.setattr(
            ingest.os, "listdir", lambda folder: [*known(folder), "zoe"] if "ann" in known(folder) else known(folder)
        )
        assert [row.student for row in rows(course)] == ["ann"]


def test_a_thousand_strange_names_are_listed_in_order_and_soon(course) -> None:
    """Each once."""
    for number in range(300):
        hand_in(course, f"s{number:04}", content="{" if number % 2 else NOTEBOOK)
    found = rows(course)
    assert [row.student for row in found] == sorted(f"s{number:04}" for number in range(300))
    assert sum(bool(row.refused) for row in found) == 150
