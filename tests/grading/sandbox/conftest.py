"""Each way to make a sandbox that this machine has. Where CI is set, one of them must work."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))

from boxes import LIBRARY, REFUSAL  # noqa: E402

from ntk_teach.grading.sandbox import backends  # noqa: E402
from ntk_teach.grading.sandbox.limits import Limits  # noqa: E402
from ntk_teach.grading.sandbox.sandboxes import WARM, Sandboxes  # noqa: E402


@dataclass(frozen=True)
class Planted:
    """A word in places that a sandbox must not see.

    Args:
        word: the word.
        paths: of files with it.
        variable: of the grader's environment.
    """

    word: str
    paths: tuple[str, ...]
    variable: str


@pytest.fixture(scope="session")
def planted(tmp_path_factory) -> Iterator[Planted]:
    """Before the first sandbox stands: in the environment, in files here and there, in another process's words."""
    word = f"canary-{secrets.token_hex(16)}"
    folders = [tempfile.gettempdir(), str(tmp_path_factory.mktemp("course")), os.path.expanduser("~"), "/dev/shm"]
    paths = [Path(folder, f"ntk-planted-{word[-8:]}") for folder in folders if os.access(folder, os.W_OK)]
    for path in paths:
        path.write_text(word)
    os.environ["NTK_TEACH_CANARY"] = word
    waiting = [sys.executable, "-c", "import sys; sys.stdin.read()", word]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE) as other:
        yield Planted(word, tuple(map(str, paths)), "NTK_TEACH_CANARY")
        other.kill()
    del os.environ["NTK_TEACH_CANARY"]
    for path in paths:
        path.unlink()


@pytest.fixture(scope="session")
def working() -> dict[str, backends.Backend]:
    """Every way, tried out once."""
    found = {backend.name: backend for backend in backends.found()}
    if os.environ.get("CI") and not any(backend.works for backend in found.values()):
        pytest.fail("; ".join(f"{backend.name}: {backend.detail}" for backend in found.values()))
    return found


@pytest.fixture(scope="session", params=["root"] if os.getuid() == 0 else ["user", "bubblewrap"])
def sandboxes(request, working, planted) -> Iterator[Sandboxes]:
    backend = working[request.param]
    if not backend.works:
        pytest.skip(f"{backend.name}: {backend.detail}")
    with Sandboxes(backend.name) as made:
        yield made


@pytest.fixture
def warm(sandboxes) -> Sandboxes:
    """Where a new sandbox costs a fork: for tests that need one to end it. What limits it is the same everywhere."""
    if sandboxes.backend not in WARM:
        pytest.skip(f"{sandboxes.backend} starts an interpreter for each sandbox")
    return sandboxes


@pytest.fixture(scope="session")
def box(sandboxes):
    """One sandbox for all tests that leave it as it was."""
    one = sandboxes.open(Limits(messages=20, output=64 * 1024, wall=7200))  # it waits while others work
    one.begin(LIBRARY, REFUSAL)
    yield one
    one.close()
