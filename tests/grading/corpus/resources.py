"""Attacks on time, memory, disk, processes, and on whoever reads the output. All are bounded by themselves, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat

from corpus.submission import Secrets, Submission, Write, answers, cells, code_cell, danger, hand_in, insert, written

__all__ = ["submissions"]


def own(name: str, about: str, write: Write, **more: Any) -> Submission:
    return Submission(name, "resources", about, write, **more)


def many_cells(room: Any) -> Any:
    """A hundred thousand of them; each is valid."""
    notebook = room.solved()
    small = json.dumps(nbformat.v4.new_code_cell("pass", id="filler"))
    made = [small.replace("filler", f"c{number}") for number in range(100_000)]
    text = json.dumps(notebook)
    at = text.index('"cells": [') + len('"cells": [')
    return text[:at] + ",".join(made) + "," + text[at:]


def nested(depth: int) -> Any:
    def make(room: Any) -> str:
        text = json.dumps({**room.solved(), "metadata": {"deep": "HERE"}})
        return text.replace('"HERE"', "[" * depth + "]" * depth)

    return make


def nested_cell(depth: int) -> Any:
    def make(room: Any) -> str:
        notebook = room.solved()
        notebook.cells[3].metadata["deep"] = "HERE"
        return json.dumps(notebook).replace('"HERE"', '{"a":' * depth + "1" + "}" * depth)

    return make


def long_source(room: Any) -> Any:
    notebook = room.answered({"05.4": "number = " + "+".join(["1"] * 1_500_000)}, room.solved())
    return insert(notebook, code_cell("# " + "x" * 5_000_000))


def attachments(room: Any) -> Any:
    cell = nbformat.v4.new_markdown_cell("![](attachment:a.png)")
    cell.attachments = {f"{number}.png": {"image/png": "A" * 1_000_000} for number in range(14)}
    return insert(room.solved(), cell)


def stored_outputs(room: Any) -> Any:
    notebook = room.solved()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="x" * 500_000 + "\n")]
    return notebook


def blown_up(room: Any, folder: Path, secrets: Secrets) -> None:
    """Written as a hole: it takes no disk, but who reads it reads a thousand million bytes."""
    hand_in(folder, room.solved())
    with (folder / f"{folder.name}.ipynb").open("r+b") as file:
        file.truncate(1_000_000_000)


def large_extras(room: Any, folder: Path, secrets: Secrets) -> None:
    hand_in(folder, room.solved())
    with (folder / "data.bin").open("wb") as file:
        file.truncate(1_000_000_000)


def many_extras(room: Any, folder: Path, secrets: Secrets) -> None:
    hand_in(folder, room.solved())
    for number in range(3000):
        (folder / f"extra{number}.txt").write_text("x")


def deep_folders(room: Any, folder: Path, secrets: Secrets) -> None:
    hand_in(folder, room.solved())
    inner = folder
    for _ in range(150):
        inner = inner / "deeper"
        inner.mkdir()


def text_of(text: str) -> Any:
    """A text cell, and the answer that a person reads."""

    def make(room: Any) -> Any:
        notebook = insert(room.solved(), nbformat.v4.new_markdown_cell(text))
        for cell in notebook.cells:
            if cell.id == "05-6":
                cell.source = text
        return notebook

    return make


def small_objects(room: Any) -> str:
    """Half a million empty dictionaries take two bytes each in the file, and hundreds in memory."""
    text = json.dumps({**room.solved(), "metadata": {"many": "HERE"}})
    return text.replace('"HERE"', "[" + ",".join(["{}"] * 500_000) + "]")


submissions = [
    own(
        "lines_without_words",
        "A text of thirty thousand empty lines.",
        written(text_of("x" + "\n" * 30_000 + "y")),
        most=14,
    ),
    own(
        "pictures_never_closed",
        "A text of ten thousand openings of a picture.",
        written(text_of("![" * 10_000)),
        most=14,
    ),
    own(
        "links_never_closed",
        "A text of brackets and spaces.",
        written(text_of(("](" + " " * 200) * 100 + "[" * 20_000)),
        most=14,
    ),
    own(
        "emphasis_never_closed",
        "A text of marks that begin something.",
        written(text_of("*_`~" * 3_000 + "<" * 3_000)),
        most=14,
    ),
    own(
        "table_without_end",
        "A text that is a table of a thousand columns.",
        written(text_of("|a" * 1_000 + "\n" + "|-" * 1_000)),
        most=14,
    ),
    own(
        "quotations_in_quotations",
        "A text of quotations and lists in one another.",
        written(text_of("> - " * 400 + "x")),
        most=14,
    ),
    own("many_small_objects", "Metadata of half a million empty dictionaries.", written(small_objects), most=14),
    own(
        "loop",
        "An answer that never ends.",
        answers("def NAME(*given):\n    while True:\n        pass", "05.2"),
        endless=True,
    ),
    own(
        "loop_that_swallows_everything",
        "A loop that catches every exception and ignores or handles every signal.",
        answers(
            """
