"""The other programs' own environment, in .cache/peers: 2.6 GB, made once, apart from ours."""

# ruff: noqa: T201 - it says what it installs

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".cache" / "peers"
# The last release, and the jax on which it was found to run; later ones have removed what it uses.
REQUIREMENTS = ("neural-tangents==0.6.5", "jax==0.4.30", "jaxlib==0.4.30", "numpy<2", "scipy<1.13")
PINNED = [requirement.split("==") for requirement in REQUIREMENTS if "==" in requirement]


class PeersError(Exception):
    """The other programs cannot be run here; the message says why, and what to do."""


def interpreter(folder: Path = FOLDER) -> Path:
    return folder / "bin" / "python"


def stands(folder: Path = FOLDER) -> bool:
    """Is every pinned version installed there?"""
    if not interpreter(folder).exists():
        return False
    question = f"import importlib.metadata as m; print(all(m.version(n) == v for n, v in {PINNED!r}))"
    answer = subprocess.run([interpreter(folder), "-c", question], capture_output=True, text=True, check=False)
    return answer.stdout.strip() == "True"


def build(folder: Path = FOLDER, requirements: tuple[str, ...] = REQUIREMENTS) -> Path:
    """Make the environment unless it stands; returns its interpreter. Raises PeersError."""
    if stands(folder):
        return interpreter(folder)
    if not (3, 9) <= sys.version_info[:2] <= (3, 12):
        received = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise PeersError(_sentence(f"Python 3.9 to 3.12, for which jaxlib 0.4.30 is built, received {received}"))
    print(f"peers: installing {', '.join(requirements)} into {folder} (2.6 GB; minutes, once)", flush=True)
    pip = [str(interpreter(folder)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
    venv = [] if interpreter(folder).exists() else [[sys.executable, "-m", "venv", str(folder)]]
    for step in (*venv, pip):
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise PeersError(_sentence(f"{requirements[0]} to be installed, received: {last}"))
    return interpreter(folder)


def _sentence(what: str) -> str:
    return f"benchmarks, peers: expected {what}; run with --ours for this library alone, or try again with a network"
