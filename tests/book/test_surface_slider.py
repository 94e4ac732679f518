"""The surface in a browser, alone on a page of its own that lies on disk, as a reader without a server has it."""

import re
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from ntk_teach.interactive import surface
from ntk_teach.interactive.relief import Relief

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "book" / "_static"
OFFSETS = np.linspace(-1, 1, 9)
VALUES = 0.3 + (OFFSETS[:, None] ** 2 - 0.5) ** 2 + 2 * OFFSETS**2 + 0.2 * OFFSETS[:, None] * OFFSETS
RELIEF = Relief.of(OFFSETS, VALUES, where="here")
PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>A surface</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root {{ --pst-color-text-base: {ink}; }} body {{ background: {paper}; color: {ink}; margin: 1rem; }}</style>
<style>{css}</style><script defer src="{static}/surface.js"></script>
</head><body><main><h1>A surface</h1>{figures}</main></body></html>"""
THEMES = {"light": {"ink": "#222832", "paper": "#ffffff"}, "dark": {"ink": "#ced6dd", "paper": "#121212"}}


def figure(cut=4, values=VALUES):
    return surface(OFFSETS, values, caption="Over $a_1$.", alt="A valley.", cut=cut).html


@pytest.fixture
def opened(browser, tmp_path):
    """Opens the page with these figures on it; every word on the console is a failure."""
    contexts, complaints = [], []

    def opens(*figures, theme="light", **context):
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.on("console", lambda line: complaints.append(line.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        target = tmp_path / f"{theme}.html"
        # axe fetches linked style sheets once more, which no page on disk may do, so this one stands in the page.
        css = (STATIC / "figures.css").read_text(encoding="utf-8")
        html = PAGE.format(theme=theme, css=css, static=STATIC.as_uri(), figures="".join(figures), **THEMES[theme])
        target.write_text(html, encoding="utf-8")
        page.goto(target.as_uri())
        return page

    yield opens
    for context in contexts:
        context.close()
    assert not complaints


def numbers(paths):
    return [np.array(re.findall(r"(-?\d+) (-?\d+)", path), dtype=int) for path in paths]


def drawn(page, selector):
    return page.eval_on_selector_all(selector, "all => all.map(path => path.getAttribute('d'))")


def readings(page):
    return page.locator(".ntk-reading b").all_text_contents()


def same_to_a_unit(one, other):
    """A sine may differ in its last digit between the two languages, and a rounding with it."""
    assert len(one) == len(other)
    return all(np.abs(a - b).max() <= 1 for a, b in zip(numbers(one), numbers(other), strict=True))


@pytest.mark.parametrize(
    "key, presses, turn, tilt", [("ArrowRight", 9, 80, 30), ("Home", 1, -180, 30), ("ArrowLeft", 20, -65, 30)]
)
def test_keys_turn_the_surface_to_what_python_draws_for_it(opened, key, presses, turn, tilt):
    """Cells, in their order from far to near, their tints and the cut are those that Python computes for that side."""
    page = opened(figure())
    before = drawn(page, ".ntk-cells path")
    slider = page.get_by_role("slider", name="Turn")
    for _ in range(presses):
        slider.press(key)
    after = drawn(page, ".ntk-cells path")
    cells = RELIEF.cells(turn, tilt)
    assert same_to_a_unit(after, [d for _, d in cells])
    assert not same_to_a_unit(after, before)
    fills = page.eval_on_selector_all(".ntk-cells path", "all => all.map(path => path.getAttribute('fill'))")
    assert fills == [f"var(--ntk-net-{tint})" for tint, _ in cells]
    assert same_to_a_unit(drawn(page, ".ntk-cut"), [RELIEF.cut(4, turn, tilt)] * 2)
    assert slider.get_attribute("aria-valuetext") == f"{turn} degrees"
    names = page.eval_on_selector_all(".ntk-names text", "all => all.map(t => parseFloat(t.getAttribute('x')))")
    np.testing.assert_allclose(names, [x / 100 for x, _ in RELIEF.names(turn, tilt)], atol=0.02)


def test_tilt_looks_from_above(opened):
    """The same for the other angle."""
    page = opened(figure())
    page.get_by_role("slider", name="Tilt").press("End")
    assert same_to_a_unit(drawn(page, ".ntk-cells path"), [d for _, d in RELIEF.cells(35, 80)])


@pytest.mark.parametrize("key, row", [("ArrowRight", 5), ("Home", 0), ("End", 8)])
def test_keys_move_the_cut_and_its_numbers(opened, key, row):
    """After a key the curve and the readings are, to the letter, those that Python writes for that cut."""
    page = opened(figure())
    slider = page.get_by_role("slider", name="Cut at a₁")
    slider.press(key)
    there = figure(cut=row)
    assert readings(page) == re.findall(r"<b>([^<]+)</b>", there) == list(RELIEF.readings(row))
    assert drawn(page, ".ntk-curve") == [RELIEF.profile(row)]
    assert same_to_a_unit(drawn(page, ".ntk-cut"), [RELIEF.cut(row, 35, 30)] * 2)
    assert slider.get_attribute("aria-valuetext") == f"a₁ = {RELIEF.readings(row)[0]}"


def test_two_surfaces_on_a_page_are_independent(opened):
    """Moving one leaves the other."""
    page = opened(figure(), figure(values=VALUES.T))
    page.get_by_role("slider", name="Cut at a₁").nth(1).press("End")
    assert readings(page)[0] == "0.00"
    assert readings(page)[3] == "1.00"


def test_figure_stands_without_a_script(opened):
    """Scripts off: no slider that does nothing, but a sentence, the drawing and the numbers."""
    page = opened(figure(), java_script_enabled=False)
    assert not page.locator("input").first.is_visible()
    assert page.locator(".ntk-still").is_visible()
    assert page.locator(".ntk-cells path").first.is_visible()
    assert page.locator("output").is_visible()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [375, 1000])
def test_accessible_and_never_wider_than_the_page(opened, theme, width):
    """axe, with every rule, finds nothing; no sideways scroll; sliders are as high as a finger, letters legible."""
    page = opened(figure(), theme=theme, viewport={"width": width, "height": 800})
    page.locator("summary").click()
    found = Axe().run(page).response["violations"]
    assert not [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.get_by_role("slider").first.bounding_box()["height"] >= 44
    heights = page.eval_on_selector_all("svg text", "all => all.map(text => text.getBoundingClientRect().height)")
    assert min(heights) >= 12


@pytest.mark.parametrize("theme", THEMES)
def test_colors_are_those_of_the_theme(opened, theme):
    """The tint on the screen is the palette's for that theme, and on paper always the light one."""
    page = opened(figure(), theme=theme)
    css = "line => getComputedStyle(line).stroke"
    on_screen = page.locator(".ntk-curve").evaluate(css)
    page.emulate_media(media="print")
    on_paper = page.locator(".ntk-curve").evaluate(css)
    assert on_paper == "rgb(194, 65, 12)"
    assert (on_screen == on_paper) is (theme == "light")
    assert not page.locator("input").first.is_visible()
