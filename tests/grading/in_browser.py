"""nbgrader's formgrader behind a real Jupyter server, and a visitor who writes down everything that a page tries."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
BIN = Path(sys.executable).parent
PATH = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])  # nbgrader starts its database tool by bare name
PATIENCE = 60  # seconds for a server to answer, on a machine with other things to do
# formgrader's page asks a foreign host for MathJax 2, and waits for its signal. Here it gets this.
MATHJAX = "cdnjs.cloudflare.com/ajax/libs/mathjax/"
SILENT_MATHJAX = """window.MathJax = {Hub: {Config() {}, Queue() {}, Startup: {signal: {Interest(hear) {
    window.addEventListener("load", () => setTimeout(() => hear("End"))); }}}}};"""


_thread = ThreadPoolExecutor(1, "browser")
P, T = ParamSpec("P"), TypeVar("T")


def apart(function: Callable[P, T]) -> Callable[P, T]:
    """The function on the browser's own thread: Playwright works once in a thread, and others may have this one."""

    @wraps(function)
    def run(*given: P.args, **named: P.kwargs) -> T:
        return _thread.submit(function, *given, **named).result()

    return run


@contextmanager
def _launched() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        sentence = "no Chromium on the path: install it (Debian: apt-get install chromium) to check the pages"
        pytest.fail(sentence, pytrace=False) if os.environ.get("CI") else pytest.skip(sentence)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture(scope="module", name="browser")
def chromium() -> Iterator[Browser]:
    """What is done with it, is done ``apart``."""
    stack = ExitStack()
    yield apart(stack.enter_context)(_launched())
    apart(stack.close)()


@dataclass
class Formgrader:
    """A server that is starting, or runs."""

    server: subprocess.Popen[bytes]
    home: Path
    token: str

    def address(self, *path: str) -> str:
        """A page of formgrader, with the token; waits until the server has written down that it listens."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.server.poll() is None:
            for file in (self.home / "runtime").glob("jpserver-*.json"):
                with suppress(ValueError):  # half written
                    port = json.loads(file.read_text())["port"]
                    return f"http://127.0.0.1:{port}/formgrader/{'/'.join(path)}?token={self.token}"
            time.sleep(0.1)
        raise RuntimeError(f"the Jupyter server did not start:\n{(self.home / 'log').read_text()}")


@contextmanager
def formgrader(course: Path, home: Path) -> Iterator[Formgrader]:
    """formgrader for this course; ``home`` is a new folder for all that Jupyter keeps."""
    home.mkdir(parents=True)
    settings = {
        "ServerApp": {
            "jpserver_extensions": {"nbgrader.server_extensions.formgrader": True},
            "ip": "127.0.0.1",
            "port": 0,
            "root_dir": str(course),
            "allow_root": True,
            "open_browser": False,
        },
        "IdentityProvider": {"token": secrets.token_hex(16)},
    }
    (home / "server.json").write_text(json.dumps(settings))
    variables = {
        **os.environ,
        "PATH": PATH,
        "HOME": str(home),
        "JUPYTER_NO_CONFIG": "1",  # nothing but this file
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
    }
    command = [sys.executable, "-m", "jupyter_server", f"--config={home / 'server.json'}"]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=course, env=variables, stdout=log, stderr=log)
    try:
        yield Formgrader(server, home, settings["IdentityProvider"]["token"])
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


class Visitor:
    """A page, and what was tried on it: code that ran, hosts that were asked, dialogs, other pages."""

    def __init__(self, browser: Browser, **context: object) -> None:
        self.context = browser.new_context(**context)
        self.page: Page = self.context.new_page()
        self.foreign: list[str] = []
        self.tried: list[str] = []
        self.console: list[str] = []
        self.home = ""
        self.context.expose_function("hit", lambda what: self.tried.append(f"ran: {what}"))
        self.context.route("**/*", self._only_here)
        self.context.on("page", lambda page: self.tried.append(f"opened: {page.url}"))
        self.page.on("dialog", self._dialog)
        self.page.on("console", lambda line: line.type in ("error", "warning") and self.console.append(line.text))
        self.page.on("pageerror", lambda error: self.console.append(str(error)))

    def _dialog(self, dialog) -> None:
        self.tried.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _only_here(self, route: Route) -> None:
        url = route.request.url
        if MATHJAX in url and urlsplit(self.home).scheme == "http":
            route.fulfill(body=SILENT_MATHJAX, content_type="text/javascript")
        elif url.startswith(self.home) or urlsplit(url).scheme in ("data", "blob"):
            route.continue_()
        else:
            self.foreign.append(url)
            route.abort()

    def open(self, url: str) -> Page:
        """Go there; nothing but this host, or this file, can be reached from now on."""
        parts = urlsplit(url)
        self.home = url if parts.scheme == "file" else f"{parts.scheme}://{parts.netloc}/"
        self.page.goto(url, wait_until="load")
        self.page.wait_for_function("!window.MathJax?.startup || MathJax.startup.promise.then(() => true)")
        return self.page

    def close(self) -> None:
        self.context.close()


def nbgrader(course: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """nbgrader's own command, as an instructor types it."""
    command = [sys.executable, "-m", "nbgrader", *words]
    return subprocess.run(
        command, cwd=course, env={**os.environ, "PATH": PATH}, capture_output=True, text=True, check=False, timeout=120
    )
