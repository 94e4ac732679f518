"""Folders and files: names that an LMS or a student may give, and files that are none. Each must end in a row.

Notebooks are right where there is one. A person with an odd name has done nothing wrong: graded or set aside, both
are right, but not lost, and not at anybody's expense.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpus.readers import ACTIVE
from corpus.submission import Secrets, Submission, hand_in

__all__ = ["submissions"]

REVIEW = "needs review"
NAMES = {
    "name_with_spaces": ("Ada King Lovelace", "Spaces."),
    "name_in_latin": ("Zoë-Åström", "Letters with marks."),
    "name_decomposed": ("Zoe\u0308-A\u030astro\u0308m", "The same letters, written as letter and mark."),
    "name_in_chinese": ("陳大文", "Chinese characters."),
    "name_in_arabic": ("محمد", "Written from right to left."),
    "name_with_a_quote": ("O'Neil", "A quote."),
    "name_with_quotes": ('Al "Scarface" C', "Double quotes."),
    "name_with_a_dash_first": ("-rf", "A dash at its start, as options have it."),
    "name_like_an_option": ("--force", "An option of the command line."),
    "name_of_dots": ("...", "Three dots."),
    "name_with_two_dots_first": ("..up", "Two dots at its start."),
    "name_hidden": (".hidden", "A dot at its start."),
    "name_with_a_dot_last": ("trailing.", "A dot at its end, which some systems drop."),
    "name_with_a_space_last": ("trailing ", "A space at its end."),
    "name_of_a_space": (" ", "Only a space."),
    "name_with_a_tab": ("tab\tbed", "A tab."),
    "name_with_a_line_break": ("new\nline   14 of 18  graded", "A line break, and what follows looks like a row."),
    "name_with_escapes": ("\x1b[31mred\x1b[2J", "Sequences for a terminal."),
    "name_turned": ("\u202etxt.exe", "A mark that turns the direction of writing."),
    "name_invisible": ("\u200b\u2060", "Nothing that can be seen."),
    "name_of_a_star": ("*", "A pattern for everybody."),
    "name_of_a_pattern": ("honest-[a-z]*", "A pattern for the bystanders."),
    "name_of_a_question": ("honest-on?", "A pattern for one bystander."),
    "name_with_braces": ("{student_id}{0}", "Fields of a format."),
    "name_with_percents": ("%(x)s%s%n%25", "Fields of another format, and an escape of addresses."),
    "name_with_commands": ("$(touch corpus-left)`id`;id|id&", "Commands of a shell."),
    "name_with_a_query": ("Robert'); DROP TABLE student;--", "A query of a database."),
    "name_with_html": (f"<img src=x onerror={ACTIVE}()>", "HTML."),
    "name_of_a_formula": ("=HYPERLINK(1+1,2)", "A formula of a table."),
    "name_with_a_comma": ("Lovelace, Ada", "A comma."),
    "name_with_a_backslash": ("a\\b\\..\\c", "Backslashes."),
    "name_with_a_colon": ("c:drive", "A colon."),
    "name_very_long": ("x" * 255, "As long as a name can be."),
    "name_not_utf8": (os.fsdecode(b"caf\xe9"), "Bytes that are no UTF-8."),
    "twin": ("twin", "A name that another one has, too, in capitals."),
    "twin_in_capitals": ("TWIN", "The other one."),
    "name_very_long_again": ("x" * 254 + "y", "Another one that begins with the same two hundred letters."),
    "name_at_the_limit": ("z" * 64, "Sixty-four letters."),
    "name_beyond_the_limit": ("z" * 65, "One more."),
    "name_null": ("null", "A word for nothing."),
    "name_none": ("None", "Another word for nothing."),
    "name_of_a_number": ("007", "A number with leading zeros."),
    "name_of_a_number_again": ("7", "The same number without them."),
    "name_of_a_device": ("CON", "A device, on one system."),
    "name_of_the_gradebook": ("gradebook.db", "The name of the gradebook."),
    "name_of_a_cache": ("__pycache__", "Another one."),
    "name_of_a_notebook": ("05_neural_tangent_kernel", "The exercise's own name."),
    "name_of_a_python_file": ("student.py", "A file that nbgrader ignores."),
}


def solved(room: Any, folder: Path, secrets: Secrets) -> None:
    hand_in(folder, room.solved())


def named(key: str) -> Submission:
    student, about = NAMES[key]
    return Submission(key, "folders", about, solved, most=14, student=student)


def file(
    name: str,
    about: str,
    make: Callable[[Any, Path, Secrets], None],
    most: float = 0,
    status: str | None = REVIEW,
    **more: Any,
) -> Submission:
    return Submission(name, "folders", about, make, most=most, status=status, **more)


def notebook_path(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{folder.name}.ipynb"


def linked(target: Callable[[Any, Secrets], Path]) -> Callable[[Any, Path, Secrets], None]:
    """The notebook is a symbolic link."""

    def make(room: Any, folder: Path, secrets: Secrets) -> None:
        notebook_path(folder).symlink_to(target(room, secrets))

    return make


def bystander(room: Any, secrets: Secrets) -> Path:
    return secrets.course / "submitted" / "honest-one" / room.slug / f"{room.slug}.ipynb"


def student_is_a_link(room: Any, folder: Path, secrets: Secrets) -> None:
    folder.parent.parent.mkdir(parents=True, exist_ok=True)
    folder.parent.symlink_to("honest-one")


def folder_is_a_link(room: Any, folder: Path, secrets: Secrets) -> None:
    folder.parent.mkdir(parents=True)
    folder.symlink_to(bystander(room, secrets).parent)


def folder_is_a_file(room: Any, folder: Path, secrets: Secrets) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text(json.dumps(room.solved()))


def folder_is_empty(room: Any, folder: Path, secrets: Secrets) -> None:
    folder.mkdir(parents=True)


def folder_within(room: Any, folder: Path, secrets: Secrets) -> None:
    hand_in(folder / folder.name, room.solved())


def folder_locked(room: Any, folder: Path, secrets: Secrets) -> None:
    hand_in(folder, room.solved())
    folder.chmod(0)


def wrong_name(room: Any, folder: Path, secrets: Secrets) -> None:
    hand_in(folder, room.solved())
    notebook_path(folder).rename(folder / "Exercise 5 final (2).ipynb")


def wrong_case(room: Any, folder: Path, secrets: Secrets) -> None:
    hand_in(folder, room.solved())
    notebook_path(folder).rename(folder / f"{folder.name.upper()}.IPYNB")


def two_notebooks(room: Any, folder: Path, secrets: Secrets) -> None:
    hand_in(folder, room.solved())
    (folder / "scratch.ipynb").write_text(json.dumps(room.empty()))
    (folder / f"{folder.name}-Copy1.ipynb").write_text("{")


def is_a_folder(room: Any, folder: Path, secrets: Secrets) -> None:
    notebook_path(folder).mkdir()
    (notebook_path(folder) / "inside.ipynb").write_text(json.dumps(room.solved()))


def is_a_pipe(room: Any, folder: Path, secrets: Secrets) -> None:
    os.mkfifo(notebook_path(folder))


def is_a_socket(room: Any, folder: Path, secrets: Secrets) -> None:
    path, before = notebook_path(folder), Path.cwd()
    os.chdir(folder)  # a socket's address is short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(before)


def is_a_device(room: Any, folder: Path, secrets: Secrets) -> None:
    path = notebook_path(folder)
    try:
        os.mknod(path, 0o20666, os.makedev(1, 5))
    except (PermissionError, AttributeError):
        path.symlink_to("/dev/zero")


def is_a_loop(room: Any, folder: Path, secrets: Secrets) -> None:
    path = notebook_path(folder)
    path.symlink_to(path.name)


def is_hard_linked(room: Any, folder: Path, secrets: Secrets) -> None:
    """On a shared disk, where every student's folder and file are the student's own."""
    victim, mine = bystander(room, secrets), notebook_path(folder)
    os.link(victim, mine)
    if os.getuid() == 0:
        for path, user in ((victim, 4001), (victim.parent, 4001), (mine.parent, 4002)):
            os.chown(path, user, user)


def is_unreadable(room: Any, folder: Path, secrets: Secrets) -> None:
    hand_in(folder, room.solved())
    notebook_path(folder).chmod(0)


def is_a_program(room: Any, folder: Path, secrets: Secrets) -> None:
    hand_in(folder, room.solved())
    notebook_path(folder).chmod(0o777)


def beside(*make: Callable[[Any, Path, Secrets], None]) -> Callable[[Any, Path, Secrets], None]:
    """A right notebook, and something beside it."""

    def write(room: Any, folder: Path, secrets: Secrets) -> None:
        hand_in(folder, room.solved())
        for one in make:
            one(room, folder, secrets)

    return write


def odd_names_beside(room: Any, folder: Path, secrets: Secrets) -> None:
    for name in ("new\nline.txt", "-rf", "~", "*", os.fsdecode(b"caf\xe9.txt"), "a" * 250, ".nfs0001", "CON", " "):
        (folder / name).write_text("x")


def timestamp(text: str) -> Callable[[Any, Path, Secrets], None]:
    return beside(lambda room, folder, secrets: (folder / "timestamp.txt").write_text(text) and None)


submissions = [
    *[named(key) for key in NAMES],
    file("student_is_a_link", "The student's folder is a link to a bystander's.", student_is_a_link),
    file("folder_is_a_link", "The exercise's folder is a link to a bystander's.", folder_is_a_link),
    file("folder_is_a_file", "The exercise's folder is a file.", folder_is_a_file),
    file("folder_is_empty", "The exercise's folder is empty.", folder_is_empty),
    file("folder_within", "The notebook lies one folder deeper.", folder_within),
    file("folder_locked", "The exercise's folder cannot be read.", folder_locked, most=14, status=None),
    file("wrong_name", "The notebook has another name.", wrong_name, most=14),
    file("wrong_case", "The notebook's name is in capitals.", wrong_case, most=14),
    file("two_notebooks", "Other notebooks lie beside the right one.", two_notebooks, most=14, least=14, status=None),
    file("linked_to_a_bystander", "A link to a bystander's notebook.", linked(bystander)),
    file(
        "linked_to_the_source",
        "A link to the author's notebook with the solutions.",
        linked(lambda room, secrets: room.course.source(room.slug).with_suffix(".ipynb")),
    ),
    file(
        "linked_relatively",
        "A link with a relative path.",
        linked(lambda r, s: Path(f"../../honest-one/{r.slug}/{r.slug}.ipynb")),
    ),
    file("linked_to_nothing", "A link to a file that is not there.", linked(lambda room, secrets: Path("/nowhere"))),
    file(
        "linked_to_the_secret",
        "A link to the course's secret.",
        linked(lambda room, secrets: secrets.course / ".secret"),
    ),
    file("linked_to_itself", "A link to itself.", is_a_loop),
    file("hard_linked", "Another name of a bystander's file.", is_hard_linked, most=14, status=None),
    file("notebook_is_a_folder", "The notebook is a folder.", is_a_folder),
    file("notebook_is_a_pipe", "The notebook is a pipe: who reads it waits.", is_a_pipe),
    file("notebook_is_a_socket", "The notebook is a socket.", is_a_socket),
    file("notebook_is_a_device", "The notebook is a device that gives zeros for ever.", is_a_device),
    file("notebook_is_unreadable", "Nobody may read the notebook.", is_unreadable, most=14, status=None),
    file("notebook_is_a_program", "The notebook may be run.", is_a_program, most=14, least=14, status=None),
    file(
        "secret_linked_beside",
        "Links to the secret, the gradebook and a bystander's folder lie beside the notebook.",
        beside(
            lambda room, folder, secrets: (folder / "notes.txt").symlink_to(secrets.course / ".secret"),
            lambda room, folder, secrets: (folder / "data.csv").symlink_to(secrets.course / "gradebook.db"),
            lambda room, folder, secrets: (folder / "data").symlink_to(secrets.course / "submitted"),
            lambda room, folder, secrets: (folder / "planted.txt").symlink_to(secrets.planted),
        ),
        most=14,
        status=None,
    ),
    file(
        "secret_hard_linked_beside",
        "The secret's file has another name, beside the notebook.",
        beside(lambda room, folder, secrets: os.link(secrets.course / ".secret", folder / "notes.txt")),
        most=14,
        status=None,
    ),
    file(
        "pipes_beside",
        "A pipe, a loop of links and an unreadable file lie beside the notebook.",
        beside(
            lambda room, folder, secrets: os.mkfifo(folder / "data.csv"),
            lambda room, folder, secrets: (folder / "loop").symlink_to("."),
            lambda room, folder, secrets: (folder / "locked.txt").touch(mode=0),
        ),
        most=14,
        status=None,
    ),
    file(
        "odd_names_beside",
        "Files with odd names lie beside the notebook.",
        beside(odd_names_beside),
        most=14,
        status=None,
    ),
    file(
        "timestamp_forged",
        "A time of submission from long ago.",
        timestamp("2001-01-01 00:00:00 UTC"),
        most=14,
        least=14,
        status=None,
    ),
    file("timestamp_garbage", "A time of submission that is none.", timestamp("yesterday\x00"), most=14, status=None),
]
