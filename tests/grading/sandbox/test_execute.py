"""A whole notebook: what one cell or task does to itself costs that one, and the others are judged as if alone."""

from __future__ import annotations

import time
from dataclasses import replace

import nbformat
import pytest
from boxes import LIBRARY, REFUSAL, SMALL
from tiny import outer, task

from ntk_teach.grading.classroom.execute import Execution
from ntk_teach.grading.sandbox.limits import Limits
from ntk_teach.grading.task import Exercise

RIGHT = "def {name}(x, depth):\n    return depth * torch.outer(x, x[:3])"
NAMES = ("one", "two", "three")
CHAPTER = Exercise(
    "99",
    "tiny",
    provides=(),
    tasks=tuple(
        replace(task(), id=f"99.{number}", signature=f"{name}(x, depth) -> [n, 3]", reference=outer)
        for number, name in enumerate(NAMES, start=1)
    ),
)


def code(source: str, **nbgrader: object):
    cell = nbformat.v4.new_code_cell(source)
    if nbgrader:
        cell.metadata.nbgrader = nbgrader
    return cell


def notebook(*extra: tuple[int, str], **answers: str):
    """Imports, then an answer and its check for each task; ``extra`` cells before the answer of that number."""
    cells = [code("import torch")]
    for number, name in enumerate(NAMES, start=1):
        cells += [code(source) for place, source in extra if place == number]
        cells.append(code(answers.get(name, RIGHT.format(name=name)), grade_id=f"99-{number}-answer", solution=True))
        cells.append(code("check()", grade_id=f"99-{number}", grade=True, points=3))
    return nbformat.v4.new_notebook(cells=cells)


def executed(sandboxes, made, **limits: float) -> Execution:
    seeds = {one.id: 5 for one in CHAPTER.tasks}
    execution = Execution(CHAPTER, seeds, sandboxes, Limits(**(SMALL | {"cpu": 5.0} | limits)), LIBRARY, REFUSAL)
    execution.run(made)
    return execution


def points(execution: Execution) -> list[float]:
    return [float(verdict["points"]) for verdict in execution.verdicts.values()]


def told(execution: Execution, number: int) -> str:
    return str(execution.verdicts[f"99-{number}"]["text"])


def error(cell) -> str:
    return "".join(f"{part.ename}: {part.evalue}" for part in cell.outputs if part.output_type == "error")


def test_right_answers_earn_everything_in_one_sandbox(warm) -> None:
    """Nothing stopped, nothing is over; numbers of cells and outputs are the notebook's."""
    made = notebook((1, "print('hello')"))
    execution = executed(warm, made)
    assert points(execution) == [3, 3, 3]
    assert (execution.stopped, execution.over, execution.restarts) == ([], False, 1)
    assert made.cells[1].outputs[0].text == "hello\n"
    assert [cell.execution_count for cell in made.cells[:3]] == [1, 2, 3]


@pytest.mark.parametrize("end", ["os._exit(1)", "os.kill(os.getppid(), 9) or time.sleep(60)"])
def test_a_crash_in_a_task_costs_that_task(warm, end) -> None:
    """Of its fork, or of the whole sandbox: then the cells before run again in a fresh one."""
    made = notebook(two=f"import os, time\ndef two(x, depth): {end}")
    execution = executed(warm, made)
    assert points(execution) == [3, 0, 3]
    assert "your function stopped" in told(execution, 2)


def test_a_crash_in_a_cell_costs_that_cell(warm) -> None:
    """It is skipped, with its reason as its output; names made before it are there behind it."""
    made = notebook((1, "kept = 1"), (2, "import os; os._exit(1)"), (3, "print(kept)"))
    execution = executed(warm, made)
    assert points(execution) == [3, 3, 3]
    stopped = next(cell for cell in made.cells if "os._exit" in cell.source)
    assert error(stopped) == "Stopped: it ended its own process, with exit code 1"
    assert next(cell for cell in made.cells if cell.source == "print(kept)").outputs[0].text == "1\n"
    assert execution.restarts == 2


