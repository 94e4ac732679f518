"""What is left when a sandbox has ended, whoever ended it: no process and no file."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from boxes import LIBRARY, REFUSAL, eventually, living_in, opened, printed

from ntk_teach.grading.sandbox import sandboxes as registry
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.sandbox.process import Ended
from ntk_teach.grading.sandbox.sandboxes import WARM, Sandboxes

# A child of a child in a session of its own, deaf to polite signals.
DAEMON = """import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(600)
    os._exit(0)
os.wait()
print(os.readlink("/proc/self/ns/pid"))
"""


def test_closing_ends_everything_that_was_started(warm) -> None:
    """Daemons, too."""
    with opened(warm) as box:
        namespace = printed(box, DAEMON)[0]
        assert len(living_in(namespace)) >= 2
    assert eventually(lambda: not living_in(namespace))


def test_an_ended_sandbox_is_empty_as_well(warm) -> None:
    """The interpreter that ends itself takes its daemons along."""
    with opened(warm) as box:
        namespace = printed(box, DAEMON)[0]
        with pytest.raises(Ended):
            box.run("os._exit(1)")
        assert eventually(lambda: not living_in(namespace))
        with pytest.raises(Ended):  # and says so again, at once
            box.run("1")


def killed_grader(backend: str, then: str) -> list[str]:
    """A small grader that prints lines, and is killed after the last of them."""
    program = f"""
        import sys
        from ntk_teach.grading.sandbox.limits import Limits
        from ntk_teach.grading.sandbox.sandboxes import Sandboxes
        sandboxes = Sandboxes({backend!r})
        box = sandboxes.open(Limits())
        print(sandboxes._folder or box.warden.args[7])
    """
    source = textwrap.dedent(program) + textwrap.dedent(then) + "\nprint('.', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as one:
        lines = []
        for line in one.stdout:
            if line == ".\n":
                break
            lines.append(line.strip())
        one.send_signal(signal.SIGKILL)
    return lines


def test_the_death_of_the_grader_is_the_end_of_its_sandboxes(sandboxes) -> None:
    """Killed without a last word: the warm interpreter, the wardens, all that lives in there, and their folders go."""
    if sandboxes.backend in WARM:
        begin = f"box.begin({LIBRARY!r}, {REFUSAL!r})\nprint(box.run({DAEMON!r})[0][0]['text'].strip())"
        folder, namespace = killed_grader(sandboxes.backend, begin)
        assert eventually(lambda: not living_in(namespace))
    else:
        (folder,) = killed_grader(sandboxes.backend, "")
    assert eventually(lambda: not os.path.exists(folder))
    assert eventually(lambda: not mentioned(folder))


def mentioned(folder: str) -> list[str]:
    """Processes with this folder in their command line."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", encoding="utf-8", errors="replace") as file:
                if folder in file.read() and int(name) != os.getpid():
                    found.append(name)
        except OSError:  # ended meanwhile
            continue
    return found


def test_the_graders_jobs_get_sandboxes_that_live(warm, monkeypatch) -> None:
    """Closed ones are not handed out again."""
    dead = Sandboxes("unsandboxed")
    dead.backend = warm.backend  # as after the death of its interpreter
    dead.close()
    monkeypatch.setattr(registry, "_open", {warm.backend: dead})
    made = []
    monkeypatch.setattr(registry, "Sandboxes", lambda backend: made.append(backend) or warm)
    assert registry.sandboxes(warm.backend) is warm
    assert registry.sandboxes(warm.backend) is warm
    assert made == [warm.backend]


def test_more_than_it_can_start_is_an_error_of_the_machine() -> None:
    """Where the interpreter cannot be started, the reason is told and no socket stays open."""
    with Sandboxes("unsandboxed") as one:
        one.backend = "root"
        with pytest.raises(OSError, match="the warm interpreter has ended: closed"):
            one.open(Limits())
