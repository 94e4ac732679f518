"""What stands around a grading: listeners, a process to kill, secrets to find, and a look at what was left behind."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import selectors
import site
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from corpus.readers import ACTIVE

__all__ = ["Listeners", "acting", "canary", "files_left", "processes_left", "snapshot", "victim"]

GRADERS_OWN = {"autograded", "feedback", ".state", "gradebook.db", "gradebook.db-journal", "grades.csv"}


def canary(place: str) -> str:
    """A word that stands in one place only."""
    return f"canary-{place}-{secrets.token_hex(16)}"


class Listeners:
    """Ears on 127.0.0.1 and on two Unix sockets; ``heard`` is what reached them."""

    def __init__(self, folder: Path, mark: str) -> None:
        self.heard: list[str] = []
        self.socket, self.abstract = folder / "ear", f"{mark}-ear"
        tcp, udp = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        self.port, self.datagrams = tcp.getsockname()[1], udp.getsockname()[1]
        self._ears = {"tcp": tcp, "udp": udp, "path": self._unix(str(self.socket))}
        if sys.platform.startswith("linux"):
            self._ears["abstract"] = self._unix("\0" + self.abstract)
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @staticmethod
    def _unix(address: str) -> socket.socket:
        ear = socket.socket(socket.AF_UNIX)
        ear.bind(address)
        ear.listen()
        return ear

    def _listen(self) -> None:
        with selectors.DefaultSelector() as ready:
            for name, ear in self._ears.items():
                ready.register(ear, selectors.EVENT_READ, name)
            ready.register(self._stopped, selectors.EVENT_READ, "")
            while True:
                for key, _ in ready.select():
                    if not key.data:
                        return
                    ear = self._ears[key.data]
                    if key.data == "udp":
                        ear.recv(1000)
                    else:
                        ear.accept()[0].close()
                    self.heard.append(key.data)

    def close(self) -> None:
        self._stop.send(b"x")
        self._thread.join()
        for ear in (*self._ears.values(), self._stop, self._stopped):
            ear.close()


@contextlib.contextmanager
def victim() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing, and shall live until the end."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"]) as process:
        try:
            yield process
        finally:
            process.kill()


def snapshot(course: Path) -> dict[str, str]:
    """Everything in a course that a grading must not change, as path to kind and content."""
    found = {}
    for top in sorted(course.iterdir()):
        if top.name not in GRADERS_OWN:
            for path in [top, *(top.rglob("*") if top.is_dir() and not top.is_symlink() else [])]:
                found[str(path.relative_to(course))] = _described(path)
    return found


def _described(path: Path) -> str:
    facts = path.lstat()
    kind = f"{stat.filemode(facts.st_mode)} {facts.st_size}"
    if stat.S_ISLNK(facts.st_mode):
        return f"{kind} {os.readlink(path)}"
    if stat.S_ISREG(facts.st_mode) and facts.st_size < 30_000_000 and os.access(path, os.R_OK):
        return f"{kind} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return kind if not stat.S_ISDIR(facts.st_mode) else stat.filemode(facts.st_mode)


def processes_left(mark: str) -> list[str]:
    """Processes that call themselves by the mark, and wardens and interiors of sandboxes below this process."""
    if not os.path.isdir("/proc/self"):
        return []
    found, parents, names = [], {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            before, _, after = (folder / "stat").read_text().rpartition(")")
            number = int(folder.name)
            parents[number], names[number] = int(after.split()[1]), before.partition("(")[2]
            if after.split()[0] != "Z" and (mark in words or names[number] == mark[:15]):
                found.append(f"{number} {words or names[number]}")
    for number in parents:
        above = number
        while above in parents and above != os.getpid():
            above = parents[above]
        if above == os.getpid() and names[number] in ("ntk-warden", "ntk-first"):
            found.append(f"{number} {names[number]}")
    return found


def files_left(mark: str, *more: Path) -> list[Path]:
    """Files with the mark, where an entry may have put one. They are removed: one failure shall not bring the next."""
    home = Path.home()
    places = [
        Path(tempfile.gettempdir()),
        *map(Path, ("/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock", "/etc/cron.d")),
    ]
    places += [home, home / ".config/autostart", home / ".ipython/profile_default/startup", home / ".local/bin"]
    places += [Path(p) for p in ("/etc/profile.d", "/etc/ld.so.conf.d", "/var/spool/cron/crontabs", "/usr/local/bin")]
    places += [Path(p) for p in (*site.getsitepackages(), site.getusersitepackages(), *sys.path) if p]
    places += [Path.cwd(), Path(sys.prefix) / "bin"]
    found = []
    for place in dict.fromkeys(places):
        with contextlib.suppress(OSError):
            found += [path for path in place.iterdir() if path.name.startswith((mark, "corpus-left"))]
    for place in more:
        found += [path for path in place.rglob("*") if path.name.startswith((mark, "corpus-left"))]
    for path in found:
        with contextlib.suppress(OSError):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    return found


class _Acting(HTMLParser):
    """Where the mark of what is active stands in a page: in an attribute that acts, in a script, in a style."""

    ACTS = (
        "href",
        "src",
        "srcset",
        "srcdoc",
        "data",
        "action",
        "formaction",
        "content",
        "style",
        "poster",
        "background",
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            acts = name.startswith("on") or name in self.ACTS or name.endswith(":href")
            leads = tag == "a" and name == "href" and (value or "").startswith(("http://", "https://", "mailto:", "#"))
            if value and ACTIVE in value and acts and not leads:
                self.found.append(f"<{tag} {name}={value[:60]!r}>")
            if (
                value
                and name.endswith("href")
                and value.strip().lower().startswith(("javascript:", "data:", "vbscript:"))
            ):
                self.found.append(f"<{tag} {name}={value[:60]!r}>")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem and ACTIVE in data:
            self.found.append(f"<{self.cdata_elem}> {data[:60]!r}")


def acting(page: str) -> list[str]:
    """What of a student's text would run, load or cover something in a browser."""
    parser = _Acting()
    parser.feed(page)
    parser.close()
    return parser.found
