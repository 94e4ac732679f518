"""One exercise in several conventions: each right in itself, and a stranger to the others' answers."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.func import jacrev, vmap

import ntk_teach as ntk
from ntk_teach.grading import check
from ntk_teach.grading.classroom.source import read_source
from ntk_teach.grading.judge import judge_function
from ntk_teach.grading.tasks import CHAPTERS, exercise, variants

EXERCISES = Path(__file__).parents[2] / "exercises"
SLUG = "05_neural_tangent_kernel"
SOURCE = EXERCISES / "source" / SLUG / f"{SLUG}.py"
NAMES = variants("05")
TASKS = [f"05.{number}" for number in range(1, 6)]
PAPERS = {"book": "Jacot, Gabriel & Hongler 2018", "arora": "Arora et al. 2019", "he": "He et al. 2015"}
PAIRS = [(stated, followed) for stated in NAMES for followed in NAMES if stated != followed]
EACH = pytest.mark.parametrize("name", NAMES)
unchecked = pytest.mark.usefixtures("unchecked")  # tiny arrays by the thousand


def task(name: str, task_id: str):
    return exercise("05", name).find(task_id)


def arguments(name: str, task_id: str, seed: int = 0):
    return [case.draw(np.random.default_rng([seed, 7])) for case in task(name, task_id).cases]


# ---- what the papers write, once more and by hand


def forward(name: str, weights, biases, a, sigma_b):
    """The three networks, word by word from their texts."""
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        n = weight.shape[1]
        if name == "book":
            h = weight @ a / n**0.5
        elif name == "he":
            h = (2 / n) ** 0.5 * (weight @ a)
        else:
            h = weight @ a if layer == 0 else (2 / n) ** 0.5 * (weight @ a)
        h = h + sigma_b * bias
        a = torch.relu(h)
    return h


def jacobian(name: str, weights, biases, x, sigma_b):
    parts = vmap(jacrev(lambda p, a: forward(name, *p, a, sigma_b)), (None, 0))((weights, biases), x)
    return torch.cat([part.flatten(2) for group in parts for part in group], dim=2)


def kernel(name: str, weights, biases, x1, x2, sigma_b):
    one, two = (jacobian(name, weights, biases, x, sigma_b) for x in (x1, x2))
    return torch.einsum("nkp,mlp->nmkl", one, two)


NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def expectations(cov: float, q1: float, q2: float) -> tuple[float, float]:
    """E[φφ] and E[φ̇φ̇] for ReLU, by quadrature over the angle at which both units are active."""
    angle = math.acos(min(max(cov / math.sqrt(q1 * q2), -1), 1))
    low, high = angle - math.pi / 2, math.pi / 2
    t = (high + low) / 2 + (high - low) / 2 * NODES
    weight = WEIGHTS * (high - low) / 2 / (2 * math.pi)
    # u = √q₁ r cos t, v = √q₂ r cos(t − angle), with the density r exp(−r²/2)/2π: ∫ r³ exp(−r²/2) dr = 2.
    return float(2 * math.sqrt(q1 * q2) * (weight @ (np.cos(t) * np.cos(t - angle)))), float(weight.sum())


def shares(name: str, x, depth: int, sigma_b: float) -> np.ndarray:
    """Σ of every layer times the later slopes, one pair of inputs at a time: the summands of the limiting kernel."""
    x = x.numpy()
    first = {"book": 1 / x.shape[1], "he": 2 / x.shape[1], "arora": 1.0}[name]
    factor, layers = (1, depth) if name == "book" else (2, depth + (name == "arora"))
    result = np.empty((layers, len(x), len(x)))
    for i, a in enumerate(x):
        for j, b in enumerate(x):
            one, two, both = (first * (u @ v) + sigma_b**2 for u, v in ((a, a), (b, b), (a, b)))
            result[0, i, j] = both
            for layer in range(1, layers):
                value, slope = expectations(both, one, two)
                one, two = (factor * expectations(q, q, q)[0] + sigma_b**2 for q in (one, two))
                both = factor * value + sigma_b**2
                result[:layer, i, j] *= factor * slope
                result[layer, i, j] = both
    return result


@unchecked
@EACH
def test_limits_against_quadrature(name: str) -> None:
    """05.1 and 05.5 in every convention: the paper's recursion with expectations integrated numerically."""
    for given in arguments(name, "05.1"):
        # On a ray without biases every angle is 0, up to the root of a rounding error.
        found = task(name, "05.1").reference(*given.values())
        np.testing.assert_allclose(found, shares(name, **given).sum(0), rtol=1e-6)
    for given in arguments(name, "05.5"):
        np.testing.assert_allclose(task(name, "05.5").reference(*given.values()), shares(name, **given), atol=1e-7)


