"""The built book: where it is, which pages it has, what a visit to one records."""

import os
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route

REPOSITORY = Path(__file__).parents[2]
SITE = REPOSITORY / "_build" / "html"
# Without a built book there is one page, and its test says what is lacking.
PAGES = sorted(
    page
    for page in (path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
    if not page.startswith("_static/")
) or ["index.html"]


def lacking(what: str, do: str) -> None:
    """A check that cannot run: said in one sentence, and a failure where nobody is there to read it."""
    sentence = f"{what}: {do}"
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Requests are recorded in the browser; the terminal is for the tests."""


class Visit:
    """A page and what went wrong while it was looked at."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.foreign: list[str] = []
        self.failed: list[str] = []
        self.console: list[str] = []
        page.route("**/*", self._only_here)
        page.on("requestfailed", lambda request: self.failed.append(f"{request.url}: {request.failure}"))
        page.on(
            "response", lambda answer: answer.status >= 400 and self.failed.append(f"{answer.url}: {answer.status}")
        )
        page.on("console", lambda line: line.type in ("error", "warning") and self.console.append(line.text))
        page.on("pageerror", lambda error: self.console.append(str(error)))

    def _only_here(self, route: Route) -> None:
        url = route.request.url
        if url.startswith(self.address) or urlsplit(url).scheme in ("data", "blob"):
            route.continue_()
        else:
            self.foreign.append(url)
            route.abort()

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.address}/{path}", wait_until="load")
        self.page.wait_for_function("!window.MathJax || MathJax.startup && MathJax.startup.promise.then(() => true)")
        return self.page
