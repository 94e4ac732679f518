"""How much a submission can use, each limit by itself: what stops it, in which words, and does the notebook go on?"""

import time

import pytest
from boxes import ending, opened, printed, said

from ntk_teach.grading.sandbox.limits import MB

TOO_MUCH = ("memory", "it used more memory than a submission may")
KEPT = f"kept = b'x' * {60 * MB}"


def test_a_loop_is_interrupted_and_the_notebook_goes_on(warm) -> None:
    """An exception in the loop, at its second of processor time; names stay."""
    with opened(warm) as box:
        assert said(box, "kept = 4\nwhile True: pass") == "OutOfTimemore than 1 s of processor time"
        assert printed(box, "print(kept)") == ["4"]


@pytest.mark.parametrize(
    "loop",
    [
        "while True:\n    try: sum(range(1000))\n    except Exception: pass",
        "import itertools\nall(itertools.repeat(1))",
    ],
    ids=["catches the exception", "in C, which never looks up"],
)
def test_a_loop_that_is_not_to_be_interrupted_ends_the_sandbox(warm, loop) -> None:
    """Two more seconds, then the process."""
    with opened(warm, patience=60.0) as box:
        assert ending(box, loop) == ("cpu", "it used more processor time than a cell or task may")


def test_waiting_costs_no_processor_time_but_patience(warm) -> None:
    """On the clock a cell may take longer than it may compute, but not for ever."""
    with opened(warm, cpu=0.5, patience=3.0) as box:
        assert printed(box, "import time; time.sleep(0.8); print('woke')") == ["woke"]
        before = time.monotonic()
        assert ending(box, "import time; time.sleep(600)") == ("clock", "it took too long and did not stop when asked")
        assert time.monotonic() - before < 10


def test_the_whole_submission_has_an_end(warm) -> None:
    """Also where each cell is short."""
    with opened(warm, wall=1.0, patience=20.0) as box:
        assert ending(box, "import time; time.sleep(600)") == ("wall", "the time of the whole submission was used up")


def test_one_process_that_wants_too_much_is_told_so(warm) -> None:
    """As an exception, where it asked."""
    with opened(warm) as box:
        assert said(box, f"b = bytearray({400 * MB})") == "MemoryError"
        private = f"import mmap\nmmap.mmap(-1, {400 * MB}, mmap.MAP_PRIVATE)"
        assert "Cannot allocate memory" in said(box, private)
        assert "memory" in said(box, f"import torch\ntorch.zeros({400 * MB}, dtype=torch.uint8)")
        assert printed(box, "print('on')") == ["on"]


@pytest.mark.parametrize("shared", [False, True])
def test_many_processes_count_together(sandboxes, shared) -> None:
    """Each below its limit, all above: the sandbox ends, within a second or so. Shared memory lies in files."""
    if shared and sandboxes.backend == "bubblewrap":
        pytest.skip("an interpreter of its own for each sandbox: once is enough")
    file = "file = open(f'/dev/shm/{os.getpid()}', 'w+b')"
    block = f"mmap.mmap(file.fileno(), file.truncate({60 * MB}))"
    child = f"{file}\n        kept = {block}\n        kept.write(b'x' * {60 * MB})" if shared else KEPT
    source = f"import mmap, os, time\nfor _ in range(8):\n    if os.fork() == 0:\n        {child}\n"
    with opened(sandboxes, memory=256 * MB, disk=640 * MB, file_size=60 * MB) as box:
        assert ending(box, f"{source}        time.sleep(60)\nos.wait()") == TOO_MUCH


