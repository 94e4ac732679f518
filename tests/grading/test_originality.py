"""Flags for a person: copies are found behind other names and in another order, honest work is left alone."""

import ast
import inspect
import keyword
import random
import re
import textwrap
import time

import pytest
from booked import EXERCISES, SLUG

from ntk_teach.grading.classroom.lexer import erased, words
from ntk_teach.grading.classroom.library_use import foreign
from ntk_teach.grading.classroom.originality import AUTHOR, scan
from ntk_teach.grading.classroom.source import read_source
from ntk_teach.grading.tasks import exercise

EXERCISE = exercise("05")
PROVIDES = EXERCISE.provides
SKELETON = '''def network_ntk(weights, biases, x1, x2, sigma_b):
    """NTK of the network with these parameters. x1 [n, d], x2 [m, d] -> [n, m]."""
'''
LONG = """
    def traced(x):
        post, pre = [x], []
        for weight, bias in zip(weights, biases, strict=True):
            pre.append(post[-1] @ weight.T / weight.shape[1] ** 0.5 + sigma_b * bias)
            post.append(pre[-1].clamp(min=0))
        delta = [torch.ones_like(pre[-1])]
        for layer in range(len(weights) - 1, 0, -1):
            back = delta[0] @ weights[layer] / weights[layer].shape[1] ** 0.5
            delta.insert(0, back * (pre[layer - 1] > 0))
        return post[:-1], delta

    (post1, delta1), (post2, delta2) = traced(x1), traced(x2)
    layers = zip(post1, post2, delta1, delta2, strict=True)
    return sum((a @ b.T / a.shape[1] + sigma_b**2) * (d @ e.T) for a, b, d, e in layers)
"""
COPY = """
    # my own work
    def go(inputs):
        after, before = [inputs], []
        for matrix, offset in zip(weights, biases, strict=True):
            before.append(after[-1] @ matrix.T / matrix.shape[1] ** 0.50 + sigma_b * offset)
            after.append(before[-1].clamp(min=0.0))
        signal = [torch.ones_like(before[-1])]
        for number in range(len(weights) - 1, 0, -1):
            down = signal[0] @ weights[number] / weights[number].shape[1] ** 0.50
            signal.insert(0, down * (before[number - 1] > 0))
        return after[:-1], signal

    (s, t), (q, r) = go(x2), go(x1)
    every = zip(q, s, r, t, strict=True)
    return sum((u @ v.T / u.shape[1] + sigma_b**2) * (f @ g.T) for u, v, f, g in every)
"""
SHORT_SKELETON = "def limiting_ntk(x, depth, sigma_b):\n"
SHORT = """    sigma = x @ x.T / x.shape[1] + sigma_b**2
    theta = sigma
    for _ in range(depth - 1):
        variance = sigma.diagonal()
        value, slope = ntk.relu.dual(sigma, variance[:, None], variance[None, :])
        sigma = value + sigma_b**2
        theta = theta * slope + sigma
    return theta
"""
REFERENCES = {
    "05.1": f"{SHORT_SKELETON}    ### BEGIN SOLUTION\n{SHORT}    ### END SOLUTION\n",
    "05.2": f"{SKELETON}    ### BEGIN SOLUTION\n{LONG}    ### END SOLUTION\n",
}


def flags(answers, references=REFERENCES):
    found = scan({student: {"05.2": text} for student, text in answers.items()}, references, PROVIDES)
    return {(flag.student, flag.kind, flag.other) for flag in found}


def reordered(source: str) -> str:
    """Independent lines change places, the helper comes from its own cell, a dead line is added."""
    moved = source.replace("        post, pre = [x], []\n", "        pre, post = [], [x]\n        unused = 0\n")
    start, end = moved.index("    def traced"), moved.index("    (post1")
    return textwrap.dedent(moved[start:end]) + "\n\n" + SKELETON + moved[end:]


def as_written(function) -> str:
    """The source of a task's right answer, which may be wrapped for one of the conventions."""
    while "function" in (inside := inspect.getclosurevars(function).nonlocals):
        function = inside["function"]
    return inspect.getsource(function)


