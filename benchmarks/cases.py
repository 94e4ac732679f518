"""What is compared with what: a task, its sizes, and the programs that do it; the first of them is the reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Largest error relative to the largest entry, off the diagonal and on it. A kinked dual of another program loses half
# of its digits on the diagonal (√(1 − ρ²) at ρ = 1), ours does not.
CLOSED = {"float64": (1e-12, 1e-7), "float32": (2e-5, 2e-3)}
JACOBIANS = {"float64": (1e-12, 1e-12), "float32": (1e-4, 1e-4)}
FLOW = {"float64": (1e-9, 1e-9)}
SERIES = {"float64": (1e-9, 1e-9)}  # our series promises 1e-10 of each dual, three of which follow one another
CONVOLUTIONS = {"float64": (1e-12, 1e-7), "float32": (1e-4, 2e-3)}  # many windows of pixels are nearly collinear
LOOPS = {"float64": (1e-9, 1e-6)}  # plain loops lose half of the digits where two nodes look alike
QUADRATURE = {"float64": (2e-2, 2e-2)}  # 25 nodes to an axis leave 4e-3 of the tanh kernel


@dataclass(frozen=True)
class Side:
    """One program at one task.

    Args:
        label: how the table calls it.
        module: its file in benchmarks/sides.
        options: what it alone is told, beside the case's parameters (or instead of one of them).
        cores: how many it may use.
    """

    label: str
    module: str
    options: Mapping[str, Any] = field(default_factory=dict)
    cores: int = 1

    @property
    def peer(self) -> bool:
        """Does it need the other programs' environment?"""
        return self.module == "neural_tangents"


@dataclass(frozen=True)
class Case:
    """Programs that do the same, so that their numbers must agree.

    Args:
        name: of its file of results.
        title: of its rows in the table, with the parameters in braces.
        task: the key in every side's TASKS.
        parameters: sizes and dtype, the same for every side.
        quick: those that a trial run makes smaller.
        sides: who does it; ratios are to the first.
        tolerance: of agreement off and on the diagonal, by dtype.
        clock: "cpu" seconds of the process, or "wall" where cores are compared.
        large: only on request; it takes long.
    """

    name: str
    title: str
    task: str
    parameters: Mapping[str, Any]
    quick: Mapping[str, Any]
    sides: tuple[Side, ...]
    tolerance: Mapping[str, tuple[float, float]]
    clock: str = "cpu"
    large: bool = False

    def titled(self, parameters: Mapping[str, Any]) -> str:
        """The title with these parameters."""
        widths = "-".join(map(str, parameters.get("widths", ())))
        return self.title.format(**{**parameters, "widths": widths})


OURS = Side("ntk-teach", "ours")
SERIES_OURS = Side("ntk-teach, series", "ours", {"series": True})
PEER = Side("neural-tangents", "neural_tangents")
NUMERICAL = Side("neural-tangents, quadrature 25²", "neural_tangents", {"numerical": True})
TUTORIAL = Side("torch.func tutorial", "torch_func")
FLOOR = Side("measured floor", "floor")

SMALL = {"n": 60, "d": 20}


def _gram(activation: str, n: int, dtype: str, *sides: Side, distinct: bool = False) -> Case:
    kind = ", two batches" if distinct else ""
    return Case(
        name=f"{activation}_{n}_{dtype}" + ("_distinct" if distinct else ""),
        title="NNGP and NTK, {activation}, depth {depth}, n = {n}, d = {d}" + kind,
        task="gram",
        parameters={"activation": activation, "n": n, "d": 784, "depth": 4, "dtype": dtype, "distinct": distinct},
        quick=SMALL,
        sides=sides,
        tolerance=CLOSED,
    )


def _smooth(activation: str, n: int, tolerance: Mapping[str, tuple[float, float]], *sides: Side) -> Case:
    return Case(
        name=f"{activation}_series_{n}",
        title="NNGP and NTK, {activation} by its Hermite series to 1e-10, depth {depth}, n = {n}, d = {d}",
        task="gram",
        parameters={"activation": activation, "n": n, "d": 784, "depth": 4, "dtype": "float64"},
        quick=SMALL | {"n": 20},
        sides=(SERIES_OURS, *sides),
        tolerance=tolerance,
    )


def _empirical(n: int, width: int, outputs: int, *sides: Side) -> Case:
    return Case(
        name=f"empirical_{n}_{width}_{outputs}",
        title="empirical NTK of a relu network with layers of {widths} units, n = {n}",
        task="empirical",
        parameters={"n": n, "widths": [784, width, width, width, outputs], "dtype": "float32"},
        quick={"n": 6, "widths": [20, 16, 16, 16, outputs]},
        sides=(OURS, *sides),
        tolerance=JACOBIANS,
    )


