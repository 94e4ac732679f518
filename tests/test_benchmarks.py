"""The benchmarks measure what they say: pairs, agreement before time, and a report that tells where it comes from."""

import ast
import json
import platform
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # they are no part of the package, and not installed

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import inputs, measure, pairing, peers, report, worker  # noqa: E402
from benchmarks.cases import CASES, NUMERICAL, OURS, SMALL, Case, Side  # noqa: E402
from benchmarks.machine import allowed_cores  # noqa: E402
from benchmarks.programs import FaultError, Program  # noqa: E402

positive = st.floats(1e-3, 1e3)


@given(st.lists(st.tuples(positive, positive), min_size=1, max_size=9), positive)
def test_a_ratio_of_pairs_does_not_see_the_speed_of_the_machine(pairs, factor):
    """Slow every second round down, both sides alike: median, lowest and highest ratio stay."""
    moods = [factor if i % 2 else 1.0 for i in range(len(pairs))]
    plain = pairing.paired_ratio([a for a, _ in pairs], [b for _, b in pairs])
    moody = pairing.paired_ratio(
        [a * m for (a, _), m in zip(pairs, moods, strict=True)], [b * m for (_, b), m in zip(pairs, moods, strict=True)]
    )
    assert moody == pytest.approx(plain, rel=1e-12)


def test_the_ratio_is_the_other_over_the_reference():
    """Three times as slow is 3, by the median, with the extremes beside it."""
    assert pairing.paired_ratio([1.0, 2.0, 1.0], [3.0, 2.0, 4.0]) == (3.0, 1.0, 4.0)
    with pytest.raises(ValueError, match=r"shorter|longer"):
        pairing.paired_ratio([1.0, 2.0], [1.0])


def test_programs_are_called_in_turn_and_every_second_round_backwards():
    """a b, b a, a b: no program always follows the same other one."""
    order = []

    def call(name):
        order.append(name)
        return {"wall": 1.0, "cpu": 1.0}

    calls = {name: (lambda name=name: call(name)) for name in "ab"}
    rounds = pairing.alternate(calls, seconds=1e9, least=1, most=3)
    assert "".join(order) == "abbaab"
    assert [len(clocks) for clocks in rounds.values()] == [3, 3]


@pytest.mark.parametrize("seconds, least, most, rounds", [(0, 2, 9, 2), (5, 1, 9, 3), (1e9, 1, 4, 4), (0, 0, 9, 0)])
def test_rounds_end_with_the_time_but_not_below_the_least(seconds, least, most, rounds):
    """Two calls of one second a round: five seconds begin three rounds."""
    calls = {name: (lambda: {"wall": 1.0, "cpu": 0.0}) for name in "ab"}
    assert len(pairing.alternate(calls, seconds=seconds, least=least, most=most)["a"]) == rounds


@pytest.mark.parametrize("n", [3, 128, 129, 1000])
def test_a_sample_of_a_kernel_keeps_its_diagonal(n):
    """Every so-manieth row and column, at most 128 of them, the same ones on both axes."""
    found = worker.sample(np.arange(n)[:, None] - np.arange(n)[None, :])
    assert found.shape[0] == found.shape[1] <= 128
    assert (np.diag(found) == 0).all() and (found == -found.T).all()


def test_difference_is_relative_to_the_largest_entry_and_apart_on_the_diagonal():
    """One entry off by 1e-3 of the maximum, one on the diagonal by 1e-2."""
    theirs = np.full((4, 4), -2.0)
    ours = theirs.copy()
    ours[0, 3] += 2e-3
    ours[1, 1] -= 2e-2
    assert measure.difference(ours, theirs) == pytest.approx((1e-3, 1e-2))
    assert measure.difference(ours[:, :3], theirs[:, :3]) == pytest.approx((1e-2, 0.0))  # no diagonal


@pytest.mark.parametrize("wrong", [np.full((4, 4), np.nan), np.ones((4, 3)), np.ones((4, 4)) + 1e-6 * np.eye(4)[::-1]])
def test_numbers_that_differ_are_no_numbers_to_time(tmp_path, wrong):
    """NaN, another shape, or an entry beyond the tolerance."""
    np.savez(tmp_path / "a.npz", k=wrong)
    np.savez(tmp_path / "b.npz", k=np.ones((4, 4)))
    with pytest.raises(measure.DisagreementError):
        measure.agreement(tmp_path / "a.npz", tmp_path / "b.npz", (1e-9, 1e-9))


def test_a_missing_kernel_is_a_disagreement_and_no_kernel_at_all_is_the_floor(tmp_path):
    """A program that returns one of two kernels is not compared by that one alone."""
    np.savez(tmp_path / "both.npz", nngp=np.eye(3), ntk=np.eye(3))
    np.savez(tmp_path / "one.npz", nngp=np.eye(3))
    np.savez(tmp_path / "none.npz")
    with pytest.raises(measure.DisagreementError, match="ntk"):
        measure.agreement(tmp_path / "both.npz", tmp_path / "one.npz", (1.0, 1.0))
    assert measure.agreement(tmp_path / "both.npz", tmp_path / "none.npz", (0.0, 0.0)) == {}


