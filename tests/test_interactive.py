"""The width slider without a browser: the figure drawn by Python, and the numbers that it carries."""

import base64
import json
import math
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch

from ntk_teach import errors
from ntk_teach.interactive import width_slider
from ntk_teach.interactive.bundle import round_up

ANGLES = np.linspace(-np.pi, np.pi, 121)
LIMIT = 0.06 + 0.22 * np.exp(-(ANGLES**2))
WIDTHS = [4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
SEEDS = 10


def kernels():
    random = np.random.default_rng(0)
    return {n: LIMIT + random.normal(size=(SEEDS, 1)) * np.cos(ANGLES / 3) * 0.4 / math.sqrt(n) for n in WIDTHS}


@pytest.fixture(scope="module")
def html():
    return width_slider(ANGLES, kernels(), LIMIT, caption="see $n$", alt='ten "kernels"', start=64).html


@pytest.fixture(scope="module")
def root(html):
    return ET.fromstring(html)


def data(root, name):
    return json.loads(root.get(f"data-{name}"))


def stored(root):
    numbers = np.frombuffer(base64.b64decode(root.get("data-curves")), dtype="<i2")
    return numbers.reshape(len(WIDTHS), SEEDS, len(ANGLES)) * data(root, "step")


def drawn(path, root):
    """Angles and values of a path, read back through the axes."""
    points = np.array(re.findall(r"(-?\d+) (-?\d+)", path.get("d")), dtype=float) / 10_000
    low, high = data(root, "range")
    return ANGLES[0] + points[:, 0] * np.ptp(ANGLES), high - points[:, 1] * (high - low)


def by_class(root, name):
    return [element for element in root.iter() if name in element.get("class", "").split()]


def test_page_carries_the_numbers_to_half_a_step(root):
    """Decoded from the HTML, every curve of every width is off by at most half a step, and the step is fine."""
    true = np.stack(list(kernels().values()))
    step = data(root, "step")
    assert step <= 2.5 * np.abs(true).max() / 2**15
    assert np.abs(stored(root) - true).max() <= step / 2 * (1 + 1e-9)
    assert data(root, "widths") == WIDTHS


def test_picture_without_a_script_is_right(root):
    """Python draws the curves of the width it names, and the limit, to a ten-thousandth of the axes."""
    networks = [path for group in by_class(root, "ntk-networks") for path in group.iter("path")]
    assert len(networks) == SEEDS
    low, high = data(root, "range")
    (limit,) = by_class(root, "ntk-limit")
    for path, values in zip([*networks, limit], [*kernels()[64], LIMIT], strict=True):
        gamma, height = drawn(path, root)
        np.testing.assert_allclose(gamma, ANGLES, atol=np.ptp(ANGLES) / 10_000)
        np.testing.assert_allclose(height, values, atol=(high - low) / 10_000)
    assert limit.get("stroke-dasharray")


def test_axis_holds_every_curve_of_every_width(root):
    """One axis for all widths, with round ticks inside it: what collapses is the spread, not the scale."""
    low, high = data(root, "range")
    every = np.stack(list(kernels().values()))
    assert low <= min(0, every.min())
    assert high >= every.max()
    ticks = [float(text.text.replace("−", "-")) for text in root.iter("text") if text.get("dx") == "-8"]
    assert len(ticks) >= 3
    assert low <= min(ticks) < max(ticks) <= high


def test_ticks_stand_at_their_values(root):
    """A tick's height on the page is its value on the axis."""
    low, high = data(root, "range")
    for text in (text for text in root.iter("text") if text.get("dx") == "-8"):
        share = float(text.get("y").rstrip("%")) / 100
        assert high - share * (high - low) == pytest.approx(float(text.text.replace("−", "-")), abs=1e-3 * (high - low))


def test_readings_are_the_numbers_of_numpy(root):
    """Spread (standard deviation over seeds at γ = 0), spread times √n, largest gap: three digits, every width."""
    for width, curves, texts in zip(WIDTHS, kernels().values(), data(root, "readings"), strict=True):
        spread = curves[:, 60].std(ddof=1)
        gap = np.abs(curves - LIMIT).max()
        assert [float(text) for text in texts] == pytest.approx([spread, spread * width**0.5, gap], rel=5e-3)
        assert not any("e" in text for text in texts)
    shown = ["64", *data(root, "readings")[4]]
    assert [b.text for b in root.iter("b")] == shown
    rows = [["".join(cell.itertext()) for cell in row] for row in next(root.iter("tbody"))]
    assert rows == [[str(n), *texts] for n, texts in zip(WIDTHS, data(root, "readings"), strict=True)]


def test_figure_explains_itself_without_a_script(root):
    """The slider is out of sight, and a sentence says which width is shown."""
    (control,), (still,) = by_class(root, "ntk-control"), by_class(root, "ntk-still")
    assert "hidden" in control.attrib
    assert "hidden" not in still.attrib
    assert "width 64" in "".join(still.itertext())


def test_slider_has_its_name_its_value_and_its_output(root):
    """A native range input with a label; what it changes is announced."""
    (slider,) = root.iter("input")
    (label,), (output,) = root.iter("label"), root.iter("output")
    assert slider.get("type") == "range"
    assert slider.get("aria-valuetext") == "width 64"
    assert (slider.get("min"), slider.get("max"), slider.get("value")) == ("0", "11", "4")
    assert label.get("for") == output.get("for") == slider.get("id")
    assert output.get("aria-live") == "polite"


def test_page_stays_light(html):
    """Twelve widths of ten seeds of 121 angles, drawn and stored, in under 100 kB."""
    assert len(html.encode()) < 100_000


def test_same_numbers_give_the_same_bytes_and_others_other_ids(html):
    """Builds are repeatable, and two sliders on a page do not share a label."""
    again = width_slider(ANGLES, kernels(), LIMIT, caption="see $n$", alt='ten "kernels"', start=64).html
    other = width_slider(ANGLES, kernels(), 1.01 * LIMIT, caption="see $n$", alt='ten "kernels"', start=64).html
    assert again == html
    assert re.search(r' id="([^"]+)"', other)[1] != re.search(r' id="([^"]+)"', html)[1]


def test_html_is_read_by_a_strict_reader_with_its_quotes_in_place(html):
    """The alternative text keeps its quotation marks, and the caption its mathematics."""
    labels = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, pairs: labels.append(dict(pairs).get("aria-label"))
    reader.feed(html)
    assert 'ten "kernels"' in labels
    assert r"\(n\)" in html


def test_tensors_and_arrays_give_the_same_figure(html):
    """A chapter hands over what the kernels came in; widths may come in any order."""
    tensors = {n: torch.from_numpy(values) for n, values in reversed(kernels().items())}
    limit = torch.from_numpy(LIMIT)
    shown = width_slider(torch.from_numpy(ANGLES), tensors, limit, caption="see $n$", alt='ten "kernels"', start=64)
    assert shown.html == html
    assert repr(shown) == 'Figure: ten "kernels"'


@pytest.mark.parametrize("value, up", [(1.0, 1.0), (1.01, 2.0), (4.0, 5.0), (6e-5, 1e-4), (2e-5, 2e-5), (7.0, 10.0)])
def test_steps_are_round_numbers_not_below(value, up):
    """1, 2, 5 times a power of ten."""
    assert round_up(value) == pytest.approx(up, rel=1e-12)


@pytest.mark.boundary
@pytest.mark.parametrize(
    "change, error, words",
    [
        ({"angles": ANGLES[:-1]}, errors.ShapeError, "curves.*120.*121"),
        ({"angles": ANGLES + 0.01}, errors.DomainError, "0 among them"),
        ({"angles": ANGLES[::-1].copy()}, errors.DomainError, "increasing"),
        ({"limit": LIMIT[:-1]}, errors.ShapeError, "limit.*121.*120"),
        ({"limit": np.nan * LIMIT}, errors.DomainError, "limit.*NaN"),
        ({"curves": {8: kernels()[8]}}, errors.DomainError, "2 widths"),
        ({"curves": {8: kernels()[8], 16: kernels()[16][:3]}}, errors.ShapeError, r"width 16.*\[10, 121\].*\[3, 121\]"),
        ({"curves": {8: kernels()[8][:1], 16: kernels()[16][:1]}}, errors.DomainError, "2 seeds"),
        ({"curves": {}}, errors.DomainError, "at least one width"),
        ({"start": 65}, errors.DomainError, "start.*64.*65"),
    ],
)
def test_wrong_numbers_are_named(change, error, words):
    """A message says which argument, what was expected, and what came."""
    arguments = {"angles": ANGLES, "curves": kernels(), "limit": LIMIT, "caption": "", "alt": ""} | change
    with pytest.raises(error, match=words):
        width_slider(**arguments)