def test_honest_answers_are_not_flagged() -> None:
    """The right answers of the tasks, written to look different: by each other, or by the author's solution."""
    source = EXERCISES / "source" / SLUG / f"{SLUG}.py"
    solved = {cell.id: cell.source for cell in read_source(source, EXERCISE).cells if cell.id.endswith("-answer")}
    answers: dict[str, dict[str, str]] = {}
    for task in EXERCISE.tasks:
        for function in task.alternatives:
            answers.setdefault(function.__name__, {})[task.id] = as_written(function)
    assert len({text for given in answers.values() for text in given.values()}) > 15
    references = {name.removesuffix("-answer").replace("-", "."): text for name, text in solved.items()}
    assert set(references) == {task.id for task in EXERCISE.tasks}
    assert scan(answers, references, PROVIDES) == []
    assert len(scan({"copy": references}, references, PROVIDES)) == len(references)


@pytest.mark.parametrize("copy", [SKELETON + COPY, reordered(LONG), (SKELETON + LONG).replace("    ", "\t")])
def test_a_copy_of_the_authors_solution(copy) -> None:
    """Renamed, commented, other numbers, lines in another order, another indentation."""
    ast.parse(copy)
    assert flags({"ada": copy}) == {("ada", "reference", AUTHOR)}


def test_classmates_are_named_to_each_other() -> None:
    """Each of the two has a flag; a third one's honest answer has none."""
    honest = as_written(EXERCISE.find("05.2").alternatives[1])
    found = flags({"ada": SKELETON + LONG, "bob": SKELETON + COPY, "eve": honest}, {"05.2": SKELETON})
    assert found == {("ada", "classmate", "bob"), ("bob", "classmate", "ada")}


def test_a_short_answer_has_no_shape_of_its_own() -> None:
    """The formula dictates it: only the same text, names and comments included, is a flag."""
    renamed = SHORT.replace("sigma ", "s ").replace("theta", "t").replace("variance", "v")
    answers = {
        "ada": {"05.1": SHORT_SKELETON + SHORT},
        "bob": {"05.1": SHORT_SKELETON + renamed},
        "eve": {"05.1": SHORT_SKELETON + "    return x\n"},
        "kim": {"05.1": SHORT_SKELETON + "    return x\n"},
        "lou": {"05.1": SHORT_SKELETON + SHORT},
    }
    found = {(flag.student, flag.kind, flag.other) for flag in scan(answers, REFERENCES, PROVIDES)}
    assert found == {
        ("ada", "classmate", "lou"),
        ("ada", "reference", AUTHOR),
        ("lou", "classmate", "ada"),
        ("lou", "reference", AUTHOR),
    }


def test_what_everybody_was_given_is_nobodys_copy() -> None:
    """An empty class, and one that kept the skeleton."""
    stub = REFERENCES["05.2"].partition("    ### BEGIN")[0] + "    raise NotImplementedError()\n"
    assert flags({f"s{number}": stub for number in range(30)}) == set()
    assert scan({}, REFERENCES, PROVIDES) == []


def test_a_long_skeleton_makes_nobody_alike() -> None:
    """Most of the cell was handed out; what the two added to it is their own."""
    given = SKELETON + LONG + as_written(EXERCISE.find("05.3").alternatives[2])
    one, two = (as_written(EXERCISE.find("05.2").alternatives[number]) for number in (0, 1))
    assert flags({"ada": given + one, "bob": given + two}, {"05.2": given}) == set()
    assert flags({"ada": given + one, "bob": given + one}, {"05.2": given}) != set()


def test_what_stands_behind_two_thousand_tokens_is_not_compared() -> None:
    """So that a class of long answers cannot make the comparison slow."""
    found = {count: flags({"ada": "(" * count + LONG, "bob": "[" * count + COPY}, {}) for count in (100, 2_000)}
    assert found == {100: {("ada", "classmate", "bob"), ("bob", "classmate", "ada")}, 2_000: set()}


def test_one_flag_says_how_many_are_alike() -> None:
    found = scan({f"s{number}": {"05.2": SKELETON + LONG} for number in range(5)}, {"05.2": SKELETON}, PROVIDES)
    assert len(found) == 5
    assert str(found[0]) == ("s0, 05.2: the same text, names and comments included, as s1's, and 3 more are like it")


