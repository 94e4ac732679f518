"""What every test shares. ntk_teach is not imported here: the run-time type checker must be installed before it."""

import os
from collections.abc import Iterator

import jaxtyping
import pytest
from hypothesis import HealthCheck, settings

# Same examples on every machine and every run: a red test must be red again tomorrow.
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=25)
# The long version looks for new ones; what it finds is printed and becomes an explicit example.
settings.register_profile(
    "soak", derandomize=False, deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Without the run-time check of array shapes: for thousands of tiny networks, where it is most of the time."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", before)