import signal
def NAME(*given):
    for number in range(1, 65):
        try:
            signal.signal(number, lambda *given: None)
        except (OSError, ValueError):
            pass
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue
""",
            "05.1",
        ),
        endless=True,
    ),
    own(
        "sleeps",
        "An answer that uses no processor time and never returns.",
        answers("import time\ndef NAME(*given):\n    while True:\n        time.sleep(3600)", "05.4"),
        endless=True,
    ),
    own(
        "backtracks",
        "A regular expression that takes years, in C, where no signal of Python is looked at.",
        answers("import re\ndef NAME(*given):\n    return re.match('(a+)+b', 'a' * 60)", "05.5"),
        endless=True,
    ),
    own(
        "extra_cell_loops",
        "An extra cell that never ends, between answers that are right.",
        cells("while True:\n    pass", solved=True, after="05-3"),
        endless=True,
        most=14,
        least=0,
    ),
    own(
        "stops_itself",
        "A process that stops itself: it is neither dead nor alive.",
        cells(danger("import signal\nos.kill(os.getpid(), signal.SIGSTOP)")),
        endless=True,
    ),
    own(
        "integers_without_end",
        "A power with a hundred million digits, written out.",
        answers(
            "import sys\ndef NAME(*given):\n    sys.set_int_max_str_digits(0)\n    return str(7**100_000_000)", "05.1"
        ),
        endless=True,
    ),
    own(
        "memory_by_allocation",
        "Allocates until it gets no more, and keeps it.",
        answers(
            danger("""
def NAME(*given):
    kept = []
    for _ in range(96):
        kept.append(bytearray(b"x" * (64 << 20)))
    return len(kept)
"""),
            "05.1",
        ),
    ),
    own(
        "memory_by_files",
        "Fills every folder that is kept in memory.",
        cells(
            danger("""
import tempfile
block = b"x" * (16 << 20)
for folder in (tempfile.gettempdir(), "/tmp", "/dev/shm", "/var/tmp", "/run", os.getcwd(), os.path.expanduser("~")):
    try:
        with open(os.path.join(folder, $mark + "-filler"), "wb") as file:
            for _ in range(64):
                file.write(block)
                file.flush()
        print("filled", folder)
    except OSError as error:
        print(folder, error)
""")
        ),
    ),
    own(
        "memory_by_processes",
        "Many processes, each below the limit of one.",
        cells(
            danger("""
import signal, time
children = []
for _ in range(24):
    try:
        child = os.fork()
    except OSError as error:
        print(error)
        break
    if child == 0:
        signal.alarm(6)
        open("/proc/self/comm", "w").write($mark[:15])
        kept = bytearray(b"x" * (300 << 20))
        time.sleep(2)
        os._exit(0)
    children.append(child)
for child in children:
    try:
        print(os.waitpid(child, 0))
    except OSError as error:
        print(error)
""")
        ),
    ),
    own(
        "fork_bomb",
        "Forks, and its children fork, a thousand times in all.",
        cells(
            danger("""
import signal, time
open("/proc/self/comm", "w").write($mark[:15])
def bomb(depth):
    signal.alarm(8)
    for _ in range(10):
        try:
            child = os.fork()
        except OSError:
            break
        if child == 0:
            if depth:
                bomb(depth - 1)
            time.sleep(3)
            os._exit(0)
bomb(2)
signal.alarm(0)
""")
        ),
    ),
    own(
        "answers_many_times",
        "One answer forks, and all of its processes come back from it; the tasks behind it keep their points.",
        answers(
            "import os\n\ndef NAME(*given):\n    for _ in range(3):\n        os.fork()\n    return 7.0",
            "05.2",
            solved=True,
        ),
        least=11,
        most=11,
    ),
    own(
        "thread_bomb",
        "Starts four thousand threads.",
        cells(
            danger("""
