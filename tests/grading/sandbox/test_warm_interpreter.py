"""The one interpreter that all sandboxes of a grader are forked from. The last file: its test ends all others'."""

import os
import signal

import pytest
from boxes import eventually, opened, printed

from ntk_teach.grading.sandbox.process import Ended


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
