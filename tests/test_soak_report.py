"""The soak report says what ran, how it ended and on what, and nothing that tells whose machine it was."""

import importlib.util
import platform
import re
import subprocess
from pathlib import Path

import pytest

RESULTS = """<testsuites><testsuite>
<testcase classname="tests.test_width" name="test_slope[3]" time="12.34">
<properties><property name="slope" value="-0.501"/></properties></testcase>
<testcase classname="tests.test_width" name="test_wrong" time="0.5"><failure message="no"/></testcase>
<testcase classname="tests.test_data" name="test_absent" time="0"><skipped message="no data | here"/></testcase>
</testsuite></testsuites>"""


@pytest.fixture(scope="module")
def soak():
    path = Path(__file__).parents[1] / "soak" / "run.py"
    spec = importlib.util.spec_from_file_location("soak_run", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_section_names_each_test_and_the_machine_but_not_its_owner(soak, tmp_path):
    """Results, seconds and recorded numbers a row; when it ran, versions and processor above; no host name, no path."""
    results = tmp_path / "results.xml"
    results.write_text(RESULTS)
    text = soak.section("tasks", "2030-01-01 10:00 UTC, commit abc", results)
    assert text.startswith("## tasks\n\n- Result: NOT PASSED, 1 of 3 tests\n- 2030-01-01 10:00 UTC, commit abc\n")
    assert "| `test_width::test_slope[3]` | passed | 12.3 | slope = -0.501 |" in text
    assert "| `test_width::test_wrong` | FAILED | 0.5 |  |" in text
    assert "| `test_data::test_absent` | skipped: no data \\| here | 0.0 |  |" in text
    assert "cores" in text and f"Python {platform.python_version()}" in text and "torch 2." in text
    assert str(Path.home()) not in text and str(tmp_path) not in text
    assert not re.search(rf"(?<![\w.-]){re.escape(platform.node())}(?![\w.-])", text)


def test_it_has_passed_when_every_part_has(soak, tmp_path):
    """One that never ran, or left no results, is no success; one that is run again takes the place of the old."""
    results = tmp_path / "results.xml"
    results.write_text(RESULTS.replace('<failure message="no"/>', ""))
    good = {name: soak.section(name, "some day", results) for name in soak.PARTS}
    text = soak.report(good)
    assert "**Every test passed.**" in text and text.count("- Result: 3 tests passed") == 3
    assert soak.sections(text) == good
    del good["others"]
    assert "NOT PASSED" in soak.report(good) and "- Result: NOT PASSED, did not run" in soak.report(good)
    ended = {"others": soak.section("others", "that day", tmp_path / "none.xml")}
    assert "**NOT PASSED.**" in soak.report({**good, **ended}) and "0 of 0 tests" in ended["others"]


def test_a_part_alone_leaves_the_others_as_they_are(soak, tmp_path, monkeypatch):
    """Its section is written anew; of the rest not a letter changes."""
    (tmp_path / "soak").mkdir()
    (tmp_path / "test_one.py").write_text("import pytest\n\n@pytest.mark.soak\ndef test_one():\n    pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = soak: long\n")
    monkeypatch.setattr(soak, "HERE", tmp_path / "soak")
    monkeypatch.setattr(soak, "PARTS", {"grader": ["test_one.py"], "others": ["test_none.py"]})
    report = tmp_path / "soak" / "REPORT.md"
    report.write_text(soak.report({"others": "## others\n\n- Result: 7 tests passed\n- long ago"}))
    assert soak.main(["grader"]) == 0
    text = report.read_text()
    assert "**Every test passed.**" in text and "- Result: 1 tests passed" in text
    assert soak.sections(text)["others"] == "## others\n\n- Result: 7 tests passed\n- long ago"
    assert soak.main(["others"]) == 1
    assert "- Result: NOT PASSED, 0 of 0 tests" in report.read_text()


def test_a_changed_tree_says_so_and_the_report_itself_is_no_change(soak, tmp_path, monkeypatch):
    """A part writes the report before the next one asks for the commit."""

    def git(*words: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "soak").mkdir()
    monkeypatch.setattr(soak, "HERE", tmp_path / "soak")
    assert soak.commit() == "no commit known"
    for name in ("soak/REPORT.md", "code.py"):
        (tmp_path / name).write_text("before")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    (tmp_path / "soak" / "REPORT.md").write_text("after")
    assert re.fullmatch(r"commit [0-9a-f]{7,}", soak.commit())
    (tmp_path / "code.py").write_text("after")
    assert soak.commit().endswith(", changed since")


def test_an_unknown_part_is_refused(soak, capsys):
    assert soak.main(["graders"]) == 2
    assert "expected one of grader, tasks, others, received graders" in capsys.readouterr().err
