"""The one name that students call."""

import json
import subprocess
import sys

import pytest

from ntk_teach import zoo
from ntk_teach.grading import check
from ntk_teach.grading.verdict import MIME, Verdict


def right(x, depth, sigma_b):
    return zoo.mlp(depth, sigma_b=sigma_b).ntk(x)


def test_the_text_says_a_word_and_the_points() -> None:
    """A verdict is a word, never only a color."""
    assert "passed, 3 of 3 points" in str(check("05.1", right))
    text = str(check("05.1", lambda x, depth, sigma_b: 2 * right(x, depth, sigma_b)))
    assert "failed, 0 of 3 points" in text
    assert "2 times the expected" in text


def test_the_bundle_carries_the_same_facts_as_the_text() -> None:
    """What the grader reads is what the student sees, through JSON and back."""
    verdict = check("05.1", lambda x, depth, sigma_b: x @ x.T)
    bundle = json.loads(json.dumps(verdict._repr_mimebundle_()))
    assert bundle["text/plain"] == str(verdict)
    assert Verdict.read(bundle[MIME]) == verdict


@pytest.mark.parametrize("data", [{}, {"properties": 3}, {"properties": [{"name": "a"}], "task": "", "title": ""}])
def test_data_that_is_no_verdict_is_refused(data: dict) -> None:
    """A cell can show anything under our type."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        Verdict.read(data)


@pytest.mark.boundary
@pytest.mark.parametrize("wrong", ["05.99", "77.1", "", "05"])
def test_an_unknown_task_lists_the_known_ones(wrong: str) -> None:
    """Expected, received, what to do."""
    with pytest.raises(ValueError, match=r"expected one of 01\.1, .*05\.1, .*received"):
        check(wrong, right)


@pytest.mark.boundary
def test_a_result_in_place_of_the_function_is_told_so() -> None:
    """The parenthesis too many."""
    verdict = check("05.1", 3.0)
    assert verdict.points == 0
    assert "without calling it" in verdict.messages[0]


def test_a_written_question_has_no_check() -> None:
    """A person reads it."""
    with pytest.raises(ValueError, match="read by a person"):
        check("05.6", right)


def test_check_needs_the_core_alone() -> None:
    """Importing and running it loads neither the notebook tools nor a plotting library."""
    code = (
        "import sys\n"
        "class No:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'nbgrader', 'nbformat', 'jupytext', 'matplotlib', 'IPython'}:\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, No())\n"
        "import ntk_teach.grading.check\n"
        "from ntk_teach.grading import check\n"
        "from ntk_teach.grading.tasks import exercise\n"
        "print(check('05.4', exercise('05').tasks[3].reference).points)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("2.0\n", "")
