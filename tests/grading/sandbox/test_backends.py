"""Which sandbox is taken, and what is said where there is none: never none in silence."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from ntk_teach.grading.sandbox import backends, launch, view
from ntk_teach.grading.sandbox.backends import NAMES, SandboxError, chosen
from ntk_teach.grading.sandbox.process import Ended

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


def nothing_works(backend: str, limits: object) -> None:
    raise Ended("start", f"the sandbox could not be set up: no {backend} here")


@pytest.mark.parametrize("user", [0, 1000])
def test_without_a_sandbox_grading_is_refused_and_told_what_to_install(monkeypatch, user) -> None:
    """Each way with its reason; the way out is named and not taken."""
    monkeypatch.setattr(os, "getuid", lambda: user)
    monkeypatch.setattr(launch, "probe", nothing_works)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SandboxError) as error:
        chosen()
    for words in (*(f"{name}: " for name in NAMES), "apt-get install bubblewrap", "--unsandboxed"):
        assert words in str(error.value)
    assert chosen("unsandboxed") == "unsandboxed"


@pytest.mark.parametrize("asked", ["docker", "bubblewrap", "user", "root"])
def test_what_was_asked_for_by_name_is_taken_or_refused(monkeypatch, asked) -> None:
    """Nothing else in its place."""
    monkeypatch.setattr(launch, "probe", nothing_works)
    with pytest.raises(SandboxError, match=f"{asked}: "):
        chosen(asked)


def test_the_first_that_works_is_taken(monkeypatch) -> None:
    """In the order of preference."""
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(launch, "probe", lambda backend, limits: backend == "user" and nothing_works(backend, limits))
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert chosen() == "bubblewrap"
    monkeypatch.setattr(launch, "probe", lambda backend, limits: None)
    assert chosen() == "user"


def test_only_linux_has_one(monkeypatch) -> None:
    """Elsewhere the reason is the system, and nothing is tried."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert {backend.detail for backend in backends.found()} == {"needs Linux, this is darwin"}


def test_root_takes_its_own_way_alone(monkeypatch) -> None:
    """In a namespace of users that root made, processes stay the machine's root by number."""
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(launch, "probe", lambda backend, limits: None)
    assert [backend.name for backend in backends.found() if backend.works] == ["root"]
    assert "ordinary user" in next(b.detail for b in backends.found() if b.name == "user")


@ROOT
def test_an_environment_that_only_its_owner_can_read_is_named(tmp_path) -> None:
    """Each submission runs as a user of its own, who must be able to read Python: what to do is told."""
    home = tmp_path / "mine"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    site = sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)})
    Path(site, "all.pth").write_text("\n".join([sysconfig.get_path("purelib"), str(Path(view.__file__).parents[3])]))
    home.chmod(0o700)
    code = "from ntk_teach.grading.sandbox.backends import _tried; print(_tried('root').detail)"
    told = subprocess.run(
        [home / "bin" / "python", "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert f"{home} is for its owner alone: chmod -R o+rX {home}" in told


def test_what_would_help_is_withheld_wherever_it_stands(tmp_path) -> None:
    """This library, a repository below what is shown, another library with the same kernels, an index's password."""
    site = tmp_path / "env" / "lib" / "site-packages"
    for name in ("ntk_teach", "ntk_teach-0.1.dist-info", "nbgrader", "neural_tangents", "torch"):
        (site / name).mkdir(parents=True)
    repository = tmp_path / "env" / "src" / "ntk-teach"
    (repository / "ntk_teach").mkdir(parents=True)
    (tmp_path / "env" / "pip.conf").touch()
    shows = [str(tmp_path / "env")]
    found = view.withheld([str(site)], str(repository / "ntk_teach"), shows)
    assert {Path(path).name for path in found} == {
        "ntk_teach",
        "ntk_teach-0.1.dist-info",
        "nbgrader",
        "neural_tangents",
        "ntk-teach",
        "pip.conf",
    }
    elsewhere = view.withheld([str(site)], str(tmp_path / "work" / "ntk_teach"), shows)
    assert str(tmp_path / "work") not in elsewhere
