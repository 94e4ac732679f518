"""The slider over frames without a browser: every frame is there, one shows, and it stays light."""

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure

import ntk_teach as ntk
from ntk_teach import errors, plot
from ntk_teach.interactive import frames

TIMES = ["0", "0.5", "3.2", "10"]
READINGS = {t: f'cost "{float(np.exp(-float(t))):.3f}" < 2' for t in TIMES}
WORDS = {"parameter": "t", "caption": "see $t$", "alt": 'a "fit"'}


def figure(t, points=100, **size):
    """Three lines and twenty points, as a chapter draws them."""
    drawn, ax = plot.canvas(**size)
    x = np.linspace(-3, 3, points)
    for k in range(3):
        ax.plot(x, np.sin(x + k) * np.exp(-float(t) / 5))
    ax.plot(x[:: points // 20], np.cos(x[:: points // 20]), "o", markersize=3)
    ax.set_ylim(-1, 1)
    ax.set_xlabel("x")
    return drawn


def made(**change):
    arguments = {"figures": {t: figure(t) for t in TIMES}, "readings": READINGS, "start": "3.2"} | WORDS | change
    return frames(arguments.pop("figures"), **arguments)


@pytest.fixture(scope="module")
def html():
    return made().html


@pytest.fixture(scope="module")
def root(html):
    return ET.fromstring(html)


def by_class(root, name):
    return [element for element in root.iter() if name in element.get("class", "").split()]


def words(element):
    return "".join(element.itertext())


def test_every_frame_is_there_in_its_order_and_the_first_one_shows(root):
    """Frames keep the order of the mapping; all but the chosen one are hidden, and nothing else is needed to see it."""
    found = by_class(root, "ntk-frame")
    assert [frame.get("data-value") for frame in found] == TIMES
    assert [frame.get("data-value") for frame in found if "hidden" not in frame.attrib] == ["3.2"]
    assert all(len(list(frame.iter("svg"))) == 2 for frame in found)
    assert words(by_class(root, "ntk-line")[0]) == f"t = 3.2 — {READINGS['3.2']}"
    assert [frame.get("data-line") for frame in found] == [f"t = {t} — {READINGS[t]}" for t in TIMES]


def test_frames_differ_and_share_no_id(html, root):
    """The line moves from frame to frame; a reference of a frame leads into the same frame."""
    drawn = [[path.get("d") for path in frame.iter("path")] for frame in by_class(root, "ntk-frame")]
    assert len({str(paths) for paths in drawn}) == len(TIMES)
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    for frame in by_class(root, "ntk-frame"):
        inside = ET.tostring(frame, "unicode")
        targets = set(re.findall(r'(?:href="#|url\(#)([^")]+)', inside))
        assert targets and targets <= set(re.findall(r'\bid="([^"]+)"', inside))


def test_each_frame_says_in_words_what_it_is(root):
    """Who does not see the frame hears the alternative text with this frame's value and reading."""
    labels = [element.get("aria-label") for element in root.iter() if element.get("role") == "img"]
    assert labels == [f'a "fit" Here t = {t} — {READINGS[t]}.' for t in TIMES]


def test_slider_is_native_named_and_hidden_until_a_script_runs(root):
    """A range input with a label and the value in words; without a script, a sentence in its place."""
    (slider,), (label,), (output,) = root.iter("input"), root.iter("label"), root.iter("output")
    assert (slider.get("type"), slider.get("aria-valuetext")) == ("range", "3.2")
    assert (slider.get("min"), slider.get("max"), slider.get("value")) == ("0", "3", "2")
    assert label.get("for") == output.get("for") == slider.get("id")
    assert output.get("aria-live") == "polite"
    (control,), (still,) = by_class(root, "ntk-control"), by_class(root, "ntk-still")
    assert "hidden" in control.attrib
    assert "hidden" not in still.attrib
    assert "from 0 to 10" in words(still)


def test_readings_stand_in_a_table_in_the_order_of_the_slider():
    """Readable without a script, whatever the order in which the readings came."""
    root = ET.fromstring(made(readings=dict(reversed(READINGS.items()))).html)
    rows = [[words(cell) for cell in row] for row in next(root.iter("tbody"))]
    assert rows == [[t, READINGS[t]] for t in TIMES]


def test_without_readings_the_line_is_the_value_and_there_is_no_table():
    """Readings may be left out; the first frame starts if none is named."""
    root = ET.fromstring(made(readings=None, start=None).html)
    assert words(by_class(root, "ntk-line")[0]) == "t = 0"
    assert not list(root.iter("table"))


def test_numbers_may_name_the_frames():
    """Values that are no text are read as Python writes them."""
    root = ET.fromstring(made(figures={1: figure(1), 2.5: figure(2.5)}, readings={1: "a", 2.5: "b"}, start=2.5).html)
    assert [frame.get("data-line") for frame in by_class(root, "ntk-frame")] == ["t = 1 — a", "t = 2.5 — b"]


def test_twelve_frames_of_a_simple_plot_stay_under_400_kb():
    """Twice laid out, with three lines of 100 points and twenty marks; narrow ones, drawn once, weigh half of it."""
    assert len(made(figures={k: figure(k) for k in range(12)}, readings=None, start=None).html.encode()) < 400_000
    narrow = {k: figure(k, width=3.4, height=3.0) for k in range(12)}
    assert len(made(figures=narrow, readings=None, start=None).html.encode()) < 200_000


def test_same_frames_give_the_same_bytes_and_others_other_ids(html):
    """Builds are repeatable, and two figures on a page do not share a label."""
    assert made().html == html
    name = re.compile(r' id="(ntk-[0-9a-f]+)"')
    assert name.search(made(readings=None).html)[1] != name.search(html)[1]


def test_it_is_the_library_s_and_speaks_plain_text():
    """Exported beside the width slider; its plain text is the alternative text."""
    assert ntk.interactive.frames is frames
    assert repr(made()) == 'Figure: a "fit"'


@pytest.mark.boundary
@pytest.mark.parametrize(
    "change, said",
    [
        ({"figures": {"0": Figure()}, "readings": None, "start": None}, "at least 2 frames, received 1"),
        ({"figures": {}, "readings": None, "start": None}, "at least 2 frames, received 0"),
        ({"figures": {"1": Figure(), 1: Figure()}, "readings": None, "start": None}, "read differently"),
        ({"readings": dict.fromkeys(TIMES[1:], "")}, r"readings.*one side only has \['0'\]"),
        ({"readings": READINGS | {"11": ""}}, r"readings.*one side only has \['11'\]"),
        ({"start": "11"}, "start.*'0', '0.5', '3.2', '10'.*'11'"),
    ],
)
def test_wrong_arguments_are_named(change, said):
    """A message says which argument, what was expected, and what came."""
    with pytest.raises(errors.DomainError, match=said):
        made(**change)
