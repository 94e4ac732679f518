"""The surface without a browser: the figure drawn by Python, and the numbers that it carries."""

import base64
import json
import math
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch

from ntk_teach import errors
from ntk_teach.interactive import surface
from ntk_teach.interactive.relief import Relief

K = 9
OFFSETS = torch.linspace(-1, 1, K, dtype=torch.float64)
VALUES = 0.3 + (OFFSETS[:, None] ** 2 - 0.5) ** 2 + 2 * OFFSETS**2 + 0.2 * OFFSETS[:, None] * OFFSETS


@pytest.fixture(scope="module")
def html():
    return surface(OFFSETS, VALUES, caption="see $S$", alt='a "valley"', cut=2).html


@pytest.fixture(scope="module")
def root(html):
    return ET.fromstring(html)


def by_class(root, name):
    return [element for element in root.iter() if name in element.get("class", "").split()]


def points(path):
    return np.array(re.findall(r"(-?\d+) (-?\d+)", path), dtype=float)


def test_page_carries_the_values(root):
    """Decoded from the HTML, every value is off by at most half a ten-thousandth of the axis, and it starts at 0."""
    stored = np.frombuffer(base64.b64decode(root.get("data-heights")), dtype="<u2").reshape(K, K)
    high = float(VALUES.max())
    np.testing.assert_allclose(stored / 10_000 * high, VALUES.numpy(), atol=high / 20_000 * (1 + 1e-9))


def test_readings_are_the_numbers_of_the_cut(root):
    """Place, lowest value, and the smallest second difference over the squared step: here (a² − ½)² + 2a² is convex
    along a₂, so none is negative; along a₁ it is not.
    """
    for i, (place, lowest, bend) in enumerate(json.loads(root.get("data-readings"))):
        row = VALUES[i].numpy()
        assert float(place.replace("−", "-")) == pytest.approx(float(OFFSETS[i]), abs=5e-3)
        assert float(lowest) == pytest.approx(row.min(), rel=5e-3)
        assert float(bend) == pytest.approx((np.diff(row, 2) / 0.25**2).min(), rel=5e-3)
    turned = surface(OFFSETS, VALUES.T, caption="", alt="", cut=4).html
    assert re.search(r"smallest curvature</span> <b>−1\.88", turned)
    assert [b.text for b in root.iter("b")] == json.loads(root.get("data-readings"))[2]


def test_heights_rise_on_the_page(root):
    """Of two points over one place of the grid the higher stands higher, and the cut passes through its own points."""
    relief = Relief.of(OFFSETS, VALUES, where="here")
    for turn, tilt in ((35, 30), (-100, 60)):
        assert relief.place(3, 4, 9000, turn, tilt)[1] < relief.place(3, 4, 2000, turn, tilt)[1]
        assert relief.place(3, 4, 9000, turn, tilt)[0] == relief.place(3, 4, 2000, turn, tilt)[0]
    (cut, _) = by_class(root, "ntk-cut")
    expected = [relief.place(2, j, h, 35, 30) for j, h in enumerate(relief.heights[2].tolist())]
    np.testing.assert_array_equal(points(cut.get("d")), expected)


@pytest.mark.parametrize("turn", range(-180, 181, 35))
@pytest.mark.parametrize("tilt", [10, 45, 80])
def test_every_view_fits_and_is_drawn_from_far_to_near(turn, tilt):
    """No point leaves the drawing; a cell is never nearer than one that is drawn after it and hides it."""
    relief = Relief.of(OFFSETS, VALUES, where="here")
    every = np.concatenate([points(d) for _, d in relief.cells(turn, tilt)])
    assert every.min() >= 0
    assert every.max() <= 10_000
    sin, cos = math.sin(math.radians(turn)), math.cos(math.radians(turn))
    flat = Relief.of(OFFSETS, 0 * VALUES, where="here")
    down = [points(d)[:, 1].mean() for _, d in flat.cells(turn, tilt)]  # nearer is lower on a flat floor
    size = K - 1
    lines = np.array(down).reshape(size, size)  # as drawn: rows, then columns
    if abs(cos) > 0.05:
        assert (np.diff(lines, axis=1) > 0).all()
    if abs(sin) > 0.05:
        assert (np.diff(lines, axis=0) > 0).all()
    assert len(down) == size**2


