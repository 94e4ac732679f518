"""The two commands on machines that lack something, on their second run, and the library without its extras."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command, **environment) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | environment)


@pytest.fixture
def machine(tmp_path):
    """Runs tools/machine where only these programs exist: name -> a shell script's body."""

    def look(python="python3", **programs: str) -> subprocess.CompletedProcess:
        for name, body in programs.items():
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\n{body}\n")
            program.chmod(0o755)
        copy = tmp_path / "tools"
        copy.mkdir()
        shutil.copy(ROOT / "tools" / "machine", copy)
        return subprocess.run(
            ["/bin/sh", "tools/machine", python],
            cwd=tmp_path,
            env={"PATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    return look


# A Python that answers the two questions put to it: its version, and whether it has venv.
PYTHON = 'case "$2" in *version_info*) echo {version};; *venv*) exit {venv};; esac'


@pytest.mark.parametrize(
    "programs, sentence",
    [
        ({"git": ""}, "'python3' is not on the path"),
        ({"git": "", "python3": PYTHON.format(version="3.10", venv=0)}, "and python3 is 3.10"),
        ({"git": "", "python3": PYTHON.format(version="3.14", venv=0)}, "and python3 is 3.14"),
        ({"git": "", "python3": "exit 1"}, "'python3' does not start"),
        ({"git": "", "python3": PYTHON.format(version="3.12", venv=1)}, "apt-get install python3.12-venv"),
        ({"python3": PYTHON.format(version="3.12", venv=0)}, "git is not on the path"),
    ],
)
def test_what_is_missing_is_one_sentence(machine, programs, sentence):
    """A missing or unfit tool is one line that names it and what to do; the status stops make."""
    answer = machine(**programs)
    assert answer.returncode == 1
    assert sentence in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert not answer.stdout


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_a_machine_with_everything_is_taken_without_a_word(machine, version):
    """The three versions that the project supports, with git: nothing to say."""
    answer = machine(git="", python3=PYTHON.format(version=version, venv=0))
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_an_environment_of_another_python_is_named(machine, tmp_path):
    """.venv of 3.11 and a request for 3.13: said, not mixed."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    installed = tmp_path / ".venv" / "bin" / "python"
    installed.write_text("#!/bin/sh\necho 3.11\n")
    installed.chmod(0o755)
    answer = machine(git="", python3=PYTHON.format(version="3.13", venv=0))
    assert answer.returncode == 1
    assert "the environment in .venv is of Python 3.11, and python3 is 3.13" in answer.stderr


def test_help_names_every_command():
    """`make` alone lists the commands and does nothing else."""
    listed = run("make").stdout
    assert all(f"make {name} " in listed for name in ("book", "test", "serve", "soak", "clean", "env"))


@pytest.mark.skipif(
    not (ROOT / ".venv" / "installed").exists(),
    reason="this is about the environment that make creates: run `make env`",
)
def test_the_second_make_book_does_no_work_twice():
    """With a book that stands, `make book` installs nothing, executes nothing, and is done in a moment."""
    # The Makefile finds its own programs; the test runner's make variables would be taken for its own.
    plain = {"MAKEFLAGS": "", "MFLAGS": "", "MAKELEVEL": ""}
    first = run("make", "book", **plain)
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    started = time.monotonic()
    second = run("make", "book", **plain)
    seconds = time.monotonic() - started
    assert second.returncode == 0
    said = second.stdout + second.stderr
    assert "installing" not in said and "the book is up to date" in said
    assert seconds < 15, f"took {seconds:.0f} s"  # half a second by itself


@pytest.fixture(scope="session")
def core() -> Path:
    """A Python with the core alone, installed against the lock; kept in .cache until the dependencies change.

    The library itself is installed afresh each time, as a wheel: what is not packaged is missed.
    """
    recipe = b"".join((ROOT / name).read_bytes() for name in ("requirements.lock", "pyproject.toml"))
    key = hashlib.sha256(recipe + sys.version.encode()).hexdigest()[:12]
    place = ROOT / ".cache" / f"core-{key}"
    python = place / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if not (place / "installed").exists():
        for old in place.parent.glob("core-*"):
            shutil.rmtree(old)
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([*pip, "-c", "requirements.lock", "flit_core"], cwd=ROOT, check=True)
        subprocess.run([*pip, "-c", "requirements.lock", "--no-build-isolation", "."], cwd=ROOT, check=True)
        (place / "installed").touch()
    else:
        again = [*pip, "--no-build-isolation", "--no-deps", "--force-reinstall", "."]
        subprocess.run(again, cwd=ROOT, check=True)
    return python


LEARN = """
import importlib.util, pathlib, sys
import ntk_teach as ntk
from ntk_teach.grading import check
import ntk_teach.grading.check
x, y = ntk.data.circle(8)
theta = ntk.zoo.mlp(3).ntk(x)
assert theta.shape == (8, 8)
assert pathlib.Path(ntk.__file__).is_relative_to(sys.prefix), ntk.__file__
extras = ["matplotlib", "nbgrader", "jupytext", "IPython", "dask", "pytest", "sphinx", "mlxtend"]
assert not [name for name in extras if importlib.util.find_spec(name)]
"""


def test_the_core_alone_imports_and_checks(core, tmp_path):
    """`pip install .` against the lock, without extras: the library works and `check` is there; no extra came along."""
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [core, "-P", "-c", LEARN]
    answer = subprocess.run(command, cwd=tmp_path, env=plain, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
