"""The one interpreter that all sandboxes of a grader are forked from. The last file: its test ends all others'."""

import os
import signal
import subprocess
import sys

import pytest
from boxes import eventually, opened, printed

from ntk_teach.grading.sandbox.process import Ended

MEET = """
import os, sys, threading
import torch
from ntk_teach.grading.sandbox import interior

def meet():
    gate = threading.Barrier(8)
    def work():
        x = torch.ones(2, requires_grad=True)
        gate.wait()
        (x * x).sum().backward()
        met.append(x.grad)
    met = []
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    os._exit(len(met) != 8)

interior.warm()
interior._one_thread()
sys.setswitchinterval(1e-6)
ended = []
for _ in range(300):
    child = os.fork()
    if child == 0: meet()
    ended.append(os.waitpid(child, 0)[1])
print({status: ended.count(status) for status in set(ended)})
"""


def test_threads_of_a_fork_may_begin_to_differentiate_at_once() -> None:
    """torch makes its engine and its pool anew in each fork, without a lock: a fork has them before it has threads."""
    done = subprocess.run([sys.executable, "-c", MEET], capture_output=True, text=True, check=True)
    assert done.stdout == "{0: 300}\n", done.stderr[-2000:]


def test_a_warm_interpreter_that_died_is_replaced(warm) -> None:
    """Its sandboxes are gone, which is nobody's fault; the next one comes from a new interpreter."""
    with opened(warm) as box:
        first = warm._zygote.pid
        os.kill(first, signal.SIGKILL)
        with pytest.raises(Ended) as end:
            box.run("import time; time.sleep(60)")
        assert (end.value.why, str(end.value)) == ("gone", "its sandbox was ended from outside")
    assert eventually(lambda: not warm.alive())
    with opened(warm) as box:
        assert printed(box, "print('here')") == ["here"]
    assert warm.alive()
    assert warm._zygote.pid != first
