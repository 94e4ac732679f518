"""A formula and what closes its sentence are one piece, on every page; words behind a formula are not."""

import re

from built_book import PAGES, SITE, lacking

FORMULA = re.compile(
    r'(<span class="keep-together">)?<span class="math notranslate nohighlight">\\\([^<]*\\\)</span>(.)', re.DOTALL
)


def test_no_line_begins_with_a_full_stop():
    found = [match.groups() for page in PAGES if (SITE / page).exists() for match in FORMULA.finditer(read(page))]
    if not found:
        lacking("no built book", "run make book first")
    closed = [kept for kept, behind in found if behind in ".,;:!?)]∎"]
    assert len(closed) > 1000
    assert all(closed)
    assert not any(kept for kept, behind in found if behind in " –<")


def read(page: str) -> str:
    """The page without what its cells wrote, captions among it."""
    return re.sub(r"<figcaption>.*?</figcaption>", "", (SITE / page).read_text(encoding="utf-8"), flags=re.DOTALL)