@pytest.mark.parametrize(
    ("source", "used"),
    [
        ("import ntk_teach as ntk\nntk.relu.dual(1, 2, 3); ntk.data.circle(3)", []),
        ("from ntk_teach.grading import check\ncheck('05.1', f)", []),
        ("from ntk_teach import relu, data as d", []),
        ("x.ntk.y; print('ntk.zoo')  # ntk.zoo", []),
        ("ntk.zoo.mlp(3)", ["ntk.zoo"]),
        ("import torch, ntk_teach as library\nlibrary.empirical_ntk(f, x)", ["library.empirical_ntk"]),
        ("from ntk_teach import (\n    relu,\n    serial as s,\n)\nDense = 3", ["ntk_teach.serial"]),
        ("from ntk_teach.grading.tasks import exercise", ["ntk_teach.grading.tasks.exercise"]),
        ("import ntk_teach.zoo as z", ["ntk_teach.zoo"]),
        ("import ntk_teach.data", []),
        ("__import__('ntk_teach').zoo", ["ntk_teach by name"]),
        ("importlib.import_module('ntk_teach.zoo')", ["ntk_teach by name"]),
        ("getattr(ntk, 'z' + 'oo')", ["getattr(ntk, ...)"]),
        ("import neural_tangents as nt", ["neural_tangents"]),
        ("from nngeometry.object import PMatDense", ["nngeometry"]),
        ("def (((:\n  ntk.zoo ''' unfinished", ["ntk.zoo"]),
    ],
)
def test_what_an_answer_uses_of_libraries(source, used) -> None:
    """Beyond what the exercise provides, by whatever name; in a text that is no program, too."""
    assert foreign(words(source), frozenset(PROVIDES)) == used


def test_the_flag_for_a_library() -> None:
    (flag,) = scan({"ada": {"05.1": "def f(x):\n    return ntk.zoo.mlp(3).ntk(x)"}}, REFERENCES, PROVIDES)
    assert (flag.kind, flag.other) == ("library", "ntk.zoo")
    assert "does not provide" in flag.words


def test_names_literals_comments_and_docstrings_do_not_count() -> None:
    """But keywords, signs and what follows a dot do."""
    one = 'def f(x):\n    """Words."""\n    # more\n    return x.T @ 2.5e-3 + g("a", \'\'\'b\n\'\'\')\n'
    two = "def longer(y):\n\n\treturn y.T @ 7 + h(f'{y}', r\"c\")"
    assert erased(words(one)) == erased(words(two))
    assert erased(words(one)) != erased(words(one.replace(".T", ".H")))
    assert erased(words(one)) != erased(words(one.replace("return", "yield")))


BAD = [
    "'" * 10**6, '"""' * 10**5 + "x", "\\" * 10**6, "(" * 10**6, "[" * 10**5 + "]" * 10**5, "\0" * 1000, "'\\" * 10**5,
    "1" * 10**6, "1_" * 10**5 + "x", "#" * 10**6, "rb" * 10**5, "1e" * 10**5, "\ud800" * 100, "lambda:" * 10**5,
    "a" * 10**6, "é\u0301" * 10**5, "x = (\n" * 10**5, "\n" * 10**6, "f'{" * 10**5,
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: ascii(bad[:8]))
def test_whatever_was_handed_in_is_looked_at_in_a_moment(bad) -> None:
    """Huge, nested, unfinished, not a program: no exception, no wait, and the others are looked at."""
    started = time.process_time()
    found = flags({"bad": bad, "worse": bad[:-1], "ada": SKELETON + COPY})
    assert ("ada", "reference", AUTHOR) in found
    assert time.process_time() - started < 3


def renamed(source: str, seed: int) -> str:
    """All names of its own, replaced."""
    rng = random.Random(seed)
    kept = {"torch", "zip", "range", "len", "sum", *keyword.kwlist}
    for name in sorted({word.text for word in words(source) if word.kind == "name"} - kept):
        source = re.sub(rf"(?<![.\w]){name}\b", f"q{rng.randrange(10**6)}", source)
    return source


def test_a_large_class_takes_seconds() -> None:
    """300 students, 5 tasks; two that copied are found among many who wrote their own."""
    rng = random.Random(0)
    signs = ["+", "-", "*", "@", "/", "** 2 +", ".sum() *", ".mean() -", ".T @", "[0] +"]
    # Long programs of one's own: each a different run of operations.
    answers = {
        f"s{number}": {
            f"05.{task}": "def f(x):\n"
            + "".join(f"    x = x {' x '.join(rng.choice(signs) for _ in range(6))} x\n" for _ in range(12))
            for task in range(1, 6)
        }
        for number in range(298)
    }
    answers |= {"ada": {"05.2": SKELETON + LONG}, "bob": {"05.2": SKELETON + renamed(LONG, 1)}}
    started = time.process_time()
    found = scan(answers, {"05.2": SKELETON}, PROVIDES)
    assert {(flag.student, flag.other) for flag in found} == {("ada", "bob"), ("bob", "ada")}
    assert time.process_time() - started < 20  # some two seconds on a quiet machine