@pytest.mark.parametrize(
    "hidden",
    [
        f"library.prctl(15, b'\\xff\\xfe', 0, 0, 0)\n        {KEPT}\n        time.sleep(60)",
        "threading.Thread(target=hold).start()\n        library.syscall(60, 0)",
    ],
    ids=["a name that is not UTF-8", "its first thread has ended"],
)
def test_no_process_hides_its_memory(warm, hidden) -> None:
    """What the kernel tells of a process is read whatever the process calls itself, and from all of its threads."""
    hold = f"def hold():\n    time.sleep(0.2)\n    {KEPT}\n    time.sleep(60)\n"
    source = f"import ctypes, os, threading, time\nlibrary = ctypes.CDLL(None)\n{hold}"
    with opened(warm, memory=256 * MB) as box:
        children = f"for _ in range(6):\n    if os.fork() == 0:\n        {hidden}\n"
        assert ending(box, f"{source}{children}time.sleep(5)\nprint('all of it is kept')") == TOO_MUCH


def test_files_are_bounded_in_size_and_together(warm) -> None:
    """They are in memory: one has its limit, a folder has one, and the number of them has one."""
    with opened(warm) as box:
        assert "File too large" in said(box, f"with open('one', 'wb') as f: f.write(b'x' * {5 * MB})")
        for folder in (".", "/tmp", "/dev/shm"):
            many = f"for i in range(9):\n    with open(f'{folder}/{{i}}', 'wb') as f: f.write(b'x' * {2 * MB})"
            assert "No space left" in said(box, many), folder
            said(box, f"import glob, os\nfor p in glob.glob('{folder}/*'): os.remove(p)")
        assert "No space left" in said(box, "for i in range(10_000): open(f'/tmp/{i}', 'w').close()")
        assert printed(box, "print('on')") == ["on"]


def test_processes_and_threads_are_counted(warm) -> None:
    """A fork too many is refused where it is asked, a thread as well."""
    with opened(warm) as box:
        forks = """import os, signal, time
made = []
try:
    while len(made) < 100:
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        made.append(pid)
except BlockingIOError:
    print(len(made))
for pid in made:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
"""
        assert 5 < int(printed(box, forks)[0]) <= box.limits.processes
        threads = """import threading
made, stop = [], threading.Event()
try:
    while len(made) < 100:
        made.append(threading.Thread(target=stop.wait))
        made[-1].start()
except RuntimeError as error:
    print(len(made), error)
stop.set()
for one in made[:-1]:
    one.join()
"""
        number, *words = printed(box, threads)[0].split()
        assert 5 < int(number) <= box.limits.processes
        assert " ".join(words) == "can't start new thread"
        assert printed(box, "print('on')") == ["on"]


def test_a_fork_bomb_ends_with_its_time(warm) -> None:
    """Where every child forks as well, the first process is stopped like any loop, and the others with the sandbox."""
    with opened(warm) as box:
        bomb = "import os\nwhile True:\n    try: os.fork()\n    except Exception: pass"
        assert ending(box, bomb)[0] in ("cpu", "clock", "memory", "processes")


def test_open_files_are_counted(warm) -> None:
    """The cell that takes all of them gets an error; the next one works."""
    with opened(warm) as box:
        assert "Too many open files" in said(box, "kept = []\nwhile True: kept.append(open('/dev/null'))")
        assert printed(box, "kept.clear()\nprint('on')") == ["on"]


def test_an_error_after_a_flood_is_still_told(warm) -> None:
    """What a student printed does not hide why the cell stopped."""
    with opened(warm) as box:
        outputs, _ = box.run("for i in range(20_000): print('x' * 100)\nfor i in range(100): display(i)\n1 / 0")
        assert outputs[-1]["ename"] == "ZeroDivisionError"


def test_a_message_that_is_too_large_is_no_answer(warm) -> None:
    """Code that speaks in the place of the interior ends its sandbox, nothing else."""
    with opened(warm) as box:
        forged = "import os, struct\nos.write(3, struct.pack('>II', 1 << 30, 0) + b'{}')"
        if box.backend == "bubblewrap":
            forged = forged.replace("3", "4", 1)
        assert ending(box, forged) == ("flood", "it sent something that is no answer")