@unchecked
@EACH
def test_finite_kernels_against_autograd_through_the_papers_forward_pass(name: str) -> None:
    """05.2 and 05.3 in every convention."""
    for given in arguments(name, "05.2"):
        found = task(name, "05.2").reference(*given.values())
        torch.testing.assert_close(found, kernel(name, **given)[:, :, 0, 0], rtol=1e-10, atol=1e-10)
    for given in arguments(name, "05.3"):
        found = task(name, "05.3").reference(*given.values())
        torch.testing.assert_close(found, kernel(name, **given), rtol=1e-10, atol=1e-10)


@unchecked
@EACH
def test_the_finite_networks_of_a_text_have_the_limit_of_the_same_text(name: str) -> None:
    """The distance falls like the inverse root of the width, in every convention: sixteenfold, a quarter."""
    x = torch.from_numpy(np.random.default_rng(3).normal(size=(4, 3)))
    depth = 2 if name == "arora" else 3  # three weight layers
    limit = task(name, "05.1").reference(x, depth, 0.3)

    def distance(width: int) -> float:
        squares = 0.0
        for seed in range(12):
            rng = np.random.default_rng([seed, width])
            shapes = ((width, 3), (width, width), (1, width))
            weights = [torch.from_numpy(rng.normal(size=shape)) for shape in shapes]
            biases = [torch.from_numpy(rng.normal(size=shape[0])) for shape in shapes]
            squares += float((kernel(name, weights, biases, x, x, 0.3)[:, :, 0, 0] - limit).square().sum())
        return squares**0.5

    assert 2.5 < distance(24) / distance(384) < 6.5


@EACH
def test_slopes_against_an_exact_power_law(name: str) -> None:
    """05.4: samples m ± s with m = width^0.3 and s = width^(-0.4) have every slope written down."""
    widths = torch.tensor([4.0, 9.0, 31.0, 200.0], dtype=torch.float64)
    middle, spread = widths**0.3, 0.1 * widths**-0.4
    samples = torch.stack([middle - spread, middle + spread], dim=1)
    expected = {"book": -0.8, "arora": -0.4, "he": -1.4}[name]
    assert task(name, "05.4").reference(widths, samples) == pytest.approx(expected, abs=1e-12)


# ---- whose answer is it?


def answers(name: str) -> dict[str, object]:
    """The functions of the author's notebook, by task: what somebody would paste."""
    notebook = read_source(SOURCE, exercise("05", name))
    space = {"torch": torch, "ntk": ntk}
    for cell in notebook.cells:
        if cell.id.endswith("-answer"):
            exec(cell.source, space)
    return {task_id: space[task(name, task_id).name] for task_id in TASKS}


@unchecked
@EACH
def test_the_authors_answers_earn_everything_in_their_own_variant(name: str) -> None:
    """All five tasks, over several seeds."""
    for task_id, answer in answers(name).items():
        for seed in range(4):
            verdict = judge_function(task(name, task_id), answer, seed)
            assert verdict.points == verdict.out_of, f"seed {seed}\n{verdict}"


@unchecked
@pytest.mark.parametrize(("stated", "followed"), PAIRS)
def test_a_pasted_answer_to_another_text_fails_every_task_and_is_told_whose_it_is(stated: str, followed: str) -> None:
    """The book's public solution first of all: no point, and the two papers by name."""
    for task_id, answer in answers(followed).items():
        for seed in range(4):
            verdict = judge_function(task(stated, task_id), answer, seed)
            assert verdict.points == 0, f"seed {seed}\n{verdict}"
            assert len(verdict.messages) == 1, f"seed {seed}\n{verdict}"
            message = verdict.messages[0]
            assert "convention of " + PAPERS[followed] in message, f"seed {seed}\n{verdict}"
            assert PAPERS[stated] in message.split(PAPERS[followed], 1)[1], f"seed {seed}\n{verdict}"


def test_the_solutions_in_the_file_are_the_books() -> None:
    """What stands in front of a marker is what the book's release has there, so the file as it is answers only it."""
    found = re.findall(r"^ *\w+ = (.+)  # {{(\w+)}}$", SOURCE.read_text(), re.MULTILINE)
    assert len(found) >= 15
    assert [(word, exercise("05").code[word]) for _, word in found] == [(word, value) for value, word in found]


# ---- what a student reads


@EACH
def test_every_variant_fills_every_marker(name: str) -> None:
    """And has no word that the notebook does not use."""
    raw, made = SOURCE.read_text(), exercise("05", name)
    text = "\n".join(cell.source for cell in read_source(SOURCE, made).cells)
    assert "{{" not in text
    for word in (*made.text, *made.code):
        assert f"{{{{{word}}}}}" in raw
    assert set(made.text) == set(exercise("05").text)
    assert set(made.code) == set(exercise("05").code)


