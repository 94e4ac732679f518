"""The slider over frames in a browser, on a page of its own that lies on disk, as a reader without a server has it."""

from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from ntk_teach import plot
from ntk_teach.interactive import frames

pytestmark = pytest.mark.browser

STATIC = Path(__file__).parents[2] / "book" / "_static"
TIMES = ["0", "0.5", "3.2", "10"]
PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>Frames</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root {{ --pst-color-text-base: {ink}; }} body {{ background: {paper}; color: {ink}; margin: 1rem; }}</style>
<style>{css}</style><script defer src="{static}/frames.js"></script>
</head><body><main><h1>Frames</h1>{figures}</main></body></html>"""
THEMES = {"light": {"ink": "#222832", "paper": "#ffffff"}, "dark": {"ink": "#ced6dd", "paper": "#121212"}}


def figure(start="3.2", shift=0.0):
    drawn = {}
    for t in TIMES:
        drawn[t], ax = plot.canvas()
        x = np.linspace(-3, 3, 50)
        ax.plot(x, np.sin(x + shift) * np.exp(-float(t)))
        ax.set_ylim(-1, 1)
    readings = {t: f"cost {np.exp(-float(t)):.3f}" for t in TIMES}
    words = {"caption": "As $t$ grows.", "alt": "A fit.", "readings": readings, "start": start}
    return frames(drawn, parameter="t", **words).html


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


def seen(page):
    """Values of the frames that are on the screen."""
    shown = "all => all.filter(f => f.getBoundingClientRect().height > 0).map(f => f.dataset.value)"
    return page.eval_on_selector_all(".ntk-frame", shown)


def test_keys_show_one_frame_its_value_and_its_reading(opened):
    """Arrow keys, Home and End go through the frames; the line, the value in words and the picture agree."""
    page = opened(figure())
    slider = page.get_by_role("slider", name="t")
    assert seen(page) == ["3.2"]
    slider.focus()
    for key, value in [("ArrowRight", "10"), ("ArrowLeft", "3.2"), ("ArrowLeft", "0.5"), ("Home", "0"), ("End", "10")]:
        slider.press(key)
        assert seen(page) == [value]
        assert slider.get_attribute("aria-valuetext") == value
        assert page.locator("output").text_content() == f"t = {value} — cost {np.exp(-float(value)):.3f}"
        label = page.locator(".ntk-frame:not([hidden]) [role=img]").get_attribute("aria-label")
        assert f"Here t = {value} — cost" in label
    assert not page.locator(".ntk-still").is_visible()


def test_pointer_moves_it_and_the_page_does_not_jump(opened):
    """A tap on the right end shows the last frame, and the slider stays where it was."""
    page = opened(figure(), has_touch=True, viewport={"width": 375, "height": 900})
    box = page.locator("input").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert seen(page) == ["10"]
    assert page.locator("input").bounding_box() == box
    assert box["height"] >= 44


def test_two_figures_on_a_page_are_independent(opened):
    """Moving one leaves the other."""
    page = opened(figure(), figure(shift=1.0))
    page.get_by_role("slider").nth(1).press("Home")
    assert seen(page) == ["3.2", "0"]


def test_start_frame_stands_alone_without_a_script(opened):
    """Scripts off: no slider that does nothing, one frame, its line, and a sentence."""
    page = opened(figure(), java_script_enabled=False)
    assert not page.locator("input").is_visible()
    assert [page.locator(".ntk-frame").nth(k).is_visible() for k in range(4)] == [False, False, True, False]
    assert page.locator(".ntk-still").is_visible()
    assert page.locator("output").text_content().startswith("t = 3.2")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [375, 1000])
def test_accessible_and_never_wider_than_the_page(opened, theme, width):
    """axe, with every rule, finds nothing; no sideways scroll; on a telephone the letters are a telephone's."""
    page = opened(figure(), theme=theme, viewport={"width": width, "height": 800})
    page.locator("summary").click()
    found = Axe().run(page).response["violations"]
    assert not [(rule["id"], node["html"]) for rule in found for node in rule["nodes"]]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.locator(".ntk-frame:not([hidden]) svg:visible")
    assert shown.count() == 1
    assert shown.get_attribute("class") == ("ntk-narrow" if width == 375 else "ntk-wide")


def test_focus_is_seen_and_paper_has_no_slider(opened):
    """The keyboard's place shows on the slider; print shows the frame alone."""
    page = opened(figure())
    page.keyboard.press("Tab")
    style = page.locator("input:focus").evaluate("slider => getComputedStyle(slider).outlineStyle")
    assert style == "solid"
    page.emulate_media(media="print")
    assert not page.locator("input").is_visible()
    assert seen(page) == ["3.2"]


@pytest.mark.parametrize("theme", THEMES)
def test_axes_take_the_colors_of_the_theme(opened, theme):
    """Letters of the frame have the color of the page's text."""
    page = opened(figure(), theme=theme)
    fill = page.locator(".ntk-frame:not([hidden]) svg:visible text").first.evaluate("e => getComputedStyle(e).fill")
    assert fill == {"light": "rgb(34, 40, 50)", "dark": "rgb(206, 214, 221)"}[theme]
