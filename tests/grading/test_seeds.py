"""Inputs: public for practice, secret and equal for all at grading."""

import json

from ntk_teach.grading.seeds import VARIABLE, grading_seed, practice_seed, seed_for


def test_grading_seeds_depend_on_everything_that_they_should() -> None:
    """Secret, assignment and task each change the seed; the same three give the same seed."""
    seed = grading_seed(b"secret", "05_a", "05.1")
    assert seed == grading_seed(b"secret", "05_a", "05.1")
    others = [(b"other", "05_a", "05.1"), (b"secret", "06_a", "05.1"), (b"secret", "05_a", "05.2")]
    assert len({seed, *[grading_seed(*other) for other in others]}) == 4


def test_the_grader_decides_where_there_is_one(monkeypatch) -> None:
    """Its seeds come through the environment of the kernel; without them the public seed counts."""
    monkeypatch.delenv(VARIABLE, raising=False)
    assert seed_for("05.1") == practice_seed("05.1")
    monkeypatch.setenv(VARIABLE, json.dumps({"05.1": 77}))
    assert seed_for("05.1") == 77
    assert seed_for("05.2") == practice_seed("05.2")
