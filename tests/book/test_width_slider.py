"""The width slider in a browser, alone on a page of its own that lies on disk, as a reader without a server has it."""

import re
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from ntk_teach.interactive import width_slider

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "book" / "_static"
ANGLES = np.linspace(-np.pi, np.pi, 121)
LIMIT = 0.06 + 0.22 * np.exp(-(ANGLES**2))
WIDTHS = [4, 16, 64, 256, 1024]
PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>A slider</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root {{ --pst-color-text-base: {ink}; }} body {{ background: {paper}; color: {ink}; margin: 1rem; }}</style>
<style>{css}</style><script defer src="{static}/width_slider.js"></script>
</head><body><main><h1>A slider</h1>{figures}</main></body></html>"""
THEMES = {"light": {"ink": "#222832", "paper": "#ffffff"}, "dark": {"ink": "#ced6dd", "paper": "#121212"}}


def figure(seed=0, start=64):
    random = np.random.default_rng(seed)
    curves = {n: LIMIT + random.normal(size=(10, 1)) * np.cos(ANGLES) * 0.4 / n**0.5 for n in WIDTHS}
    return width_slider(ANGLES, curves, LIMIT, caption="As $n$ grows.", alt="Ten kernels.", start=start).html


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


def paths(page):
    return page.eval_on_selector_all(".ntk-networks path", "all => all.map(path => path.getAttribute('d'))")


def readings(page):
    return page.locator(".ntk-reading b").all_text_contents()


def drawn_by_python(html):
    return re.findall(r'<path d="([^"]+)" vector-effect="non-scaling-stroke"/>', html)


@pytest.mark.parametrize("key, width", [("ArrowRight", 256), ("ArrowLeft", 16), ("Home", 4), ("End", 1024)])
def test_keys_move_the_width_to_what_python_draws_for_it(opened, key, width):
    """After a key the script's curves and numbers are, to the letter, those that Python writes for that width."""
    page = opened(figure())
    slider = page.get_by_role("slider", name="Width n")
    assert paths(page) == drawn_by_python(figure())
    slider.focus()
    slider.press(key)
    there = figure(start=width)
    assert paths(page) == drawn_by_python(there) != drawn_by_python(figure())
    assert readings(page) == re.findall(r"<b>([^<]+)</b>", there)
    assert readings(page)[0] == page.locator(".ntk-n").text_content() == str(width)
    assert slider.get_attribute("aria-valuetext") == f"width {width}"
    tint = page.locator("g.ntk-networks").first.evaluate("group => group.style.stroke")
    assert tint == re.search(r'ntk-networks"[^>]*style="stroke:(var\(--ntk-net-\d)', there)[1] + ")"


def test_pointer_moves_the_width_too(opened):
    """A tap on the right end of the slider goes to the widest network."""
    page = opened(figure(), has_touch=True, viewport={"width": 375, "height": 700})
    box = page.locator("input").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert readings(page)[0] == "1024"
    assert box["height"] >= 44


def test_two_sliders_on_a_page_are_independent(opened):
    """Moving one leaves the other."""
    page = opened(figure(seed=0), figure(seed=1))
    page.get_by_role("slider").nth(1).press("End")
    assert readings(page)[0] == "64"
    assert readings(page)[4] == "1024"


def test_figure_stands_without_a_script(opened):
    """Scripts off: no slider that does nothing, but a sentence, the curves and the numbers."""
    page = opened(figure(), java_script_enabled=False)
    assert not page.locator("input").is_visible()
    assert page.locator(".ntk-still").is_visible()
    assert page.locator(".ntk-networks path").first.is_visible()
    assert page.locator("output").is_visible()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [375, 1000])
def test_accessible_and_never_wider_than_the_page(opened, theme, width):
    """axe, with every rule, finds nothing; no sideways scroll; letters keep their size on a telephone."""
    page = opened(figure(), theme=theme, viewport={"width": width, "height": 800})
    page.locator("summary").click()
    found = Axe().run(page).response["violations"]
    assert not [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heights = page.eval_on_selector_all("svg text", "all => all.map(text => text.getBoundingClientRect().height)")
    assert min(heights) >= 12


def test_focus_is_seen(opened):
    """A slider reached by the keyboard shows it."""
    page = opened(figure())
    page.keyboard.press("Tab")
    style = page.locator("input:focus").evaluate("slider => getComputedStyle(slider).outlineStyle")
    assert style == "solid"


@pytest.mark.parametrize("theme", THEMES)
def test_curves_take_the_colors_of_the_theme(opened, theme):
    """The tint on the screen is the palette's for that theme, and on paper always the light one."""
    page = opened(figure(), theme=theme)
    css = "group => getComputedStyle(group).stroke"
    on_screen = page.locator("g.ntk-networks").first.evaluate(css)
    page.emulate_media(media="print")
    on_paper = page.locator("g.ntk-networks").first.evaluate(css)
    assert on_paper == "rgb(43, 111, 176)"
    assert (on_screen == on_paper) is (theme == "light")
    assert not page.locator("input").is_visible()
