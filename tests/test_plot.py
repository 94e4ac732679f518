"""The visual language, figures inside a page, and each figure against the numbers it was given."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import same_color, to_rgb

from ntk_teach import errors, plot
from ntk_teach.plot.caption import caption_html
from ntk_teach.plot.palette import DARK, LIGHT, TINTS, css_names, tints

STYLE_SHEET = Path(__file__).parents[1] / "book" / "_static" / "figures.css"
ANGLES = np.linspace(-np.pi, np.pi, 41)
LIMIT = 0.1 + 0.2 * np.exp(-(ANGLES**2))
# Brettel–Viénot–Mollon one-plane matrices, linear RGB: what a reader without red or without green cones sees.
BLINDNESS = {
    "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


def linear(color):
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """The contrast ratio of the accessibility guidelines."""
    low, high = sorted(float(linear(color) @ [0.2126, 0.7152, 0.0722]) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb):
    """CIE 1976 L*a*b* of linear RGB: in it, distance is difference as seen."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.clip(to_xyz @ rgb, 1e-6, None) / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def curves(seeds=3, seed=0):
    return LIMIT + 0.02 * np.random.default_rng(seed).normal(size=(seeds, len(ANGLES)))


def ids(html):
    return re.findall(r'\bid="([^"]+)"', html)


@pytest.fixture
def ax():
    return plot.canvas()[1]


@pytest.mark.parametrize("theme, opening", [(LIGHT, ":root {"), (DARK, 'html[data-theme="dark"] {')])
def test_style_sheet_and_palette_say_the_same(theme, opening):
    """Every color of the palette is the value of its CSS variable in that theme, and no other variable is set there."""
    block = STYLE_SHEET.read_text(encoding="utf-8").split(opening, 1)[1].split("}", 1)[0]
    assert dict(re.findall(r"(--ntk-[\w-]+):\s*([^;]+);", block)) == css_names(theme)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_line_stands_out_from_the_page_the_wider_the_more(theme):
    """Networks, data and axes have contrast 3 (graphics), ink 7 (text); tints gain with width and stay below ink."""
    ramp = [contrast(color, theme.page) for color in (*theme.net, theme.ink)]
    assert ramp == sorted(ramp)
    assert min(*ramp, contrast(theme.data, theme.page)) >= 3
    assert contrast(theme.muted, theme.page) >= 4.5  # small letters in it
    assert ramp[-1] >= 7


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("kind", BLINDNESS)
def test_data_are_told_from_networks_without_red_or_green_cones(theme, kind):
    """The two hues stay 25 units of CIELAB apart (2 is just noticeable) for the two common color blindnesses."""
    seen = {color: lab(np.array(BLINDNESS[kind]) @ linear(color)) for color in (theme.data, *theme.net)}
    assert min(np.linalg.norm(seen[theme.data] - seen[net]) for net in theme.net) > 25


@pytest.mark.parametrize("count", range(1, TINTS + 1))
def test_as_many_widths_as_tints_are_all_different(count):
    """Up to TINTS widths each have a tint of their own, deeper with width; two widths take the two ends."""
    steps = tints(count)
    assert steps == sorted(set(steps))
    assert len(steps) == count
    assert count == 1 or (steps[0], steps[-1]) == (1, TINTS)


