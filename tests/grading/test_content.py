"""Pages made of what students wrote: nothing acts, prose is prose, and a person can read what became of the work."""

from __future__ import annotations

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from graded_class import armed, room, site
from in_browser import PATIENCE, Visitor, apart, chromium
from texts_to_show import TRICKS

from ntk_teach.grading.classroom.feedback_page import FeedbackPage
from ntk_teach.grading.classroom.sanitize import safe_attachments, safe_markdown, safe_outputs

pytestmark = pytest.mark.browser
__all__ = ["chromium", "room", "site"]  # fixtures

# Elements of a text; MathJax makes others of formulas.
ELEMENTS = re.compile(
    "a|article|b|blockquote|br|code|dd|del|div|dl|dt|em|h[1-6]|hr|img|li|ol|p|pre|section|span|strong|table|tbody|td|th"
    "|thead|tr|ul"
)
MATHJAX = "mjx-container"
# Every element under a selector, but for those of formulas: its name, its attributes, and how it is placed.
LOOK = """([selector, mathjax]) => [...document.querySelectorAll(selector)]
    .flatMap(top => [...top.querySelectorAll("*")]).filter(one => !one.closest(mathjax))
    .map(one => ({name: one.tagName.toLowerCase(), place: getComputedStyle(one).position,
        attributes: Object.fromEntries([...one.attributes].map(item => [item.name, item.value]))}))"""
LEADS = r"https?://(?!localhost)[^/].*|#.*|mailto:.*"
# What of a page of ours shows something of a student's; in formgrader those of the texts and the outputs.
PAGE, FORM = "article", "#notebook .rendered_html, #notebook .output, #notebook .input_area"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def visitor(browser, site, tmp_path):
    visitor = apart(Visitor)(browser, viewport={"width": 1200, "height": 900}, color_scheme="light")
    visitor.page.set_default_timeout(1000 * PATIENCE)
    yield visitor
    apart(visitor.page.screenshot)(path=tmp_path / "last.png")
    apart(visitor.close)()


def feedback(visitor, room, student: str):
    return visitor.open(room.course.feedback(room.slug, student).as_uri())


def on_form(visitor, room, site, student: str):
    visitor.open(site.address("manage_assignments"))  # where one logs in
    page = visitor.open(site.address("manage_students", student, room.slug))
    page.locator("#main-table a", has_text=room.slug).click()
    page.wait_for_function("window.formgrader?.grades?.loaded && formgrader.comments.loaded")
    return page


def strange(page, selector: str) -> list[str]:
    """Elements and attributes that no text needs."""
    found = page.evaluate(LOOK, [selector, MATHJAX])
    assert len(found) > 100, "nothing was looked at"
    odd = []
    for one in found:
        given = one["attributes"]
        fine = {"class", "href", "src", "alt", "title", "id", "start", "tabindex"}
        if re.fullmatch(r"text-align: ?(left|right|center);?", given.get("style", "")):
            fine |= {"style"}
        if "src" in given and not re.match(r"data:image/(png|jpeg);base64,", given["src"]):
            fine -= {"src"}
        if "href" in given and not re.fullmatch(LEADS, given["href"]):
            fine -= {"href"}
        if not ELEMENTS.fullmatch(one["name"]) or set(given) - fine or one["place"] in ("fixed", "sticky"):
            odd.append(f"<{one['name']} {given}> {one['place']}")
    return odd


def quiet(visitor) -> None:
    """Nothing ran, nobody was asked, nothing was opened; not even after some seconds and a click on every link."""
    page = visitor.page
    address = page.url
    for link in page.locator("article a, #notebook .rendered_html a").element_handles():
        link.evaluate("one => { one.addEventListener('click', event => event.button || event.preventDefault()); }")
        if not re.match(r"https?:|#", link.get_attribute("href") or ""):
            link.evaluate("one => one.click()")
    page.wait_for_timeout(300)
    assert not visitor.tried
    assert not visitor.foreign
    assert page.url.partition("#")[0].partition("?")[0] == address.partition("#")[0].partition("?")[0]


