"""Any two layers in a row, on inputs of every kind: they compute at both widths, or an error says what does not fit."""

import itertools
import math

import pytest
import torch
from site_networks import drawn, some_graphs

import ntk_teach as ntk
from ntk_teach import (
    Aggregate,
    AverageSteps,
    AvgPool,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool,
    GraphSum,
    JumpingKnowledge,
    LastStep,
    Ragged,
    Recurrent,
    Residual,
    relu,
    serial,
)
from ntk_teach.errors import NTKError

LAYERS = {
    "Dense": Dense(1.2, 0.3),
    "relu": relu,
    "Conv2d": Conv2d(2, 1, "same", 1.2, 0.2),
    "strided": Conv2d(2, 2, "circular"),
    "AvgPool": AvgPool(2, 1, "same"),
    "GlobalAvgPool": GlobalAvgPool(),
    "Flatten": Flatten(),
    "Recurrent": Recurrent(relu, 1.1, 1.0, 0.2),
    "LastStep": LastStep(),
    "AverageSteps": AverageSteps(),
    "Aggregate": Aggregate("degree"),
    "JumpingKnowledge": JumpingKnowledge([serial(Aggregate(), Dense(1.0, 0.1), relu)]),
    "GraphSum": GraphSum(),
    "branch of Dense": Residual(serial(relu, Dense(0.9, 0.2))),
    "branch of AvgPool": Residual(serial(AvgPool(3, 1, "same"), Dense(0.8))),
    "branch that reads": Residual(serial(GlobalAvgPool(), Dense())),
    "branch of Recurrent": Residual(serial(Recurrent(relu), Dense())),
    "branch of Aggregate": Residual(serial(Aggregate(), Dense())),
}
SEQUENCES = [drawn(t, 2, seed=t) for t in (3, 1, 4)]
BATCHES = {
    "vectors": drawn(3, 5),
    "images": drawn(3, 4, 3, 2),
    "sequences": drawn(3, 4, 2),
    "unequal sequences": Ragged.sequences(SEQUENCES),
    "graphs": Ragged.graphs(*some_graphs()),
}
READERS = {
    "vectors": [],
    "images": [Flatten()],
    "sequences": [LastStep()],
    "unequal sequences": [AverageSteps()],
    "graphs": [GraphSum()],
}


def outcome(attempt):
    """What it gives, or the message of an error of ours; any other error is a fault of ours, and passes through."""
    try:
        return attempt(), ""
    except NTKError as refused:
        return None, str(refused)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("kind", BATCHES)
def test_two_layers_compute_at_both_widths_or_are_refused_by_name(kind):
    """Dense, two layers, a read-out, Dense. A refusal at infinite width names a layer, and what network() makes
    gives one row of outputs for each input wherever the kernel exists, and never a row for each site."""
    x, computed = BATCHES[kind], 0
    for one, two in itertools.product(LAYERS.values(), repeat=2):
        arch = serial(Dense(), one, two, *READERS[kind], Dense())
        both, said = outcome(lambda arch=arch: arch.grams(x))
        network, refused = outcome(lambda arch=arch: arch.network(width=3, like=x, out_features=2))
        if both is None:
            assert ("layer " in said or "[n, d]" in said) and "expected" in said, said
        else:
            computed += 1
            assert network is not None, f"{arch!r} has a kernel, but its network: {refused}"
            torch.testing.assert_close(both.ntk, arch.kernel(x).ntk, rtol=1e-9, atol=1e-12)
        if network is not None:
            assert network(x).shape == (3, 2), repr(arch)
    assert computed >= 6


MENDED = {
    "a pool two residual sums deep": (
        serial(
            Conv2d(2, 1, "same", 1.2, 0.2),
            Residual(serial(Residual(serial(AvgPool(3, 1, "same"), Dense(1.0, 0.1))), Dense(0.8))),
            relu,
            Flatten(),
            Dense(),
        ),
        BATCHES["images"],
    ),
    "sequences of unequal length beside what a recurrent branch makes of them": (
        serial(Dense(), Residual(serial(Recurrent(relu, 1.0, 1.0, 0.5), Dense(0.9))), relu, AverageSteps(), Dense()),
        BATCHES["unequal sequences"],
    ),
    "nodes beside what they hear": (
        serial(Dense(), Residual(serial(Aggregate("degree"), Dense(0.9, 0.2))), relu, GraphSum(), Dense()),
        BATCHES["graphs"],
    ),
    "jumping knowledge in a branch": (
        serial(
            Dense(),
            Residual(serial(JumpingKnowledge([serial(Aggregate("degree"), Dense(), relu)], Dense(0.8)))),
            relu,
            GraphSum(),
            Dense(),
        ),
        BATCHES["graphs"],
    ),
    "the mean over steps by GlobalAvgPool": (
        serial(Recurrent(relu, 1.0, 1.0, 0.5), GlobalAvgPool(), Dense()),
        BATCHES["sequences"],
    ),
}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", MENDED)
def test_networks_have_the_covariance_of_the_limit(name):
    """Within six standard errors and what width 128 leaves; 300 outputs of each of eight networks."""
    arch, x = MENDED[name]
    limit, draws = arch.nngp(x), []
    for seed in range(8):
        f = arch.network(width=128, like=x, out_features=300, seed=seed)(x).detach()
        draws.append(f @ f.T / 300)
    samples = torch.stack(draws)
    sizes = limit.diagonal().sqrt()
    allowed = 6 * samples.std(0) / math.sqrt(len(samples)) + 0.03 * sizes[:, None] * sizes
    assert bool(((samples.mean(0) - limit).abs() <= allowed).all())