def test_library_neither_needs_nor_loads_matplotlib_until_a_figure_is_drawn():
    """Without Matplotlib the library imports, and the first figure names the extra that brings it."""
    program = (
        "import sys; sys.modules['matplotlib'] = None; import ntk_teach as ntk\n"
        "try: ntk.plot.canvas()\n"
        "except ImportError as error: assert 'ntk-teach[book]' in str(error), error\n"
        "else: raise SystemExit('drawn without Matplotlib')\n"
        "del sys.modules['matplotlib']; assert not any(name.startswith('matplotlib') for name in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_style_lasts_as_long_as_its_context():
    """The settings of before come back: a reader's own figures are left alone."""
    before = plt.rcParams["svg.fonttype"]
    with plot.style():
        assert plt.rcParams["svg.fonttype"] == "none" != before
    assert plt.rcParams["svg.fonttype"] == before


def embedded(width=7.0, alt="a < b", caption="see $a<b$", title="words"):
    figure, ax = plot.canvas(width, 3.0)
    plot.kernel_on_circle(ax, ANGLES, {8: curves(), 64: curves(seed=1)}, LIMIT)
    ax.set_title(title)
    return plot.embed(figure, alt=alt, caption=caption)


def test_embedded_figure_leaves_every_color_to_the_page():
    """No color stands in the drawing but as the fallback of a variable; ink is the color of the page's text."""
    html = embedded().html
    assert not re.findall(r"#[0-9a-fA-F]{6}\b", re.sub(r"var\(--ntk-[\w-]+, #[0-9a-f]{6}\)", "", html))
    assert "stroke: currentColor" in html
    assert "fill: currentColor" in html
    assert {name for name in css_names(LIGHT) if f"var({name}," in html} >= {
        "--ntk-net-1",
        "--ntk-net-5",
        "--ntk-muted",
    }


def test_embedded_figure_is_well_formed_and_keeps_to_itself():
    """It parses, its letters are the reader's, it styles nothing else, no reference lacks its target."""
    html = embedded(caption="").html
    root = ET.fromstring(html)
    assert "words" in [text.text for text in root.iter("text")]
    assert "font-family" not in html
    assert "<style" not in html
    names = ids(html)
    assert len(names) == len(set(names))
    targets = re.findall(r'(?:href="#|url\(#)([^")]+)', html)
    assert targets
    assert set(targets) == set(names)


def test_embedded_figures_share_no_id_and_no_build_differs_from_the_last():
    """The same figure gives the same bytes; another figure has other ids."""
    assert embedded().html == embedded().html
    assert not set(ids(embedded().html)) & set(ids(embedded(title="other").html))


@pytest.mark.parametrize("width, layouts", [(7.0, ["ntk-wide", "ntk-narrow"]), (3.4, ["ntk-any"])])
def test_wide_figure_is_laid_out_again_for_a_telephone(width, layouts):
    """What would shrink its letters on a telephone is drawn twice, once no wider than a telephone."""
    svgs = list(ET.fromstring(embedded(width, caption="").html).iter("svg"))
    assert [svg.get("class") for svg in svgs] == layouts
    assert float(svgs[0].get("viewBox").split()[2]) == pytest.approx(72 * width)
    assert float(svgs[-1].get("viewBox").split()[2]) <= 250  # points; 335 px


def test_several_figures_share_one_caption_and_one_alternative():
    """A row of figures is one image to those who hear it."""
    html = plot.embed([plot.canvas(3.4, 2.0)[0], plot.canvas(3.4, 3.0)[0]], alt="both", caption="").html
    assert html.count("<svg") == 2
    assert html.count("<figcaption") == html.count('role="img"') == html.count('aria-label="both"') == 1


def test_embedded_figure_speaks_plain_text_and_html():
    """A notebook gets HTML, a terminal the alternative text; letters that HTML would read as marks are escaped."""
    shown = embedded()
    assert repr(shown) == "Figure: a < b"
    assert shown._repr_html_() == shown.html
    assert 'aria-label="a &lt; b"' in shown.html
    assert r'<figcaption>see <span class="math notranslate nohighlight">\(a&lt;b\)</span></figcaption>' in shown.html


def test_embedding_closes_what_pyplot_opened_and_leaves_the_size():
    """A chapter with fifty figures does not keep fifty figures open."""
    figure, _ = plt.subplots(figsize=(6, 3))
    plot.embed(figure, alt="", caption="")
    assert figure.number not in plt.get_fignums()
    assert tuple(figure.get_size_inches()) == (6, 3)


def test_caption_reads_dollars_as_mathematics_and_escaped_dollars_as_dollars():
    """Only what stands between two dollar signs is mathematics."""
    assert caption_html(r"<em>5 \$</em> and 6 \$") == "<em>5 $</em> and 6 $"
    assert caption_html(r"5 \$ and $x$").startswith("5 $ and <span")
    assert caption_html("a $x$ b $y$").count("math notranslate") == 2


def test_kernel_on_circle_draws_every_curve_and_the_limit(ax):
    """Solid before training, dotted after, the limit dashed above all; deeper and heavier with width."""
    before = {64: curves(seed=1), 8: curves()}
    after = {width: torch.from_numpy(1.1 * values) for width, values in before.items()}
    assert plot.kernel_on_circle(ax, torch.from_numpy(ANGLES), before, LIMIT, after=after) is ax
    *networks, rim, limit = ax.get_lines()
    assert len(networks) == 12
    expected = np.concatenate([before[8], before[64], after[8], after[64]])
    np.testing.assert_array_equal([line.get_ydata() for line in networks], expected)
    assert [line.is_dashed() for line in networks] == 6 * [False] + 6 * [True]
    np.testing.assert_array_equal(limit.get_ydata(), LIMIT)
    assert limit.is_dashed()
    assert limit.get_zorder() > rim.get_zorder() > max(line.get_zorder() for line in networks)
    assert same_color(limit.get_color(), LIGHT.ink)
    assert same_color(networks[0].get_color(), LIGHT.net[0])
    assert same_color(networks[3].get_color(), LIGHT.net[-1])
    assert networks[0].get_linewidth() < networks[3].get_linewidth()
    assert [text.get_text() for text in ax.get_xticklabels()] == ["−π", "−π/2", "0", "π/2", "π"]


def test_slope_in_width_draws_samples_medians_and_the_reference_slope(ax):
    """The dashed line has exactly the slope that was asked for and meets the medians in the middle."""
    widths, slope = [16, 64, 256], -0.5
    samples = np.random.default_rng(0).uniform(1, 2, (3, 9)) / np.sqrt(widths)[:, None]
    assert plot.slope_in_width(ax, widths, samples, slope=slope) is ax
    *marks, medians, reference = ax.get_lines()
    assert len(marks) == 9
    np.testing.assert_array_equal([line.get_ydata() for line in marks], samples.T)
    np.testing.assert_array_equal(medians.get_ydata(), np.median(samples, axis=1))
    measured = np.diff(np.log(reference.get_ydata())) / np.diff(np.log(widths))
    np.testing.assert_allclose(measured, slope, rtol=1e-12)
    assert np.log(reference.get_ydata() / medians.get_ydata()).mean() == pytest.approx(0, abs=1e-12)
    assert reference.is_dashed()
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_names_of_many_widths_leave_each_other_room(ax):
    """Of ten widths every second one is named, and the widest always."""
    widths = [2**k for k in range(2, 12)]
    plot.slope_in_width(ax, widths, np.ones((10, 1)), slope=-0.5)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["", "8", "", "32", "", "128", "", "512", "", "2048"]


def test_histogram_has_the_area_of_what_it_shows_and_the_gaussian_its_variance(ax):
    """Steps enclose the share of samples inside the frame; the dashed curve is the density of that variance."""
    samples = np.append(np.random.default_rng(0).normal(size=199), 50.0)
    assert plot.histogram_against_gaussian(ax, {8: torch.from_numpy(samples)}, 1.0) is ax
    (steps,) = ax.patches
    values, edges, _ = steps.get_data()
    assert values @ np.diff(edges) == pytest.approx(199 / 200)
    z, density = ax.get_lines()[-1].get_data()
    np.testing.assert_allclose(density, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), rtol=1e-12)