def test_a_program_that_breaks_down_beside_ours_fails_the_run_and_keeps_the_rest(tmp_path, monkeypatch):
    """Its reason stands in the table, the other programs' rows remain, and the status is 1."""
    broken = Side("broken", "no_such_program")
    parameters = {"activation": "relu", "depth": 2, "dtype": "float64", **SMALL}
    monkeypatch.setattr(command, "CASES", (Case("b", "{n}", "gram", parameters, {}, (OURS, broken), {}),))
    assert command.main(["--rounds", "1", "1", "--out", str(tmp_path)]) == 1
    record = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))
    assert record["failed"] == ["broken"] and "no_such_program" in record["absent"]["broken"]
    assert list(record["sides"]) == ["ntk-teach"]


def test_a_case_whose_programs_disagree_has_no_result():
    """Two kernels of different activations, through the whole harness: refused by name before anything is timed."""
    other = Side("other", "ours", {"activation": "erf"})
    parameters = {"activation": "relu", "depth": 2, "dtype": "float64", **SMALL}
    case = Case("wrong", "{n}", "gram", parameters, {}, (OURS, other), {"float64": (1e-12, 1e-7)})
    with pytest.raises(measure.DisagreementError, match="wrong, other: nngp"):
        measure.measured(case, measure.Settings(None))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One small case, measured without the other programs, by the command line."""
    folder = tmp_path_factory.mktemp("results")
    words = ["--quick", "--ours", "--only", "erf_2000", "--rounds", "2", "2", "--out", str(folder)]
    assert command.main(words) == 0
    return folder


def test_a_result_says_what_was_measured_where_and_with_what(results):
    """Date, machine, versions, sizes, every repetition; no host name and no path."""
    text = (results / "erf_2000_float64.json").read_text(encoding="utf-8")
    record = json.loads(text)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", record["date"])
    assert record["machine"]["processor"] and record["machine"]["cores"] >= 1
    assert record["parameters"] == {"activation": "erf", "depth": 4, "dtype": "float64", "distinct": False, **SMALL}
    ours, floor = record["sides"]["ntk-teach"], record["sides"]["measured floor"]
    assert {"torch", "python", "ntk-teach"} <= ours["versions"].keys()
    for side in (ours, floor):
        assert len(side["cpu"]) == len(side["wall"]) == record["rounds"] == 2
        assert min(side["wall"]) > 0 and side["first"]["wall"] > 0
    assert ours["first"]["result_bytes"] == 2 * 60 * 60 * 8
    assert ours["first"]["dtypes"] == ["float64"]
    assert str(Path.home()) not in text and str(ROOT) not in text
    assert not re.search(rf"(?<![\w.-]){re.escape(platform.node())}(?![\w.-])", text)


def test_the_table_names_who_is_missing_and_why(results):
    """A program that was left out is said to be, beside the rows of those that were not."""
    table = (results / "table.md").read_text(encoding="utf-8")
    assert "**NNGP and NTK, erf, depth 4, n = 60, d = 20**, float64; 2 rounds" in table
    assert "\n| ntk-teach | " in table and "\n| measured floor | " in table
    assert "Not measured: neural-tangents: the other programs were left out (--ours)." in table


def record(name: str, n: int, seconds: dict[str, float]) -> dict:
    """A synthetic result."""
    side = {"versions": {"torch": "2"}, "cores": 1, "difference": {"ntk": [1e-9, 2e-9]}}
    first = {"wall": 1.0, "cpu": 1.0, "peak_bytes": 5_000_000, "result_bytes": 2_000_000}
    sides = {
        label: {**side, "first": first, "cpu": [s, 2 * s], "wall": [s, s], "ratio": {"median": s, "low": s, "high": s}}
        for label, s in seconds.items()
    }
    machine = {"processor": "P", "cores": 2, "memory_gb": 8, "system": "Linux", "load": 0.1}
    return {
        "case": name,
        "title": name,
        "date": "2026-01-01 00:00 UTC",
        "machine": machine,
        "parameters": {"n": n, "dtype": "float64"},
        "rounds": 2,
        "sides": sides,
        "absent": {},
    }


def test_a_table_is_read_back_in_the_order_of_the_cases(tmp_path):
    """The fewest CPU seconds, the memory beyond the result, the largest difference; cases in their own order."""
    for case in (record("tanh_series_200", 200, {"a": 0.25}), record("erf_2000_float64", 2000, {"a": 0.125, "b": 250})):
        report.save(case, tmp_path)
    (tmp_path / "unknown.json").write_text("{}")
    table = report.table(report.saved(tmp_path))
    assert table.index("**erf_2000_float64**") < table.index("**tanh_series_200**")
    assert "| b | 1 | 250 | 250 | 250 (250 to 250) | 3 | 2.0e-09 |" in table
    assert "| a | 1 | 0.125 | 0.125 | 1 | 3 | 2.0e-09 |" in table
    assert report.table([]).count("Nothing measured yet.") == 1


def test_what_was_not_run_is_called_extrapolated():
    """Quadrature at n = 2000 is a hundred times its measured time at n = 200, and the table says that it is not run."""
    small = record("gelu_series_200", 200, {"ours": 0.1, NUMERICAL.label: 2.0})
    large = record("gelu_series_2000", 2000, {"ours": 0.5})
    table = report.table([small, large])
    assert "Extrapolated, not run: gelu by quadrature at n = 2000 would take 200 s" in table
    assert "400 times our measured 0.5 s" in table
    assert "Extrapolated" not in report.table([large])


def test_a_program_that_fails_is_a_fault_with_its_reason():
    """An unknown program is named; of a process that ends, the status is told."""
    with (
        Program(Side("x", "no_such"), Path(sys.executable), allowed_cores(), timeout=30) as program,
        pytest.raises(FaultError, match=r"ModuleNotFoundError.*no_such"),
    ):
        program.prepare(CASES[0], {})
    with (
        Program(OURS, Path("/bin/false"), allowed_cores(), timeout=30) as program,
        pytest.raises(FaultError, match="its process ended with status 1"),
    ):
        program.ask("again")


def test_a_round_is_one_long_call_or_the_median_of_short_ones(monkeypatch):
    """The first short call, which finds other programs' data in the caches, does not count alone."""
    work, now = worker.Work.__new__(worker.Work), [0.0]
    lengths = iter([0.04, 0.004, 0.005, 0.006, 0.2])

    def call() -> dict[str, np.ndarray]:
        now[0] += next(lengths)
        return {}

    work.call = call
    for clock in ("perf_counter", "process_time"):
        monkeypatch.setattr(worker.time, clock, lambda: now[0])
    assert work.again() == pytest.approx({"cpu": 0.006, "wall": 0.006})
    assert work.again() == pytest.approx({"cpu": 0.2, "wall": 0.2})