import threading, time
for number in range(4000):
    try:
        threading.Thread(target=time.sleep, args=(3,), daemon=True).start()
    except RuntimeError as error:
        print(number, error)
        break
""")
        ),
    ),
    own(
        "disk_filler",
        "Writes one large file, and many small ones, where it stands.",
        cells(
            danger("""
try:
    with open($mark + "-disk", "wb") as file:
        for _ in range(200):
            file.write(b"x" * (16 << 20))
            file.flush()
except OSError as error:
    print(error)
try:
    for number in range(20_000):
        os.close(os.open(f"{$mark}-{number}", os.O_CREAT | os.O_WRONLY))
except OSError as error:
    print(number, error)
""")
        ),
    ),
    own(
        "descriptors_used_up",
        "Opens files and pipes until there are no descriptors left.",
        cells(
            danger("""
kept = []
try:
    for _ in range(5_000):
        kept.append(os.pipe())
except OSError as error:
    print(len(kept), error)
""")
        ),
    ),
    own(
        "prints_one_long_line",
        "Prints a hundred million characters without a line break.",
        cells("print('x' * 100_000_000)"),
        page=True,
    ),
    own(
        "prints_many_lines",
        "Prints a million lines, one by one.",
        cells(
            "import sys\nfor number in range(1_000_000):\n    print(number)\n    number % 1000 or sys.stdout.flush()"
        ),
        page=True,
    ),
    own(
        "prints_within_answers",
        "Prints ten million characters at every call, on both streams, and writes to descriptors 1 and 2 directly.",
        answers(
            """
import os, sys
def NAME(*given):
    print("x" * 10_000_000)
    sys.stderr.write("y" * 10_000_000)
    for number in (1, 2):
        try:
            os.set_blocking(number, False)
            for _ in range(100):
                os.write(number, b"z" * 100_000)
        except OSError:
            pass
    return 0.0
"""
        ),
    ),
    own(
        "displays_without_end",
        "Displays twenty thousand outputs, and one of fifty million characters of HTML.",
        cells("""
for number in range(20_000):
    display({"text/plain": str(number)}, raw=True)
display({"text/html": "<p>" + "x" * 50_000_000, "text/plain": "x"}, raw=True)
"""),
    ),
    own(
        "displays_deep_data",
        "Displays data nested as deeply as the kernel can send.",
        cells("""
for depth in (100, 400, 900, 5000, 100_000):
    deep = 0
    for _ in range(depth):
        deep = [deep]
    try:
        display({"application/json": deep, "text/plain": "deep"}, raw=True)
        display({"application/vnd.ntk-teach.verdict+json": deep, "text/plain": "deep"}, raw=True)
    except (RecursionError, ValueError) as error:
        print(type(error))
"""),
    ),
    own(
        "clears_and_updates_without_end",
        "Clears and updates its output fifty thousand times.",
        cells("""
from IPython.display import clear_output, display
handle = display({"text/plain": "0"}, raw=True, display_id="same")
for number in range(20_000):
    display({"text/plain": str(number)}, raw=True, display_id="same", update=True)
    clear_output(wait=True)
"""),
    ),
    own(
        "huge_errors",
        "Raises errors of fifty million characters, in a cell and in every answer.",
        answers("def NAME(*given):\n    raise ValueError('x' * 50_000_000)\nraise ValueError('y' * 50_000_000)"),
    ),
    own(
        "huge_errors_within_answers",
        "Raises errors with ten million characters and ten thousand lines when it is called.",
        answers("def NAME(*given):\n    raise type('E' * 100_000, (Exception,), {})('x\\n' * 5_000_000)"),
    ),
    own(
        "huge_tracebacks",
        "Raises from the depth of a recursion through functions with long names, with a chain of causes.",
        answers(
            """
def NAME(*given):
    scope = {}
    name = "deep" * 2000
    exec(f"def {name}(n):\\n    try:\\n        return {name}(n - 1) if n else 1 / 0\\n"
         f"    except ZeroDivisionError as error:\\n        raise ZeroDivisionError('x') from error", scope)
    return scope[name](150)
"""
        ),
    ),
    own(
        "recursion",
        "Recurses without end, with Python's own limit taken away.",
        answers(
            """
import sys
def NAME(*given):
    sys.setrecursionlimit(10**9)
    class Deep:
        def __getattr__(self, name):
            return getattr(self, name + "x")
        def __eq__(self, other):
            return self == other
        def __repr__(self):
            return repr(self)
    return repr(Deep())