STATED = {
    "book": [
        "Jacot, Gabriel & Hongler 2018, section 2",
        r"\tilde\alpha^{(\ell+1)} = \tfrac{1}{\sqrt{n_\ell}}\, W",
        "**without** a factor 2",
        "number of *weight layers*",
        r"\Sigma^{(1)}(x, x') = \tfrac{1}{n_0} x\cdot x' + \beta^2",
        r"\log(\text{variance})",
        "`[depth, n, n]`",
    ],
    "arora": [
        "Wang 2019, section 3",
        r"\tilde\alpha^{(1)} = W^{(0)} x + \beta\, b^{(0)}",
        "**neither a 2 nor a $1/\\sqrt{n_0}$**",
        "number of *hidden layers*",
        r"\Sigma^{(1)}(x, x') = x\cdot x' + \beta^2",
        r"\Sigma^{(\ell+1)} = 2\,\mathbb E",
        r"\dot\Sigma^{(\ell+1)} = 2\,\mathbb E",
        r"\log(\text{standard deviation})",
        "`[depth + 1, n, n]`",
        r"\prod_{j=\ell+1}^{L+1}",
    ],
    "he": [
        "He, Zhang, Ren & Sun 2015, section 2.2",
        r"\tilde\alpha^{(\ell+1)} = \sqrt{\tfrac{2}{n_\ell}}\, W",
        "in **every** layer",
        "number of *weight layers*",
        r"\Sigma^{(1)}(x, x') = \tfrac{2}{n_0} x\cdot x' + \beta^2",
        r"\Sigma^{(\ell+1)} = 2\,\mathbb E",
        r"\log(\text{variance} / \text{mean}^2)",
        "`[depth, n, n]`",
    ],
}


@EACH
def test_the_text_states_the_convention(name: str) -> None:
    """Formulas, factors, what depth counts, which spread; and that it is not the book's, where it is not."""
    text = "\n".join(cell.source for cell in read_source(SOURCE, exercise("05", name)).cells)
    for words in STATED[name]:
        assert words in text, words
    assert ("not the convention of the book" in text) == (name != "book")
    assert len(re.findall(rf', variant="{name}"\)', text)) == (6 if name != "book" else 0)
    assert len(re.findall("variant", text)) == (6 if name != "book" else 0)


@pytest.mark.parametrize("name", NAMES[1:])
def test_the_solved_notebook_of_a_variant_runs_from_top_to_bottom(name: str, tmp_path) -> None:
    """Its visible checks are right for it, its demonstrations converge, and its checks give every point."""
    nbclient = pytest.importorskip("nbclient")
    notebook = nbclient.NotebookClient(read_source(SOURCE, exercise("05", name)), timeout=120).execute()
    cells = {cell.id: cell for cell in notebook.cells}
    for task_id in TASKS:
        told = "".join(output["data"]["text/plain"] for output in cells[task_id.replace(".", "-")].outputs)
        assert ": passed, " in told
    text = "".join(output.get("text", "") for cell in cells.values() for output in cell.get("outputs", []))
    near = [float(number) for number in re.findall(r"relative distance ([\d.]+)", text)]
    assert 2 < near[0] / near[2] < 8
    assert re.search(r"sigma_b 0\.0: ([\d.]+)(?:  \1)+\n", text)  # without biases all layers add the same


@pytest.mark.parametrize("name", NAMES[1:])
def test_pasted_solutions_also_fail_the_visible_checks(name: str) -> None:
    """Four of them, so that nobody learns it from the grade; 05.4 has one number, which two conventions share."""
    cells = {cell.id: cell.source for cell in read_source(SOURCE, exercise("05", name)).cells}
    for task_id, answer in answers("book").items():
        space = {"torch": torch, "ntk": ntk, task(name, task_id).name: answer}
        source = cells[f"given-{task_id.replace('.', '-')}-by-hand"]
        if (name, task_id) != ("he", "05.4"):
            with pytest.raises(AssertionError, match="received"):
                exec(source, space)


# ---- check


def test_check_judges_by_the_variant() -> None:
    """The same function, right for one text and wrong for another."""
    book = answers("book")["05.4"]
    assert check("05.4", book).passed
    assert check("05.4", book, variant="book").passed
    told = check("05.4", book, variant="arora")
    assert told.points == 0
    assert "Jacot, Gabriel & Hongler 2018" in str(told)
    assert check("05.4", answers("arora")["05.4"], variant="arora").passed


@pytest.mark.boundary
def test_check_refuses_a_variant_that_there_is_not() -> None:
    """With the names that there are."""
    with pytest.raises(ValueError, match="expected variant one of book, arora, he, received 'kaimng'"):
        check("05.1", abs, variant="kaimng")


def test_every_chapter_has_the_books_variant_first() -> None:
    """Whatever else it declares, each under its own name, with the same tasks, points and functions to write."""
    for number in CHAPTERS:
        assert variants(number)[0] == exercise(number).variant == "book"
        for name in variants(number):
            other = exercise(number, name)
            assert (other.variant, other.slug) == (name, exercise(number).slug)
            same = [(item.id, item.title, item.points) for item in exercise(number).items]
            assert [(item.id, item.title, item.points) for item in other.items] == same
            assert [one.name for one in other.tasks] == [one.name for one in exercise(number).tasks]
