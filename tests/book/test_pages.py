"""What every page of the built book promises its reader, asked of a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from built_book import PAGES

pytestmark = pytest.mark.browser

COUNT_MATHEMATICS = """() => ({
    sources: document.querySelectorAll('.math').length,
    rendered: document.querySelectorAll('.math > mjx-container').length,
    errors: document.querySelectorAll('mjx-merror, [data-mjx-error]').length,
})"""


def violations(page) -> list[str]:
    """Every rule that axe has on by default, and its experimental ones; each element that one of them names."""
    axe = Axe()
    page.evaluate(axe.axe_script)  # the page can then be asked for the names of the rules
    experimental = page.evaluate("axe.getRules(['experimental']).map(rule => rule.ruleId)")
    # The report lists violations alone: to describe everything that passes took as long again.
    options = {"rules": {rule: {"enabled": True} for rule in experimental}, "resultTypes": ["violations"]}
    found = axe.run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("path", PAGES)
def test_page(visit, path):
    """A page asks nobody else for anything, says nothing on the console, shows its mathematics, passes axe in light
    and in dark, and fits a telephone."""
    page = visit.open(path)
    mathematics = page.evaluate(COUNT_MATHEMATICS)
    # As the page left them: axe itself fetches style sheets again, by addresses that it guesses.
    foreign, failed, console = list(visit.foreign), list(visit.failed), list(visit.console)
    light = violations(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    # Colors fade from one theme to the other; halfway, contrast is nobody's.
    page.wait_for_function("document.getAnimations().every(animation => animation.playState !== 'running')")
    dark = violations(page)
    page.set_viewport_size({"width": 375, "height": 800})
    width = page.evaluate("document.documentElement.scrollWidth")

    assert not foreign, "the page asks a foreign host"
    assert not failed, "a request failed"
    assert not console, "the page writes errors or warnings on the console"
    assert mathematics["rendered"] == mathematics["sources"], "mathematics that MathJax did not render"
    assert mathematics["errors"] == 0, "mathematics with an error in it"
    assert not light, "axe, light"
    assert not dark, "axe, dark"
    assert width <= 375, "the page scrolls sideways on a telephone"
    assert not visit.foreign, "switching to dark or to a telephone asks a foreign host"


def test_the_figure_answers_to_the_keyboard(visit):
    """On the chapter's page the arrow key moves the width, and with it the curves and the number that is read out."""
    page = visit.open("book/05_neural_tangent_kernel.html")
    figure = page.locator("figure.ntk-width").first
    slider = figure.locator("input[type=range]")
    curves = "all => all.map(path => path.getAttribute('d'))"

    def state() -> tuple[str, list[str], str]:
        paths = figure.locator("svg path").evaluate_all(curves)
        return slider.get_attribute("aria-valuetext"), paths, figure.locator("[aria-live], output").first.inner_text()

    slider.focus()
    page.keyboard.press("Home")
    before = state()
    page.keyboard.press("ArrowRight")
    after = state()
    for what, old, new in zip(("the width", "the curves", "the readout"), before, after, strict=True):
        assert old != new, f"{what} did not change"
    assert not visit.console


def test_search_finds_a_page_of_the_book(visit):
    """The search works from its own button, by keyboard, without a server that computes."""
    page = visit.open("book/index.html")
    page.get_by_role("button", name="Search").first.click()
    page.keyboard.type("tangent")
    page.keyboard.press("Enter")
    page.wait_for_selector("ul.search li a")
    assert "neural tangent kernel" in page.locator("ul.search").inner_text().lower()
    assert not visit.foreign