def test_figure_explains_itself_without_a_script(root):
    """The sliders are out of sight, a sentence says which cut is shown, and all numbers stand in a table."""
    controls, (still,) = by_class(root, "ntk-control"), by_class(root, "ntk-still")
    assert len(controls) == 3
    assert all("hidden" in control.attrib for control in controls)
    assert "a₁ = −0.50" in "".join(still.itertext())
    assert len(list(next(root.iter("tbody")))) == K


def test_sliders_have_names_values_and_an_output(root):
    """Three native range inputs, each with its label; what the cut changes is announced."""
    sliders = list(root.iter("input"))
    labels = {label.get("for"): label.text for label in root.iter("label")}
    assert [labels[slider.get("id")] for slider in sliders] == ["Turn", "Tilt", "Cut at a₁"]
    assert all(slider.get("type") == "range" for slider in sliders)
    assert (sliders[2].get("max"), sliders[2].get("value")) == (str(K - 1), "2")
    (output,) = root.iter("output")
    assert output.get("for") == sliders[2].get("id")
    assert output.get("aria-live") == "polite"


def test_page_stays_light_and_builds_are_repeatable(html):
    """25 by 25 values in under 80 kB; the same numbers give the same bytes, others other ids."""
    assert surface(OFFSETS, VALUES, caption="see $S$", alt='a "valley"', cut=2).html == html
    other = surface(OFFSETS, VALUES + OFFSETS, caption="see $S$", alt='a "valley"', cut=2).html
    assert re.search(r' id="([^"]+)"', other)[1] != re.search(r' id="([^"]+)"', html)[1]
    fine = torch.linspace(-1, 1, 25)
    assert len(surface(fine, fine[:, None] ** 2 + fine**2, caption="", alt="").html.encode()) < 80_000
    assert 'aria-label="a &quot;valley&quot;"' in html


def test_the_middle_is_zero_in_single_precision():
    """torch.linspace in float32 passes zero at −3e-08: no reader should see that."""
    html = surface(torch.linspace(-1, 1, 25), torch.ones(25, 25), caption="", alt="").html
    assert "e-0" not in html
    assert "−0.00" not in html
    assert "<b>0.00</b>" in html


def test_flat_and_negative_surfaces_have_an_axis():
    """A constant is drawn, not divided by zero; values below zero lower the axis."""
    assert Relief.of(OFFSETS, 0 * VALUES, where="here").range == (0.0, 1.0)
    low, high = Relief.of(OFFSETS, VALUES - 1, where="here").range
    assert (low, high) == (float(VALUES.min()) - 1, float(VALUES.max()) - 1)


BAD = {
    "two offsets": (errors.DomainError, lambda: surface(OFFSETS[:2], VALUES[:2, :2], caption="", alt=""), "at least 3"),
    "uneven offsets": (errors.DomainError, lambda: surface(OFFSETS**3, VALUES, caption="", alt=""), "equal steps"),
    "falling offsets": (errors.DomainError, lambda: surface(-OFFSETS, VALUES, caption="", alt=""), "increasing"),
    "not square": (errors.ShapeError, lambda: surface(OFFSETS, VALUES[:-1], caption="", alt=""), r"\[8, 9\]"),
    "NaN": (errors.DomainError, lambda: surface(OFFSETS, VALUES / 0 * 0, caption="", alt=""), "finite"),
    "no such cut": (errors.DomainError, lambda: surface(OFFSETS, VALUES, caption="", alt="", cut=K), "from 0 to 8"),
}


@pytest.mark.boundary
@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused(case):
    """The message says what was expected and what was received."""
    kind, attempt, message = BAD[case]
    with pytest.raises(kind, match=message) as caught:
        attempt()
    assert type(caught.value) is kind
