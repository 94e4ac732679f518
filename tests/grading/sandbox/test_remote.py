"""A function in a sandbox is judged as if it stood here: the same points, the same words."""

from __future__ import annotations

import linecache

import numpy as np
import pytest
from boxes import eventually, living_in, opened, printed, said
from tiny import adds_depth, depth_is_one, fails_on_one, ignores_depth, task

from ntk_teach.grading.classroom.remote import Missing, Remote
from ntk_teach.grading.judge import judge, judge_function

TASK = task(ignores_depth, depth_is_one, adds_depth, fails_on_one)
ANSWERS = {
    "right": "return depth * torch.outer(x, x[:3])",
    "right, with numpy": "return depth * np.outer(x, x[:3])",
    "right, as a list": "return (depth * torch.outer(x, x[:3])).tolist()",
    "right, in single precision": "return (depth * torch.outer(x, x[:3])).float()",
    "right, with a gradient": "return depth * torch.outer(x, x[:3].requires_grad_())",
    "right, with an axis too many": "return depth * torch.outer(x, x[:3])[..., None]",
    "right, with noise": "print(x); import sys; sys.stderr.write('!'); return depth * torch.outer(x, x[:3])",
    "right, by columns": "return np.asfortranarray(depth * np.outer(x, x[:3]))",
    "a known mistake": "return torch.outer(x, x[:3])",
    "an unknown mistake": "return depth * torch.outer(x, x[:3]) ** 2",
    "another shape": "return torch.outer(x, x)",
    "not finite": "return torch.outer(x, x[:3]) * float('nan')",
    "nothing": "depth * torch.outer(x, x[:3])",
    "not written yet": "raise NotImplementedError()",
    "an error": "return torch.outer(x, x[:3]) / (depth - depth.missing)",
    "an error of a library": "return torch.outer(x, torch.outer(x, x))",
    "an end": "raise SystemExit('enough')",
    "in place": "x *= 2; return depth * torch.outer(x, x[:3])",
    "a text": "return 'outer'",
    "ragged": "return [[1.0], [1.0, 2.0]]",
    "complex": "return torch.outer(x, x[:3]) + 0j",
    "objects": "return np.array([{}, None])",
}


def defined(body: str) -> str:
    return f"import numpy as np\nimport torch\n\ndef outer(x, depth):\n    {body}"


def here(source: str):
    """The function of a source, with its lines known to whoever tells of an error."""
    name = "<a cell>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    names: dict = {}
    exec(compile(source, name, "exec"), names)
    return names["outer"]


@pytest.mark.parametrize("body", ANSWERS.values(), ids=ANSWERS)
def test_a_verdict_does_not_depend_on_where_the_function_lives(box, body, capsys) -> None:
    """Text for text, on the same inputs; the notebook goes on behind."""
    source = defined(body)
    assert said(box, source) == ""
    box.task("outer")
    remote = Remote(box, 60.0)
    there = judge(TASK, remote, 3)
    assert remote.waits
    box.done()
    assert str(there) == str(judge_function(TASK, here(source), 3))
    assert said(box, "outer.__name__") == "{'text/plain': \"'outer'\"}"


def test_a_name_that_is_no_function_is_missing(box) -> None:
    """Whether there is nothing of that name, or something else."""
    for source, words in (("", "there is no function `absent`"), ("absent = 3", "it is a int: `absent`")):
        box.run(source)
        box.task("absent")
        with pytest.raises(Missing, match=words):
            judge(TASK, Remote(box, 60.0), 0)
        box.done()


ENDS = {
    "import os; os._exit(3)": "your function stopped its process: it ended its own process, with exit code 3",
    "import os; os.kill(os.getpid(), 9)": "your function stopped its process: it was killed",
    "import ctypes; ctypes.string_at(0)": "your function stopped its process: it crashed (segmentation fault)",
    "import os, time; os.kill(os.getppid(), 9); time.sleep(9)": "stopped the whole notebook: it was killed",
}