@apart
def test_nothing_acts_on_a_feedback_page(visitor, room) -> None:
    """Of everything that Markdown, HTML, TeX and outputs offer, only text arrives; each trick can still be read."""
    page = feedback(visitor, room, "mallory")
    quiet(visitor)
    assert strange(page, PAGE) == []
    text = page.inner_text("main")
    assert all(f"Trick {name}:" in text for name in TRICKS)
    assert "ExpatError" not in text  # everything that code can display was displayed
    assert text.count("<IPython.core.display.") >= 4
    assert page.locator("[data-mjx-error]").count() == 0
    assert not [line for line in visitor.console if "Content Security" in line]  # the policy had nothing to hold back


@apart
def test_nothing_acts_in_formgrader(visitor, room, site) -> None:
    """The same for the page on which a person gives points; no heading of a student's is a field of its form."""
    page = on_form(visitor, room, site, "mallory")
    quiet(visitor)
    assert strange(page, FORM) == []
    names = [f"05-{number}" for number in range(1, 7)] + ["05-6-comment"]
    assert [page.locator(f"[id='{name}']").count() for name in names] == [1] * 7
    assert page.evaluate("formgrader.grade_uis.every(one => one.$el.length === 1)")
    assert not visitor.console


@apart
def test_the_policy_of_a_feedback_page_holds_alone(visitor, room, tmp_path) -> None:
    """Were everything a student wrote left as it was, the browser would still run and load nothing of it."""
    page = room.course.feedback(room.slug, "dan").read_text()
    tricks = [armed(*item) for item in TRICKS.items() if item[0] not in ("closers", "refresh")]
    raw = tmp_path / "raw.html"
    raw.write_text(page.replace("</main>", "\n".join(tricks) + "</main>"))
    page = visitor.open(raw.as_uri())
    assert page.locator("script, iframe, [onerror]").count() > 3, "the tricks are not on the page"
    page.wait_for_timeout(300)
    assert not visitor.tried
    assert not visitor.foreign
    assert any("Content Security Policy" in line for line in visitor.console)


@apart
def test_prose_is_shown_as_it_was_meant(visitor, room, site) -> None:
    """Formulas, comparisons, code, tables, emphasis, links, pictures and every alphabet, on both pages."""
    for selector in (PAGE, FORM):
        page = feedback(visitor, room, "ada") if selector == PAGE else on_form(visitor, room, site, "ada")
        assert strange(page, selector) == []
        answer = page.locator("section.verdict, .nbgrader_cell", has_text="nearly nothing").last
        text = answer.inner_text()
        for words in (
            "a < b and b > a, if a < b: List[int]",
            '# a comment\nfor i in range(n):\n    if x[i](t) < y and z > 1: print("< ok>")',
            "Größe, naïve, 日本語, Ελληνικά, 🎉",
            "[x] wrong right",
        ):
            assert words in text.replace("\u2060", "")
        assert answer.locator("strong").inner_text() == "nearly nothing"
        assert answer.locator("td").all_inner_texts() == ["64", "-1.01"]
        links = answer.locator("a[href^=https]").evaluate_all("all => all.map(one => one.href)")
        assert links == ["https://arxiv.org/abs/1806.07572", "https://example.org/x?y=1&z=2"]
        pictures = page.locator("article img, #notebook img")
        assert pictures.count() == 1
        assert pictures.evaluate_all("all => all.every(one => one.naturalWidth > 0)")
        assert "3 < 4 & 5 > 4" in page.inner_text("body")
    page = feedback(visitor, room, "ada")
    formulas = page.locator("section.verdict mjx-container", has_text="").count()
    assert formulas >= 3
    assert page.locator("[data-mjx-error]").count() == 0