def test_a_cell_that_crashes_only_when_it_is_run_again_is_left_out(warm) -> None:
    """The cells behind it do not wait for it."""
    late = time.time() + 3
    made = notebook(
        (1, f"import os, time\nif time.time() > {late}: os._exit(2)"),
        (2, f"import os, time\ntime.sleep(max(0, {late} - time.time()) + 0.1)\nos._exit(1)"),
    )
    execution = executed(warm, made)
    assert points(execution) == [3, 3, 3]
    assert len(execution.stopped) == 1
    assert execution.restarts == 3


def test_an_answer_that_does_not_run_is_told_with_its_reason(warm) -> None:
    """The check names the line that stopped the cell; the others go on."""
    execution = executed(warm, notebook(two="def two(x, depth):\n    return (x"))
    assert points(execution) == [3, 0, 3]
    assert "NameError: there is no function `two`" in told(execution, 2)
    assert "SyntaxError" in told(execution, 2)


WORLDS = {
    "another default precision": "torch.set_default_dtype(torch.float16)",
    "no gradients": "torch.set_grad_enabled(False)",
    "a function replaced": "torch.outer = lambda *a: 1 / 0",
    "the sender replaced": "import numpy as np; np.save = None",
    "warnings are errors": "import warnings; warnings.simplefilter('error')",
    "a full folder": "open('/tmp/full', 'wb').write(b'x' * 3_000_000)",
    "the streams closed": "import os; os.close(1); os.close(2)",
    "numbers drawn": "torch.manual_seed(1); torch.rand(10)",
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_what_a_function_does_to_its_process_ends_with_its_task(warm, world) -> None:
    """Each task has a fork of its own: the answers behind find the world as the cells have left it."""
    body = f"def one(x, depth):\n    answer = depth * torch.outer(x, x[:3])\n    {world}\n    return answer"
    execution = executed(warm, notebook(one=body))
    assert points(execution)[1:] == [3, 3]


def test_what_a_cell_does_to_its_process_holds_for_the_cells_behind(warm) -> None:
    """As in the student's own notebook, where the same lines were as right or wrong; not for those before."""
    relies = "    assert torch.zeros(1).dtype == torch.float64\n    return depth * torch.outer(x, x[:3])"
    answers = {name: f"def {name}(x, depth):\n{relies}" for name in ("one", "two")}
    execution = executed(warm, notebook((2, "torch.set_default_dtype(torch.float64)"), **answers))
    assert points(execution) == [0, 3, 3]


def test_a_limit_is_noted_so_that_it_can_be_tried_once_more(warm) -> None:
    """A loop in a cell, a loop in a task, a memory that is used up: ``over`` says so."""
    hungry = "if os.fork() == 0:\n        kept = b'x' * 60_000_000\n        time.sleep(60)\nos.wait()"
    for made in (
        notebook((1, "while True: pass")),
        notebook(one="def one(x, depth):\n    while True: pass"),
        notebook((1, f"import os, time\nfor _ in range(8):\n    {hungry}")),
    ):
        execution = executed(warm, made, cpu=0.5, patience=60.0)
        assert execution.over
        assert points(execution)[1:] == [3, 3]


def test_the_whole_submission_ends_in_time(warm) -> None:
    """Also where cells crash again and again, and those before are slow: what was not reached says so."""
    slow = [(2, "import time; time.sleep(2)"), (2, "import os; os._exit(1)"), (3, "import os; os._exit(1)")]
    execution = executed(warm, notebook(*slow), wall=5.0)
    assert execution.over
    assert points(execution)[0] == 3
    assert "the time of the whole submission was used up" in told(execution, 3)


def test_a_notebook_that_always_ends_itself_is_given_up(warm) -> None:
    """After a dozen interpreters; the tasks say why."""
    made = notebook(*[(1, f"import os; os._exit({number})") for number in range(14)])
    execution = executed(warm, made)
    assert execution.restarts <= 13
    assert len(execution.verdicts) == 3
    assert "again and again" in told(execution, 3)