def test_a_program_that_is_silent_is_given_up(tmp_path):
    """No answer within the time is a fault, and the process ends with the block."""
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    with (
        Program(OURS, silent, allowed_cores(), timeout=0.1) as program,
        pytest.raises(FaultError, match="no result within 0 s"),
    ):
        program.ask("again")
    assert program.process.returncode == -9


def test_without_an_index_the_refusal_says_what_to_do(tmp_path, monkeypatch, capsys):
    """pip's own last line, and the way on; the command ends with status 2 and measures nothing."""
    begun = tmp_path / "peers" / "bin" / "python"  # an environment in which pip finds nothing
    begun.parent.mkdir(parents=True)
    begun.write_text("#!/bin/sh\necho 'ERROR: No matching distribution' >&2\nexit 1\n")
    begun.chmod(0o755)
    with pytest.raises(
        peers.PeersError,
        match=r"expected neural-tangents==0\.6\.5.*received: ERROR: No matching distribution; run with --ours",
    ):
        peers.build(tmp_path / "peers")
    assert not peers.stands(tmp_path / "peers")

    def refuse():
        raise peers.PeersError("no network")

    monkeypatch.setattr(peers, "build", refuse)
    assert command.main(["--only", "erf_2000", "--out", str(tmp_path / "results")]) == 2
    assert "no network" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_cases_have_names_of_their_own_and_programs_that_know_the_task():
    """Every task is in the TASKS of the side's file; every small size belongs to a parameter of the case."""
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.quick.keys() <= case.parameters.keys() | {"distinct", "times"}, case.name
        for side in case.sides:
            tree = ast.parse((ROOT / "benchmarks" / "sides" / f"{side.module}.py").read_text(encoding="utf-8"))
            tasks = next(
                n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "TASKS"
            )
            assert case.task in {key.value for key in tasks.keys}, (case.name, side.label)


def test_what_takes_long_is_done_only_on_request():
    """`make bench` leaves the large cases out; a name picks them together with --large only."""
    assert not any(case.large for case in command.chosen([], large=False))
    assert [case.name for case in command.chosen(["disk"], large=True)] == ["disk"]
    assert command.main(["--only", "no such case"]) == 2


def test_every_program_receives_the_same_numbers():
    """One seed is one draw; float32 is the rounded float64; the batches differ but share their clusters."""
    assert np.array_equal(inputs.points(7, 3, "float64").astype("float32"), inputs.points(7, 3, "float32"))
    assert not np.array_equal(inputs.points(7, 3, "float64"), inputs.points(7, 3, "float64", seed=1))
    (w1, b1), (w2, b2) = inputs.parameters([4, 5, 2], "float32")
    assert (w1.shape, b1.shape, w2.shape, b2.shape) == ((5, 4), (5,), (2, 5), (2,))
    k, k_test, y = inputs.regression(8, 3, 2, "float64")
    assert (k.shape, k_test.shape, y.shape) == ((8, 8), (3, 8), (8, 2))
    assert np.linalg.eigvalsh(k).min() > 0


def test_the_committed_table_is_that_of_the_committed_results():
    """benchmarks/results/table.md is what its JSON files give."""
    assert (command.RESULTS / "table.md").read_text(encoding="utf-8") == report.table(report.saved(command.RESULTS))