def test_kernel_over_time_draws_medians_and_bands_of_10_to_90_percent(ax):
    """One line and one band a width, each named at its end, no two names on each other."""
    times = np.arange(5.0)
    drifts = {width: np.outer(np.arange(1.0, 12), times) / width for width in (100, 101, 1000)}
    assert plot.kernel_over_time(ax, times, drifts) is ax
    for line, band, drift in zip(ax.get_lines(), ax.collections, drifts.values(), strict=True):
        np.testing.assert_allclose(line.get_ydata(), np.median(drift, axis=0))
        corners = band.get_paths()[0].vertices
        ends = corners[corners[:, 0] == 4, 1]
        assert (ends.min(), ends.max()) == pytest.approx((8 / drift_scale(drift), 40 / drift_scale(drift)))
    assert sorted(text.get_text() for text in ax.texts) == ["n = 100", "n = 1000", "n = 101"]
    ends = {f"n = {width}": float(np.median(drift[:, -1])) for width, drift in drifts.items()}
    heights = {text.get_text(): text.xy[1] for text in ax.texts}
    assert sorted(heights, key=heights.get) == sorted(ends, key=ends.get)
    assert np.diff(sorted(heights.values())).min() > 0.05 * np.ptp(ax.get_ylim())
    assert max(abs(heights[name] - ends[name]) for name in ends) < 0.05 * np.ptp(ax.get_ylim())


def drift_scale(drift):
    """The width, read back from a table whose first seed at time 1 is 1 / width."""
    return 1 / drift[0, 1]


@pytest.mark.boundary
@pytest.mark.parametrize(
    "draw, error, words",
    [
        (
            lambda ax: plot.kernel_on_circle(ax, ANGLES, {8: curves()[:, 1:]}, LIMIT),
            errors.ShapeError,
            "width 8.*41.*40",
        ),
        (lambda ax: plot.kernel_on_circle(ax, ANGLES, {8: curves()}, LIMIT[1:]), errors.ShapeError, "limit.*41.*40"),
        (lambda ax: plot.kernel_on_circle(ax, ANGLES, {8: np.nan * curves()}, LIMIT), errors.DomainError, "NaN"),
        (lambda ax: plot.kernel_on_circle(ax, ANGLES, {}, LIMIT), errors.DomainError, "at least one width"),
        (lambda ax: plot.kernel_on_circle(ax, ANGLES, {-8: curves()}, LIMIT), errors.DomainError, "width.*-8"),
        (lambda ax: plot.slope_in_width(ax, [8, 16], np.ones((3, 4)), slope=-1.0), errors.ShapeError, r"\[2, seeds\]"),
        (lambda ax: plot.slope_in_width(ax, [8], np.zeros((1, 4)), slope=-1.0), errors.DomainError, "every sample"),
        (lambda ax: plot.histogram_against_gaussian(ax, {8: np.ones(3)}, 0.0), errors.DomainError, "variance"),
        (lambda ax: plot.kernel_over_time(ax, np.arange(3.0), {8: np.ones((2, 4))}), errors.ShapeError, "width 8"),
    ],
)
def test_wrong_numbers_are_named(ax, draw, error, words):
    """A message says which argument, what was expected, and what came."""
    with pytest.raises(error, match=words):
        draw(ax)