""",
            "05.3",
        ),
    ),
    own(
        "crash_in_c",
        "Reads from address 0 in one answer; the others are right and keep their points.",
        answers("import ctypes\ndef NAME(*given):\n    return ctypes.string_at(0)", "05.3", solved=True),
        most=11,
        least=11,
    ),
    own(
        "exit_in_an_answer",
        "One answer ends its process without a word; the others are right and keep their points.",
        answers("import os\ndef NAME(*given):\n    os._exit(0)", "05.2", solved=True),
        most=11,
        least=11,
    ),
    own(
        "kills_itself_in_an_answer",
        "One answer kills its own process; the others are right and keep their points.",
        answers("import os\ndef NAME(*given):\n    os.kill(os.getpid(), 9)", "05.4", solved=True),
        most=12,
        least=12,
    ),
    own(
        "kills_its_group",
        "Kills its process group and its session's other members.",
        answers(danger("def NAME(*given):\n    import signal\n    os.killpg(0, signal.SIGKILL)"), "05.1"),
    ),
    own(
        "exits_between_cells",
        "A cell ends the process, by every way to leave.",
        cells(
            "import os, sys\ntry:\n    sys.exit(0)\nexcept SystemExit:\n    pass\nget_ipython().ask_exit()\nos._exit(0)"
        ),
    ),
    own(
        "becomes_a_shell",
        "Replaces the process by a shell.",
        cells("import os\nos.execv('/bin/sh', ['/bin/sh', '-c', 'echo passed; exec sleep 1'])"),
    ),
    own(
        "closes_everything",
        "Closes all descriptors, and opens others in their place.",
        cells("import os\nos.closerange(0, 256)\nfor _ in range(64):\n    os.open('/dev/null', os.O_RDWR)"),
    ),
    own(
        "closes_everything_within_an_answer",
        "The same from inside an answer.",
        answers("import os\ndef NAME(*given):\n    os.closerange(0, 256)\n    return 0.0", "05.1", "05.3"),
    ),
    own(
        "removes_its_folder",
        "Removes what it can remove, its working folder first.",
        cells(
            danger("""
import shutil, tempfile
for folder in (os.getcwd(), tempfile.gettempdir()):
    shutil.rmtree(folder, ignore_errors=True)
os.chdir("/")
""")
        ),
    ),
    own(
        "limits_changed",
        "Sets its limits: those it may have lifted, the others to nothing.",
        cells("""
import resource
for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_MEMLOCK"):
    try:
        resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (ValueError, OSError) as error:
        print(name, error)
for name in ("RLIMIT_NOFILE", "RLIMIT_STACK", "RLIMIT_FSIZE"):
    try:
        resource.setrlimit(getattr(resource, name), (0, resource.getrlimit(getattr(resource, name))[1]))
    except (ValueError, OSError) as error:
        print(name, error)
"""),
    ),
    own(
        "asks_for_input",
        "Waits for somebody to type.",
        cells("input('your name: ')", "import sys\nsys.stdin.read()", "import getpass\ngetpass.getpass()"),
    ),
    own(
        "long_source",
        "An answer of three million characters that the compiler must take apart, and a comment of five million.",
        written(long_source),
        most=14,
    ),
    own("hundred_thousand_cells", "A notebook of a hundred thousand cells.", written(many_cells), most=14),
    own(
        "metadata_a_million_deep",
        "Metadata nested a million deep: a reader without a limit ends with it.",
        written(nested(1_000_000)),
        most=0,
        status="needs review",
    ),
    own(
        "metadata_nine_hundred_deep",
        "Metadata nested just as deep as can be read, but not copied.",
        written(nested(900)),
        most=14,
    ),
    own(
        "cell_metadata_four_hundred_deep",
        "The same in a cell, with dictionaries.",
        written(nested_cell(400)),
        most=14,
    ),
    own("large_attachments", "Fourteen pictures of a million characters.", written(attachments), most=14),
    own("large_stored_outputs", "Many millions of characters of outputs from home.", written(stored_outputs), most=14),
    own("blown_up", "A notebook followed by a thousand million zeros.", blown_up, most=0, status="needs review"),
    own("large_extra_file", "A data file of a thousand million bytes beside the notebook.", large_extras, most=14),
    own("many_extra_files", "Three thousand files beside the notebook.", many_extras, most=14),
    own("deep_folders", "A hundred and fifty folders in one another beside the notebook.", deep_folders, most=14),
]