def _flow(cold: bool) -> Case:
    known = "sought" if cold else "known"
    return Case(
        name=f"flow_{'cold' if cold else 'warm'}",
        title="least-squares flow at {times} times, n = {n}, {outputs} outputs, {test} tests, eigenvectors " + known,
        task="flow",
        parameters={"n": 1000, "test": 200, "outputs": 10, "times": 100, "dtype": "float64", "cold": cold},
        quick={"n": 30, "test": 7, "times": 5},
        sides=(OURS, PEER),
        tolerance=FLOW,
    )


def _times(cold: bool) -> Case:
    known = "sought" if cold else "known"
    return Case(
        name=f"times_{'cold' if cold else 'warm'}",
        title="least-squares flow, n = {n}, {outputs} outputs, {test} tests, eigenvectors "
        + known
        + ": 1 and 1000 times",
        task="flow",
        parameters={"n": 1000, "test": 200, "outputs": 10, "dtype": "float64", "cold": cold},
        quick={"n": 30, "test": 7},
        sides=(Side("1 time", "ours", {"times": 1}), Side("1000 times", "ours", {"times": 1000})),
        tolerance={},
    )


def _cntk(read: str, side: int, n: int, dtype: str, *batches: int) -> Case:
    batched = (Side(f"neural-tangents, batches of {b}", "neural_tangents", {"batch": b}) for b in batches)
    return Case(
        name=f"cntk_{read}_{side}_{n}_{dtype}",
        title="NNGP and NTK, {depth} convolutions 3 × 3 with relu, {read} read-out, n = {n} images of {side} × {side}",
        task="cntk",
        parameters={"n": n, "side": side, "depth": 3, "read": read, "dtype": dtype},
        quick={"n": 4, "side": 6},
        sides=(OURS, PEER, *batched),
        tolerance=CONVOLUTIONS,
    )


CASES = (
    *(_gram("relu", 5000, dtype, OURS, PEER, FLOOR) for dtype in ("float64", "float32")),
    *(_gram("relu", 5000, dtype, OURS, PEER, FLOOR, distinct=True) for dtype in ("float64", "float32")),
    *(_gram("erf", n, "float64", OURS, PEER, FLOOR) for n in (2000, 5000)),
    _gram("gelu", 2000, "float64", OURS, PEER),
    _smooth("gelu", 2000, SERIES, PEER),
    _smooth("gelu", 200, QUADRATURE, NUMERICAL),
    _smooth("tanh", 2000, SERIES),
    _smooth("tanh", 200, QUADRATURE, NUMERICAL),
    _empirical(100, 512, 1, PEER, TUTORIAL),
    _empirical(300, 512, 1, PEER),
    _empirical(500, 2048, 1, PEER),
    _empirical(100, 512, 10, PEER),
    _flow(cold=True),
    _flow(cold=False),
    _times(cold=True),
    _times(cold=False),
    _cntk("global", 16, 6, "float64"),
    _cntk("global", 28, 4, "float32", 1, 2),
    _cntk("flat", 16, 60, "float64"),
    _cntk("flat", 28, 60, "float32"),
    _cntk("flat", 16, 6, "float64"),
    _cntk("flat", 16, 8, "float64"),
    _cntk("flat", 16, 12, "float64"),
    _cntk("flat", 16, 24, "float64"),
    Case(
        name="gntk",
        title="NTK of the first {n} graphs of MUTAG, {blocks} blocks, and the paper's loops over nodes",
        task="gntk",
        parameters={"n": 48, "blocks": 2, "dtype": "float64"},
        quick={"n": 3},
        sides=(OURS, Side("loops over nodes", "loops")),
        tolerance=LOOPS,
    ),
    Case(
        name="cores",
        title="NNGP and NTK, {activation}, depth {depth}, n = {n}, d = {d}: two cores and one",
        task="gram",
        parameters={"activation": "relu", "n": 5000, "d": 784, "depth": 4, "dtype": "float64"},
        quick=SMALL,
        sides=(Side("two cores", "ours", cores=2), Side("one core", "ours")),
        tolerance=CLOSED,
        clock="wall",
    ),
    Case(
        name="cuda",
        title="NNGP and NTK, {activation}, depth {depth}, n = {n}, d = {d}: accelerator and one core",
        task="gram",
        parameters={"activation": "relu", "n": 5000, "d": 784, "depth": 4, "dtype": "float32"},
        quick=SMALL,
        sides=(Side("ntk-teach, CUDA", "ours", {"device": "cuda"}), OURS),
        tolerance=CLOSED,
        clock="wall",
    ),
    Case(
        name="disk",
        title="NNGP and NTK, {activation}, depth {depth}, n = {n}, d = {d}, to disk",
        task="gram_on_disk",
        parameters={"activation": "relu", "n": 60_000, "d": 784, "depth": 4, "dtype": "float32"},
        quick={"n": 200, "d": 20},
        sides=(OURS,),
        tolerance={},
        large=True,
    ),
)
