"""The lock holds everything that pyproject.toml names: an environment from the lock lacks no extra."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINES = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line and not line.startswith("#")]
LOCK = {canonicalize_name(name): version for name, version in (line.split("==") for line in LINES)}
NAMED = {
    "core": PROJECT["project"]["dependencies"],
    "build": PROJECT["build-system"]["requires"],
    **PROJECT["project"]["optional-dependencies"],
}


@pytest.mark.parametrize(
    "requirement", [pytest.param(text, id=f"{group}: {text}") for group, texts in NAMED.items() for text in texts]
)
def test_the_lock_satisfies_what_the_project_names(requirement):
    """Each requirement is pinned, at a version that it allows."""
    wanted = Requirement(requirement)
    assert canonicalize_name(wanted.name) in LOCK, f"{wanted.name} is not in requirements.lock"
    assert wanted.specifier.contains(LOCK[canonicalize_name(wanted.name)])


def test_every_line_of_the_lock_is_one_exact_version():
    """No ranges, no local versions, no addresses."""
    odd = [line for line in LINES if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)]
    assert not odd
