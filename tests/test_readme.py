"""The README's lines run, and print what they say."""

import contextlib
import io
import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_ten_lines_run_and_the_error_falls() -> None:
    """The code block prints four widths with errors that fall from first to last by more than a factor of three."""
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    rows = [line.split() for line in printed.getvalue().splitlines()]
    assert [int(width) for width, _ in rows] == [32, 128, 512, 2048]
    assert float(rows[0][1]) > 3 * float(rows[-1][1])


def test_every_file_that_the_readme_names_is_there() -> None:
    """Links and pictures point into the repository."""
    names = re.findall(r'(?:\]\(|src="|srcset=")([^)":#]+)', README)
    missing = [name for name in names if not (Path(__file__).parents[1] / name).exists()]
    assert names and not missing
