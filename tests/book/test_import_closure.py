"""Which files a page depends on, found from its imports."""

import sys

import pytest
from built_book import REPOSITORY

sys.path.append(str(REPOSITORY / "book" / "_ext"))

from import_closure import imported_files

FILES = {
    "__init__.py": "from pack.low import f",
    "low.py": "import math",
    "palette.json": "{}",
    "high.py": "def g():\n    from .inner import leaf\n    return leaf",
    "inner/__init__.py": "from . import twig",
    "inner/leaf.py": "from ..low import f",
    "inner/twig.py": "",
    "alone.py": "import pack.nowhere",
}


@pytest.fixture
def package(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "pack" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "pack"


ROOT = {"__init__.py", "low.py", "palette.json"}


@pytest.mark.parametrize(
    "code, expected",
    [
        ("import numpy", set()),
        ("import pack as p", ROOT),
        ("from pack.low import f", ROOT),
        ("%matplotlib inline\nfrom pack import alone", ROOT | {"alone.py"}),
        ("import pack.high", ROOT | {"high.py", "inner/__init__.py", "inner/leaf.py", "inner/twig.py"}),
        ("import packed", set()),
        ("this is no Python", set(FILES)),
    ],
)
def test_files_that_code_depends_on(package, code, expected):
    """Packages on the way and their data count, so do imports in functions and relative ones; others' do not."""
    assert {path.relative_to(package).as_posix() for path in imported_files([code], package)} == expected
