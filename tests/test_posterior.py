"""The law of trained wide networks: another program, explicit formulas, draws, and the Bayesian posterior beside it."""

import math
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from oracles.flows import circle_problem, gram, law, values
from scipy.linalg import sqrtm
from scipy.stats import norm

from ntk_teach.errors import DomainError, DtypeError, ShapeError
from ntk_teach.least_squares import LeastSquares
from ntk_teach.posterior import GaussianLaw, limit_law, limit_law_after, nngp_posterior, sample_then_optimize
from ntk_teach.spectrum import with_ridge

P = circle_problem()
BAYES = {"nngp": P.nngp, "nngp_test": P.nngp_test, "nngp_test_test": P.nngp_test_test}


@pytest.fixture(scope="module")
def reference() -> dict[str, torch.Tensor]:
    """Another program's ensembles (tests/reference): td is test × data; its time is ours times c = 2."""
    with np.load(Path(__file__).parent / "reference" / "predict_relu_d3.npz") as stored:
        return {key: torch.tensor(stored[key]) for key in stored.files if stored[key].dtype.kind == "f"}


TIMES = {"t0.5": 0.25, "t5": 2.5, "t50": 25.0, "inf": math.inf}


@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("trained", ["ntk", "nngp"])
@pytest.mark.parametrize("ridge", ["0.0", "0.001"])
def test_the_law_agrees_with_another_program(reference, ridge, trained, time):
    """Mean and covariance of ensembles of which all layers, or only the last, are trained: to 1e-12."""
    r, stem = reference, f"ens_reg{ridge}_{time}_{trained}"
    # Where only the last layer is trained, that program adds its ridge to Σ(X, X) as a covariance too.
    nngp = with_ridge(r["nngp_dd"], float(ridge), where="test") if trained == "nngp" else r["nngp_dd"]
    ours = limit_law(
        r["y_train"],
        ntk=r[f"{trained}_dd"],
        nngp=nngp,
        ntk_test=r[f"{trained}_td"],
        nngp_test=r["nngp_td"],
        nngp_test_test=r["nngp_tt"],
        t=TIMES[time],
        ridge=float(ridge),
    )
    torch.testing.assert_close(ours.mean, r[f"{stem}_mean"], rtol=0, atol=1e-12)
    torch.testing.assert_close(ours.covariance, r[f"{stem}_cov"], rtol=0, atol=1e-12)
    if ridge == "0.0":
        dd = {"ntk": r[f"{trained}_dd"], "ntk_test": r[f"{trained}_dd"]} | dict.fromkeys(
            ("nngp", "nngp_test", "nngp_test_test"), r["nngp_dd"]
        )
        on = limit_law(r["y_train"], **dd, t=TIMES[time])
        torch.testing.assert_close(on.mean, r[f"{stem}_train_mean"], rtol=0, atol=1e-12)
        torch.testing.assert_close(on.covariance, r[f"{stem}_train_cov"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("ridge", ["0.0", "0.001"])
def test_the_posterior_agrees_with_another_program(reference, ridge):
    """Gaussian process regression with Σ, with and without noise, σ² = ridge · mean(diag Σ): to 1e-12."""
    r = reference
    noise = math.sqrt(float(ridge) * float(r["nngp_dd"].diagonal().mean()))
    kernels = {"nngp": r["nngp_dd"], "nngp_test": r["nngp_td"], "nngp_test_test": r["nngp_tt"]}
    ours = nngp_posterior(r["y_train"], **kernels, noise=noise)
    torch.testing.assert_close(ours.mean, r[f"gp_reg{ridge}_nngp_mean"], rtol=0, atol=1e-12)
    torch.testing.assert_close(ours.covariance, r[f"gp_reg{ridge}_nngp_cov"], rtol=0, atol=1e-12)


def test_the_reference_values_on_the_circle():
    """Trained to the end: mean .060939, .062150, variances .022511, .007701; the posterior .0192, .0066; with Θ in
    its place .182, .108."""
    trained, bayes = limit_law(P.y, **P.kernels), nngp_posterior(P.y, **BAYES)
    np.testing.assert_allclose(trained.mean, [0.060939, 0.062150], atol=6e-7)
    np.testing.assert_allclose(trained.covariance, [[0.022511, 0.002358], [0.002358, 0.007701]], atol=6e-7)
    np.testing.assert_allclose(bayes.covariance.diagonal(), [0.0192, 0.0066], atol=6e-5)
    wrong = nngp_posterior(P.y, nngp=P.ntk, nngp_test=P.ntk_test, nngp_test_test=P.ntk_test_test)
    np.testing.assert_allclose(wrong.covariance.diagonal(), [0.182, 0.108], atol=6e-4)
    torch.testing.assert_close(wrong.mean, trained.mean)


@pytest.mark.parametrize("t", [0.0, 0.7, 20.0, 1e3])
def test_the_law_is_the_formula_with_exponential_and_inverse(t):
    """Equations of Lee et al. 2019 with scipy's expm, entry by entry; at t = 0 the prior, nothing else."""
    ours, (mean, covariance) = limit_law(P.y, **P.kernels, t=t), law(P, t)
    np.testing.assert_allclose(ours.mean, mean, atol=1e-12)
    np.testing.assert_allclose(ours.covariance, covariance, atol=1e-12)
    if t == 0:
        torch.testing.assert_close(ours.covariance, P.nngp_test_test)


def test_the_law_is_that_of_trained_draws():
    """It is the law of f_0(x) + M_t(y − f_0(X)): the joint prior pushed through the matrix (−M, Id)."""
    joint = torch.cat([torch.cat([P.nngp, P.nngp_test.T], 1), torch.cat([P.nngp_test, P.nngp_test_test], 1)])
    for t in (1.0, 50.0, math.inf):
        moved = LeastSquares.fit(P.ntk, P.y).response(P.ntk_test, t)
        push = torch.cat([-moved, torch.eye(2, dtype=torch.float64)], dim=1)  # [2, 6]
        torch.testing.assert_close(limit_law(P.y, **P.kernels, t=t).covariance, push @ joint @ push.T)


def test_whole_steps_become_the_flow_and_keep_their_own_law():
    """M_k has the power (1 − lr Θ/N)^k; steps of lr = t/k approach time t like 1/k; many steps end at t = ∞."""
    left = torch.linalg.matrix_power(torch.eye(4, dtype=torch.float64) - 9.0 * P.ntk / 4, 3)
    moved = P.ntk_test @ torch.linalg.inv(P.ntk) @ (torch.eye(4, dtype=torch.float64) - left)
    few, cross = limit_law_after(P.y, **P.kernels, steps=3, lr=9.0), moved @ P.nngp_test.T
    torch.testing.assert_close(few.mean, moved @ P.y)
    torch.testing.assert_close(few.covariance, P.nngp_test_test + moved @ P.nngp @ moved.T - cross - cross.T)
    exact = limit_law(P.y, **P.kernels, t=10.0)
    gaps = []
    for steps in (100, 1000):
        ours = limit_law_after(P.y, **P.kernels, steps=steps, lr=10.0 / steps)
        gaps.append(float((ours.covariance - exact.covariance).abs().max()))
    assert gaps[1] == pytest.approx(gaps[0] / 10, rel=0.1)
    end = limit_law_after(P.y, **P.kernels, steps=10_000, lr=14.0)
    torch.testing.assert_close(end.covariance, limit_law(P.y, **P.kernels).covariance, rtol=0, atol=1e-12)
    start = limit_law_after(P.y, **P.kernels, steps=0)
    torch.testing.assert_close(start.covariance, P.nngp_test_test)


@given(seed=st.integers(0, 200), t=st.floats(0, 1e3))
def test_no_trained_ensemble_is_more_certain_than_the_posterior(seed, t):
    """Cov(t) ⪰ Cov of the NNGP posterior for any kernel Θ and any time (Gauss–Markov): the posterior is the best
    linear prediction of f_0(x) from f_0(X)."""
    sigma, theta = gram(7, seed), gram(7, seed + 500)
    bayes = {"nngp": sigma[:4, :4], "nngp_test": sigma[4:, :4], "nngp_test_test": sigma[4:, 4:]}
    y = values(4, seed=seed)
    trained = limit_law(y, ntk=theta[:4, :4], ntk_test=theta[4:, :4], **bayes, t=t)
    gap = trained.covariance - nngp_posterior(y, **bayes).covariance
    assert float(torch.linalg.eigvalsh(gap)[0]) >= -1e-9 * float(trained.covariance.trace())


def test_training_the_last_layer_ends_at_the_posterior():
    """With Σ in place of Θ the law at t = ∞ is the posterior without noise, mean and covariance."""
    last = limit_law(P.y, **(P.kernels | {"ntk": P.nngp, "ntk_test": P.nngp_test}))
    bayes = nngp_posterior(P.y, **BAYES)
    torch.testing.assert_close(last.mean, bayes.mean, rtol=0, atol=1e-12)
    torch.testing.assert_close(last.covariance, bayes.covariance, rtol=0, atol=1e-12)


def test_the_posterior_is_conditioning():
    """Mean and covariance by explicit inverses; on the data without noise it is certain; with much noise the prior."""
    sigma, cross, y = P.nngp.numpy(), P.nngp_test.numpy(), P.y.numpy()
    inverse = np.linalg.inv(sigma + 0.3**2 * np.eye(4))
    noisy = nngp_posterior(P.y, **BAYES, noise=0.3)
    np.testing.assert_allclose(noisy.mean, cross @ inverse @ y, atol=1e-13)
    np.testing.assert_allclose(noisy.covariance, P.nngp_test_test.numpy() - cross @ inverse @ cross.T, atol=1e-13)
    on = nngp_posterior(P.y, nngp=P.nngp, nngp_test=P.nngp, nngp_test_test=P.nngp)
    torch.testing.assert_close(on.mean, P.y, rtol=0, atol=1e-12)
    assert float(on.deviation.max()) < 1e-6
    vague = nngp_posterior(P.y, **BAYES, noise=1e6)
    torch.testing.assert_close(vague.covariance, P.nngp_test_test, rtol=0, atol=1e-10)
    assert float(vague.mean.abs().max()) < 1e-10


def test_singular_kernels_have_a_law():
    """A training input given twice changes neither the posterior nor the law, and nothing blows up at any time."""
    twice = [0, 1, 2, 3, 3]
    doubled = {
        "ntk": P.ntk[twice][:, twice],
        "nngp": P.nngp[twice][:, twice],
        "ntk_test": P.ntk_test[:, twice],
        "nngp_test": P.nngp_test[:, twice],
        "nngp_test_test": P.nngp_test_test,
    }
    ours, once = limit_law(P.y[twice], **doubled), limit_law(P.y, **P.kernels)
    torch.testing.assert_close(ours.mean, once.mean, rtol=0, atol=1e-12)
    torch.testing.assert_close(ours.covariance, once.covariance, rtol=0, atol=1e-12)
    late = limit_law(P.y[twice], **doubled, t=1e9)
    torch.testing.assert_close(late.covariance, once.covariance, rtol=0, atol=1e-12)


def test_percentiles_are_those_of_the_normal_law():
    """mean ± 1.2816 deviations for 10 and 90 percent, the mean for 50; one band for each output."""
    trained = limit_law(P.y, **P.kernels)
    low, high = trained.percentiles()
    deviation = trained.covariance.diagonal().sqrt()
    torch.testing.assert_close(high, trained.mean + norm.ppf(0.9) * deviation, rtol=1e-12, atol=0)
    torch.testing.assert_close(low, trained.mean - norm.ppf(0.9) * deviation, rtol=1e-12, atol=0)
    torch.testing.assert_close(trained.percentiles(50)[0], trained.mean)
    both = limit_law(torch.stack([P.y, -P.y], dim=1), **P.kernels)
    assert both.mean.shape == (2, 2)
    torch.testing.assert_close(both.percentiles(10, 50, 99.5)[:, :, 0], trained.percentiles(10, 50, 99.5))
    assert float(GaussianLaw(trained.mean, -1e-18 * torch.eye(2).double()).deviation.max()) == 0


def within(draws: torch.Tensor, expected: GaussianLaw) -> None:
    """Sample mean and covariance within five standard errors; Var of a product of centered normals is known."""
    count, covariance = len(draws), expected.covariance
    variance = covariance.diagonal()
    center = draws - expected.mean
    bound = 5 * (variance / count).sqrt()
    assert (center.mean(0).abs() <= bound + 1e-12).all()
    error = ((variance[:, None] * variance + covariance**2) / count).sqrt()
    assert ((center.T @ center / count - covariance).abs() <= 5 * error + 1e-12).all()


@pytest.mark.parametrize("master", [1, 2, 3])
def test_draws_have_the_mean_and_the_covariance_of_their_law(master):
    """20000 draws: moments within five standard errors, for a law of full rank and for one of rank two."""
    within(limit_law(P.y, **P.kernels).sample(20_000, seed=master), limit_law(P.y, **P.kernels))
    flat = GaussianLaw(values(4, seed=1), gram(4, seed=2, rank=2))
    within(flat.sample(20_000, seed=master), flat)


@pytest.mark.parametrize("master", [1, 2, 3])
def test_sample_then_optimize_draws_from_the_posterior_and_from_the_law(master):
    """Draws of the prior Σ, trained with Σ to the end, are draws of the posterior; trained with Θ to time t, of the
    limit law at t. 20000 draws, five standard errors."""
    joint = torch.cat([torch.cat([P.nngp, P.nngp_test.T], 1), torch.cat([P.nngp_test, P.nngp_test_test], 1)])
    draws = GaussianLaw(torch.zeros(6, dtype=torch.float64), joint).sample(20_000, seed=master)
    f0, f0_test = draws[:, :4], draws[:, 4:]
    bayes = sample_then_optimize(P.y, k=P.nngp, k_test=P.nngp_test, f0=f0, f0_test=f0_test)
    within(bayes, nngp_posterior(P.y, **BAYES))
    trained = sample_then_optimize(P.y, k=P.ntk, k_test=P.ntk_test, f0=f0, f0_test=f0_test, t=8.0)
    within(trained, limit_law(P.y, **P.kernels, t=8.0))


def test_a_draw_is_trained_like_any_function():
    """sample_then_optimize is LeastSquares.predict for each draw, and on the data every draw ends at y."""
    f0, f0_test = values(3, 4, seed=1), values(3, 2, seed=2)
    ours = sample_then_optimize(P.y, k=P.ntk, k_test=P.ntk_test, f0=f0, f0_test=f0_test, t=5.0)
    flow = LeastSquares.fit(P.ntk, P.y)
    for draw, start, start_test in zip(ours, f0, f0_test, strict=True):
        torch.testing.assert_close(draw, flow.predict(P.ntk_test, 5.0, start, start_test))
    on = sample_then_optimize(P.y, k=P.ntk, k_test=P.ntk, f0=f0, f0_test=f0)
    torch.testing.assert_close(on, P.y.expand(3, 4), rtol=0, atol=1e-12)


def test_where_the_law_is_certain_every_draw_is_its_mean():
    """On the data at t = ∞ only rounding is left of the covariance, of either sign: draws are y to 1e-6."""
    kernels = {"ntk": P.ntk, "ntk_test": P.ntk} | dict.fromkeys(("nngp", "nngp_test", "nngp_test_test"), P.nngp)
    bayes = nngp_posterior(P.y, nngp=P.nngp, nngp_test=P.nngp, nngp_test_test=P.nngp)
    for certain in (limit_law(P.y, **kernels), bayes):
        torch.testing.assert_close(certain.sample(9, seed=1), P.y.expand(9, 4), rtol=0, atol=1e-6)


def test_one_seed_is_one_draw():
    """The same seed gives the same numbers, also in float32 up to its rounding; another seed gives others."""
    trained = limit_law(P.y, **P.kernels)
    single = GaussianLaw(trained.mean.float(), trained.covariance.float())
    assert torch.equal(trained.sample(5, seed=3), trained.sample(5, seed=3))
    torch.testing.assert_close(single.sample(5, seed=3).double(), trained.sample(5, seed=3), rtol=0, atol=1e-5)
    assert not torch.equal(trained.sample(5, seed=3), trained.sample(5, seed=4))
    z = values(5, 2, seed=3)  # the symmetric root, which no choice of eigenvectors can change
    root = torch.tensor(sqrtm(trained.covariance.numpy()))
    torch.testing.assert_close(trained.sample(5, seed=3), trained.mean + z @ root, rtol=0, atol=1e-12)
    both = limit_law(torch.stack([P.y, -P.y], dim=1), **P.kernels)
    assert both.sample(5, seed=3).shape == (5, 2, 2)


DRAWS = {"k": P.ntk, "k_test": P.ntk_test}
REFUSED = {
    "tests of another number": (ShapeError, lambda: limit_law(P.y, **(P.kernels | {"nngp_test": P.nngp})), r"\[4, 4\]"),
    "test kernel too small": (
        ShapeError,
        lambda: limit_law(P.y, **(P.kernels | {"nngp_test_test": P.nngp[:1, :1]})),
        r"\[1, 1\]",
    ),
    "Σ not symmetric": (DomainError, lambda: limit_law(P.y, **(P.kernels | {"nngp": P.nngp + P.nngp.triu()})), "max"),
    "Σ transposed": (ShapeError, lambda: nngp_posterior(P.y, **(BAYES | {"nngp_test": P.nngp_test.T})), r"\[4, 2\]"),
    "another dtype": (DtypeError, lambda: limit_law(P.y, **(P.kernels | {"nngp": P.nngp.float()})), "float32"),
    "noise negative": (DomainError, lambda: nngp_posterior(P.y, **BAYES, noise=-0.1), "-0.1"),
    "t negative": (DomainError, lambda: limit_law(P.y, **P.kernels, t=-1.0), "-1.0"),
    "half a step": (DomainError, lambda: limit_law_after(P.y, **P.kernels, steps=0.5), "0.5"),
    "percent of one": (DomainError, lambda: GaussianLaw(P.y, P.nngp).percentiles(100), "100"),
    "no draw": (DomainError, lambda: GaussianLaw(P.y, P.nngp).sample(0, seed=1), "0"),
    "no covariance": (DomainError, lambda: GaussianLaw(P.y, -P.nngp).sample(1, seed=1), "λ_min"),
    "one draw without axis": (
        ShapeError,
        lambda: sample_then_optimize(P.y, **DRAWS, f0=P.f0, f0_test=P.f0_test[None]),
        r"\[4\]",
    ),
    "other draws off the data": (
        ShapeError,
        lambda: sample_then_optimize(P.y, **DRAWS, f0=values(3, 4), f0_test=values(2, 2)),
        r"\[2, 2\]",
    ),
    "several outputs": (
        ShapeError,
        lambda: sample_then_optimize(P.y[:, None], **DRAWS, f0=values(3, 4), f0_test=values(3, 2)),
        r"\[4, 1\]",
    ),
}


@pytest.mark.boundary
@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused(case):
    """What was received is in the message, and what to do."""
    kind, attempt, received = REFUSED[case]
    with pytest.raises(kind, match=f"expected .*received .*{received}.*; ."):
        attempt()
