"""The tests of this folder once more, as an ordinary user: what root can do everybody can."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NOBODY = "65534"
# In mounts of its own: a home folder of root's, in which Python may stand, is passed through and nothing else of it.
SCRIPT = """
mount --make-rprivate / || exit 99
if [ -n "$PASS" ]; then
    mount -t tmpfs tmpfs /mnt && mkdir /mnt/kept && mount --bind "$PASS" /mnt/kept || exit 99
    mount -t tmpfs -o mode=755 tmpfs "$CLOSED" && mkdir -p "$PASS" && mount --move /mnt/kept "$PASS" || exit 99
fi
exec setpriv --reuid $WHO --regid $WHO --clear-groups "$@"
"""


@pytest.fixture
def home() -> Iterator[str]:
    """A folder of that user's own."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, int(NOBODY), int(NOBODY))
        yield folder


def closed_folder(path: Path) -> Path | None:
    """The folder on the way to Python that others may not pass, if there is one."""
    return next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001), None)


@pytest.mark.skipif(os.getuid() != 0, reason="the other tests have just run as an ordinary user")
def test_the_same_holds_for_an_ordinary_user(home) -> None:
    """Namespaces of an ordinary user, and bubblewrap, pass every test of this folder that asks for a sandbox."""
    python = Path(sys.base_prefix).resolve()
    closed = closed_folder(python / "bin")
    words = {"PASS": str(python) if closed else "", "CLOSED": str(closed), "WHO": NOBODY, "HOME": home}
    run = subprocess.run(
        [
            *("unshare", "--mount", "sh", "-c", SCRIPT, "sh", sys.executable, "-m", "pytest", str(HERE), "-q"),
            *("-p", "no:cacheprovider", f"--basetemp={home}/base"),
            *(f"--ignore={HERE}/test_{name}.py" for name in ("ordinary_user", "replies", "backends")),
        ],
        env=os.environ | words | {"PYTHONDONTWRITEBYTECODE": "1"},
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if run.returncode == 99:
        pytest.skip(f"this root may not mount: {run.stderr.strip()}")
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert int(re.findall(r"(\d+) passed", run.stdout)[-1]) > 40, run.stdout[-3000:]