@pytest.mark.parametrize(
    ("layers", "kind", "words"),
    [
        # activations on both sides of a sum have means: the cross term does not vanish
        ([Recurrent(), Residual(serial(Recurrent())), LastStep(), Dense()], "sequences", "layer 2 of 4.*correlated"),
        ([Residual(serial(Recurrent())), LastStep(), Dense()], "sequences", "layer 1 of 3.*correlated"),
    ],
)
def test_correlated_summands_are_refused(layers, kind, words):
    with pytest.raises(ntk.errors.RuleError, match=words):
        serial(*layers).ntk(BATCHES[kind])


@pytest.mark.parametrize(
    ("layers", "kind", "words"),
    [
        ([Recurrent(), LastStep(), Dense()], "graphs", "layer 1 of 3.*expected sequences .*received graphs"),
        ([Dense(), LastStep(), Dense()], "images", "layer 2 of 3.*expected sequences .*received images"),
        ([Aggregate(), Dense(), GraphSum(), Dense()], "sequences", "layer 1 of 4.*expected graphs, received sequences"),
        ([Aggregate(), Dense(), GraphSum(), Dense()], "unequal sequences", "layer 1 of 4.*expected graphs"),
        ([Conv2d(), Flatten(), Conv2d(), Flatten(), Dense()], "images", "layer 3 of 5.*received vectors"),
        ([Dense(), GlobalAvgPool(), Dense()], "unequal sequences", "layer 2 of 3.*sequences of unequal size"),
        ([Dense(), Residual(serial(GlobalAvgPool(), Dense())), Flatten(), Dense()], "images", "summands at the same"),
        (
            [Conv2d(), Residual(serial(Conv2d(3, 2))), Flatten(), Dense()],
            "images",
            "layer 2 of 4.*summands at the same",
        ),
        ([Dense(), Residual(serial(relu, Recurrent())), Flatten(), Dense()], "images", r"layer 2 of 4.*layer 2 of 2"),
        (
            [JumpingKnowledge([serial(Dense(), GraphSum())]), GraphSum(), Dense()],
            "graphs",
            "layer 1 of 3.*blocks that keep the nodes",
        ),
    ],
)
def test_a_finite_network_refuses_what_its_layers_do_not_take(layers, kind, words):
    with pytest.raises(ntk.errors.RuleError, match=words):
        serial(*layers).network(width=3, like=BATCHES[kind])


@pytest.mark.parametrize(
    ("one", "two", "words"),
    [
        (BATCHES["images"], drawn(2, 5, 3, 2), r"images of one size .*\[3, 4, 3, 2\].*\[2, 5, 3, 2\]; resize"),
        (BATCHES["unequal sequences"], BATCHES["graphs"], "of one kind, received Ragged.sequences .*graphs"),
    ],
    ids=["images", "sequences and graphs"],
)
@pytest.mark.parametrize("door", ["kernel", "ntk", "grams"])
def test_batches_of_two_sizes_or_kinds_are_refused_before_anything_is_computed(one, two, words, door):
    features = some_graphs()[0][0].shape[1]
    if isinstance(one, Ragged):
        one = Ragged.sequences([drawn(2, features)])
        arch = serial(Recurrent(), LastStep(), Dense())
    else:
        arch = serial(Conv2d(), relu, Flatten(), Dense())
    with pytest.raises(ntk.errors.ShapeError, match=words):
        getattr(arch, door)(one, two)


@pytest.mark.boundary
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: serial(Conv2d, relu), r"serial, argument 1.*the class Conv2d.*Conv2d\(\)"),
        (lambda: Conv2d(trained="no"), "Conv2d: expected trained True or False, received 'no'"),
        (lambda: Dense(trained=2), "Dense: expected trained True or False, received 2"),
        (lambda: Recurrent(trained="no"), "Recurrent: expected trained True or False"),
        (lambda: JumpingKnowledge(serial(Aggregate(), Dense())), "a list of serial"),
        (lambda: JumpingKnowledge([serial(Aggregate(), Dense())], heads=None), "heads of Dense, received None"),
        (lambda: JumpingKnowledge([serial(Aggregate(), Dense())], heads=[relu, relu]), "heads of Dense"),
        (lambda: Ragged.sequences(None), "Ragged.sequences: expected a list of tensors .*received NoneType"),
        (lambda: Ragged.graphs([drawn(2, 3)], None), "expected a list of adjacency matrices, received NoneType"),
        (lambda: Ragged.graphs([drawn(2, 3)], [drawn(2, 2).to_sparse()]), r"a dense matrix, .*to_dense\(\)"),
        (lambda: Ragged(drawn(2, 4, 3), torch.ones(2, 3)), r"present of shape \[2, 4\] .*received \[2, 3\]"),
        (lambda: Ragged(drawn(2, 4, 3), torch.ones(2, 4), torch.ones(2, 3, 3)), r"edges of shape \[2, 4, 4\]"),
    ],
)
def test_what_makes_no_layer_and_no_batch_is_refused(make, words):
    with pytest.raises(NTKError, match=words):
        make()