def test_an_attached_picture_is_shown_if_it_is_there() -> None:
    """What is not attached, or is no picture, stays text: nbgrader's pages would fail over it."""
    text, kept = "My plot: ![plot](attachment:plot.png)", safe_attachments({"plot.png": {"image/png": PIXEL}})
    assert safe_markdown(text, kept) == text
    assert "](" not in safe_markdown(text, safe_attachments({"plot.png": {"image/svg+xml": "<svg/>"}}))
    assert "](" not in safe_markdown(text)


@pytest.mark.parametrize("text", ["[" * 10_000, "![" * 5_000, "[" * 4_000 + "](" * 3_000, "[](files/" * 9_000])
def test_a_text_of_brackets_is_read_in_a_moment(text) -> None:
    """Each could begin a link, and its end would be looked for from each: the text is cut, others are not."""
    assert safe_markdown("[0, 1)") == "[0, 1)"  # the converter is imported
    before = time.process_time()
    shown = safe_markdown(text).replace("\u2060", "")
    assert text[:1_900] in shown
    assert len(shown) < 2_500
    assert time.process_time() - before < 0.5
    closed = "[0, 1] and [2, 3) " * 250
    assert safe_markdown(closed) == closed


def test_code_of_blank_lines_is_shown_in_a_moment() -> None:
    """The program that colors code would look for their end from each of them: such code stays plain."""
    colored = FeedbackPage().filters["highlight_code"]
    assert "<span" in colored("x = 1" + " \n" * 400)
    before = time.process_time()
    shown = colored("x < 1\n" + " \n" * 30_000 + "last")
    assert time.process_time() - before < 0.5
    assert "x &lt; 1" in shown
    assert "last" in shown


def test_a_traceback_names_the_library_and_not_the_graders_folders() -> None:
    """Where Python is installed is left out; the student's own words stay, and a line of slashes is quick."""
    lines = [
        "File /opt/course/.venv/lib/python3.11/site-packages/torch/nn/functional.py:7, in f",
        "3 / 4 /home is mine",
    ]
    error = {"output_type": "error", "ename": "E", "evalue": "-/" * 50_000, "traceback": lines}
    (made,) = safe_outputs([error], 1, 1_000_000)
    assert made.traceback == ["File …/torch/nn/functional.py:7, in f", lines[1]]


@apart
def test_a_page_says_what_became_of_each_task(visitor, room) -> None:
    """A word and points for every task, the program's message, and no number that was expected."""
    page = feedback(visitor, room, "mallory")
    results = [row.split("\t") for row in page.locator("table tbody").first.inner_text().splitlines()]
    assert [row[1:] for row in results] == [
        *[["failed", f"0 of {most} points"] for most in (3, 3, 3, 2, 3)],
        ["not read yet", "0 of 4 points"],
    ]
    assert "(Score: 0.0 / 18.0)" in page.inner_text("h1")
    told = page.locator("section.verdict").all_inner_texts()
    assert "ValueError: </pre><script>hit('answer')</script>" in told[3]
    for cell, verdict in room.verdicts("mallory").items():
        assert any(verdict["text"] in text for text in told), cell
    assert not any("tensor(" in text or "array(" in text for text in told[:5])


@apart
def test_a_refused_submission_has_a_page_with_the_reason(visitor, room) -> None:
    """And with nothing else: no task is called failed, no formula is waited for."""
    page = feedback(visitor, room, "dan")
    text = page.inner_text("main")
    assert "Not graded: 05_neural_tangent_kernel.ipynb is not a notebook: JSONDecodeError" in text
    assert text.count("not graded\t0 of ") == 6
    assert "failed" not in text
    assert page.locator("article, script").count() == 0


@pytest.mark.parametrize("student", ["ada", "mallory", "dan"])
@apart
def test_a_page_can_be_read_by_everybody(visitor, room, student) -> None:
    """axe finds nothing, in light and in dark; on a telephone nothing is cut off; no host is asked."""
    page = feedback(visitor, room, student)
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    ours = {"exclude": [".text"]} if student == "mallory" else None  # she leaves out levels of headings
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page, ours, {"resultTypes": ["violations"]}).response["violations"]
        assert [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]] == []
    assert not visitor.foreign
    assert not visitor.console
