"""The table to browse, in a browser, on a page that lies on disk."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "book" / "_static"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Papers</title><style>{css}</style>
<script defer src="{static}/browse.js"></script></head><body><main><h1>Papers</h1>
<table class="ntk-browse"><thead><tr><th class="head"><p>Paper</p></th><th class="head"><p>Year</p></th></tr></thead>
<tbody><tr><td><a href="https://example.org/b">Beta kernels</a></td><td>2019</td></tr>
<tr><td>Alpha kernels</td><td>998</td></tr><tr><td>Gamma networks</td><td>2024</td></tr></tbody></table>
</main></body></html>"""


@pytest.fixture
def opened(browser, tmp_path):
    contexts = []

    def opens(**context):
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        target = tmp_path / "papers.html"
        css = (STATIC / "book.css").read_text(encoding="utf-8")
        target.write_text(PAGE.format(css=css, static=STATIC.as_uri()), encoding="utf-8")
        page.goto(target.as_uri())
        return page

    yield opens
    for context in contexts:
        context.close()


def seen(page):
    rows = "rows => rows.filter(row => !row.hidden).map(row => row.cells[0].textContent.split(' ')[0])"
    return page.eval_on_selector_all("tbody tr", rows)


def test_a_heading_sorts_up_and_then_down(opened):
    """Years as numbers, titles as words; the direction is announced, and one column has it."""
    page = opened()
    year, paper = page.get_by_role("button", name="Year"), page.get_by_role("button", name="Paper")
    year.click()
    assert seen(page) == ["Alpha", "Beta", "Gamma"]
    year.press("Enter")
    assert seen(page) == ["Gamma", "Beta", "Alpha"]
    assert page.locator("th").nth(1).get_attribute("aria-sort") == "descending"
    paper.click()
    assert seen(page) == ["Alpha", "Beta", "Gamma"]
    assert page.locator("th[aria-sort]").count() == 1


def test_words_filter_the_rows(opened):
    """All words must be in the row, in any order and case; the number of rows is announced."""
    page = opened()
    field = page.get_by_role("searchbox", name="Filter")
    field.fill("KERNELS 20")
    assert seen(page) == ["Beta"]
    assert page.locator("output").text_content() == "1 of 3"
    field.fill("")
    assert seen(page) == ["Beta", "Alpha", "Gamma"]


def test_accessible_and_complete_without_a_script(opened):
    """axe finds nothing; scripts off, all rows are there and nothing that does nothing."""
    found = Axe().run(opened()).response["violations"]
    assert not [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]
    plain = opened(java_script_enabled=False)
    assert plain.locator("tbody tr:visible").count() == 3
    assert plain.locator("button, input").count() == 0
