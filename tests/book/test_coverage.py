"""Every slide has its section, every erratum its entry, every paper its row; and what they point at exists."""

import csv
import re
from pathlib import Path

import pytest
from mdit_py_plugins.anchors.index import slugify

BOOK = Path(__file__).parents[2] / "book"
TITLES = (Path(__file__).parent / "slides.txt").read_text(encoding="utf-8").split("\n")[:-1]
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def table(name):
    with (BOOK / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def text(page):
    """A page without its code, in which a comment looks like a heading."""
    return re.sub(r"^(`{3,})\{code-cell\}.*?^\1", "", (BOOK / page).read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(page):
    """The headings of a page, as addresses."""
    headings = re.findall(r"^#{1,3} (.+)$", text(page), flags=re.M)
    return {slugify(re.sub(r"(?<!\w)[*_]+|[*_]+(?!\w)|`", "", heading)) for heading in headings}


def labels(page):
    return set(re.findall(r"^\((.+)\)=$", text(page), flags=re.M))


ROWS = table("coverage.csv")


def test_every_slide_has_its_row():
    """The titles of the deck, in its order, once each, numbered from 1."""
    assert [row["Title"] for row in ROWS] == TITLES
    assert [row["Slide"] for row in ROWS] == [str(number) for number in range(1, len(TITLES) + 1)]
    assert len(TITLES) == 36


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["Slide"])
def test_every_section_that_treats_a_slide_exists(row):
    """The number of a chapter, and a link to a heading of it in the words of that heading."""
    links = LINK.findall(row["Treated in"])
    assert (
        links and "; ".join(f"{int(target[:2])}: [{words}]({target})" for words, target in links) == row["Treated in"]
    )
    for words, target in links:
        page, anchor = target.split("#")
        assert (BOOK / page).is_file(), target
        assert anchor in anchors(page), f"{page} has no heading {words!r}: {sorted(anchors(page))}"
        assert slugify(words) == anchor


def test_every_chapter_treats_a_slide():
    """A chapter of the deck's part of the book that no slide leads to would be lost."""
    reached = {target.split("#")[0] for row in ROWS for _, target in LINK.findall(row["Treated in"])}
    chapters = {path.name for path in BOOK.glob("[01][0-9]_*.md")}
    assert chapters <= reached


def test_errata_are_complete_and_each_leads_to_a_chapter():
    """E1 to E25 have a heading, a label, both sides, a source and a chapter that exists."""
    page = (BOOK / "errata.md").read_text(encoding="utf-8")
    entries = dict(re.findall(r"^\(erratum-e(\d+)\)=\n(.*?)(?=^\(err|^## |\Z)", page, flags=re.M | re.S))
    assert sorted(map(int, entries)) == list(range(1, 26))
    for number, entry in entries.items():
        assert entry.startswith(f"### E{number}: ")
        assert "} On the slide\n" in entry and "} Right\n" in entry
        source, chapter = re.search(r"^\*Source:\* (.+)\. \*Chapter:\* (.+)\.$", entry, flags=re.M).groups()
        targets = [target for _, target in LINK.findall(chapter)]
        assert source and targets and all((BOOK / target).is_file() for target in targets), f"E{number}"


def test_errata_that_a_chapter_lists_are_on_the_page_of_all():
    """Numbers in the chapters' own tables are those of the errata page, and link to no other."""
    known = labels("errata.md")
    for path in BOOK.glob("[01][0-9]_*.md"):
        own = text(path.name).partition("(errata-")[2]
        for number in re.findall(r"^\* - E(\d+)$", own, flags=re.M):
            assert f"erratum-e{number}" in known, f"{path.name}: E{number}"


PAPERS = table("papers.csv")


def test_the_deck_s_own_list_is_there():
    """Sources [1] to [14], the one that it forgot, and its four papers of 2024."""
    cited = " ".join(row["In the deck"] for row in PAPERS)
    assert {int(number) for number in re.findall(r"\[(\d+)\]", cited)} == set(range(1, 16))
    assert sum(row["In the deck"] == "slide 32" for row in PAPERS) == 4
    assert all(row["Year"] == "2024" for row in PAPERS if row["In the deck"] == "slide 32")


@pytest.mark.parametrize("row", PAPERS, ids=lambda row: row["Paper"][:40])
def test_every_paper_has_one_sentence_and_says_where_it_runs(row):
    """No empty cell; one sentence; a page that exists, or the words "not run"; a link that is an address."""
    assert all(value and value.strip() == value for value in row.values())
    assert row["In one sentence"].endswith(".") and ". " not in row["In one sentence"]
    assert row["Year"] == "–" or 1990 < int(row["Year"]) < 2030
    address = LINK.match(row["Paper"])
    assert address is None or address[2].startswith("https://")
    targets = [target for _, target in LINK.findall(row["Runs in"])]
    assert targets or row["Runs in"] in ("not run", "–")
    for target in targets:
        assert (BOOK / target).is_file() or target in labels("errata.md"), target


def test_no_paper_stands_twice():
    """By title."""
    titles = [row["Paper"] for row in PAPERS]
    assert len(titles) == len(set(titles))
