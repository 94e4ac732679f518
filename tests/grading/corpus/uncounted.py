"""Attacks on what is easily not counted: memory that no process seems to have, and the time of the grader itself."""

from __future__ import annotations

import json
from typing import Any

from corpus.submission import Submission, Write, answers, cells, danger, written

__all__ = ["submissions"]

# Each child has less than a submission may have, all eight have more.
CHILDREN = """
import ctypes, signal, threading, time
library = ctypes.CDLL(None, use_errno=True)
def hold():
    time.sleep(0.2)
    kept = bytearray(b"x" * (200 << 20))
    time.sleep(4)
    os._exit(0)
def child():
    CHILD
for _ in range(8):
    if os.fork() == 0:
        signal.alarm(10)
        open("/proc/self/comm", "w").write($mark[:15])
        child()
        os._exit(0)
time.sleep(3)
living = [name for name in os.listdir("/proc") if name.isdigit()]
if len(living) > 8:
    escaped("with-memory")
"""


def own(name: str, about: str, write: Write, **more: Any) -> Submission:
    return Submission(name, "uncounted", about, write, **more)


def holding(child: str) -> Write:
    return cells(danger(CHILDREN.replace("CHILD", child)))


def brackets(room: Any) -> str:
    notebook = json.loads(json.dumps(room.solved()))
    text = {"cell_type": "markdown", "metadata": {}, "source": "[" * 10_000}
    notebook["cells"] += [{**text, "id": f"brackets-{number}"} for number in range(30)]
    notebook["cells"][-1]["source"] = "[](files/" * 10_000
    return json.dumps(notebook)


submissions = [
    own(
        "memory_under_a_name_of_bytes",
        "Many processes whose names are no text, so that reading about them fails.",
        holding(r"library.prctl(15, b'\xff\xfe', 0, 0, 0); hold()"),
        endless=True,
    ),
    own(
        "memory_behind_an_ended_thread",
        "Many processes whose first thread has ended: the kernel no longer says there what the others have.",
        holding("threading.Thread(target=hold).start(); library.syscall(60, 0)"),
        endless=True,
    ),
    own(
        "memory_of_no_process",
        "Shared pages of no file: one of each two hundred megabytes stays mapped, and all of them are kept.",
        cells(
            danger("""
import ctypes
library = ctypes.CDLL(None)
library.mmap.restype = ctypes.c_void_p
kept, size = 0, 200 << 20
while kept < 8:
    at = library.mmap(None, ctypes.c_size_t(size), 3, 0x21, -1, ctypes.c_long(0))
    if at in (None, 2**64 - 1):
        break
    ctypes.memset(at, 120, size)
    library.munmap(ctypes.c_void_p(at + 4096), ctypes.c_size_t(size - 4096))
    kept += 1
print(kept)
if kept == 8:
    escaped("with-pages")
""")
        ),
    ),
    own(
        "memory_of_the_kernel",
        "Sets of thirty thousand semaphores each, which lie in the kernel's own memory.",
        cells(
            danger("""
import ctypes
library = ctypes.CDLL(None, use_errno=True)
made = [library.semget(0, 32_000, 0o600) for _ in range(4)]
if max(made) >= 0:
    escaped("with-semaphores")
""")
        ),
    ),
    own(
        "brackets_in_every_text",
        "Texts of brackets, each seconds of work for a converter, and one with hours of it.",
        written(brackets),
        most=14,
        least=14,
    ),
    own(
        "stops_its_parent",
        "An answer stops the process that waits for it; the tasks behind it keep their points.",
        answers(
            """
import os, signal
def NAME(x, *given):
    os.kill(os.getppid(), signal.SIGSTOP)
    return x @ x.T
""",
            "05.1",
            solved=True,
        ),
        most=11,
        least=11,
        endless=True,
    ),
]