@pytest.mark.parametrize("body, words", ENDS.items())
def test_an_end_costs_the_task_and_tells_why(warm, body, words) -> None:
    """The fork that died is one task's; the notebook's own interpreter lives, unless that one was meant."""
    with opened(warm) as box:
        box.run(defined(body))
        box.task("outer")
        remote = Remote(box, 60.0)
        verdict = judge(TASK, remote, 0)
        assert verdict.points == 0
        assert words in str(verdict)
        assert not remote.over
        if not remote.lost:
            assert said(box, "1") == "{'text/plain': '1'}"


def test_an_end_between_two_calls_is_an_end(warm) -> None:
    """A fork that dies after its answer is told at the next question, and nothing is out of step behind."""
    late = "threading.Timer(0.05, os._exit, [4]).start() or torch.outer(x, x[:3]) * depth"
    arguments = TASK.cases[0].draw(np.random.default_rng(0))
    with opened(warm) as box:
        box.run("import os, threading\n" + defined(f"return {late}"))
        namespace = printed(box, "print(os.readlink('/proc/self/ns/pid'))")[0]
        box.task("outer")
        remote = Remote(box, 60.0)
        assert remote(arguments).kind == "value"
        assert eventually(lambda: len(living_in(namespace)) == 1)  # the notebook's
        assert "with exit code 4" in remote(arguments).problem
        assert not remote.waits
        for number in range(3):
            assert said(box, f"{number}") == f"{{'text/plain': '{number}'}}"
        box.task("outer")
        box.done()
        assert said(box, "7") == "{'text/plain': '7'}"


def test_time_counts_by_the_processor(warm) -> None:
    """All calls of a task share its seconds; sleeping is free, within patience."""
    with opened(warm, cpu=0.5, patience=30.0) as box:
        box.run(defined("import time; time.sleep(0.3); return depth * torch.outer(x, x[:3])"))
        box.task("outer")
        assert judge(TASK, Remote(box, 15.0), 0).points == TASK.points
        box.done()
        box.run(defined("while depth: pass"))
        box.task("outer")
        remote = Remote(box, 15.0)
        assert "more than 0.5 s of processor time" in str(judge(TASK, remote, 0))
        assert remote.over
        box.done()


def test_children_are_not_kept_does_not_matter(warm) -> None:
    """A notebook that asks the system to forget its children is judged as any other."""
    with opened(warm) as box:
        box.run("import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n" + defined(ANSWERS["right"]))
        box.task("outer")
        assert judge(TASK, Remote(box, 60.0), 0).points == TASK.points
        box.done()
        assert said(box, "1") == "{'text/plain': '1'}"


FORKS = {
    "once": "os.fork()",
    "three times": "[os.fork() for _ in range(3)]",
    "until no more can be started": "[os.fork() for _ in iter(int, 1)]",
}


@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS)
def test_of_processes_that_come_back_one_answers(warm, fork) -> None:
    """A cell or a function that forks comes to its end several times; each question has one answer, in its turn."""
    with opened(warm) as box:
        box.run(f"import os\n{fork}")
        for number in range(3):
            assert said(box, f"{number}") == f"{{'text/plain': '{number}'}}"
        box.run(f"forking = True\n{defined(f'return forking and {fork} and 0 or depth * torch.outer(x, x[:3])')}")
        for right in (False, True):
            box.task("outer")
            verdict = judge(TASK, Remote(box, 60.0), 0)
            assert verdict.points == TASK.points or not right
            box.done()
            box.run("forking = False")


def test_a_place_that_is_free_in_a_moment_is_waited_for(warm) -> None:
    """Processes that a cell has left take all places, and end; the task behind it is judged then."""
    child = "if os.fork() == 0:\n            time.sleep(1)\n            os._exit(0)"
    with opened(warm) as box:
        box.run(defined(ANSWERS["right"]))
        box.run(f"import os, time\nwhile True:\n    try:\n        {child}\n    except BlockingIOError:\n        break")
        box.task("outer")
        assert judge(TASK, Remote(box, 60.0), 0).points == TASK.points
        box.done()
