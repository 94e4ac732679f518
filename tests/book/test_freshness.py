"""A second build does no work twice, and no change goes unseen: shown on a tiny book, with the real tools."""

import shutil

import pytest
from tiny_book import TinyBook


@pytest.fixture
def book(tmp_path) -> TinyBook:
    book = TinyBook(tmp_path)
    assert book.build() == (True, ["chapter", "school"]), book.said
    return book


def test_pages_are_executed_when_what_they_import_changes_and_not_otherwise(book):
    """Nothing changed: nothing is executed. A module changed: the pages that import it are, and show the new value.
    The built pages deleted: built again, from the cache."""
    assert book.build() == (True, []), book.said

    book.write("ntk_teach/grading/deep.py", "word = 'graded anew'")
    assert book.build() == (True, ["school"]), book.said
    assert "graded anew" in book.html("school")

    for folder in ("html", ".doctrees"):
        shutil.rmtree(book.root / "_build" / folder)
    assert book.build() == (True, []), book.said
    assert "graded anew" in book.html("school") and "one hundred" in book.html("chapter")

    # Both pages import the package, whose root imports the number. The chapter's text changes with it, and then back:
    # the outputs that its old text has in the cache are the old library's, and must not return.
    book.write("ntk_teach/number.py", "def number():\n    return 'two hundred'")
    book.page("chapter", imports="import ntk_teach as ntk", value="ntk.number() + '!'")
    assert book.build() == (True, ["chapter", "school"]), book.said
    assert "two hundred!" in book.html("chapter")
    book.page("chapter", imports="import ntk_teach as ntk", value="ntk.number()")
    assert book.build() == (True, ["chapter"]), book.said
    assert "two hundred" in book.html("chapter") and "two hundred!" not in book.html("chapter")


def test_a_build_that_failed_fails_again(book):
    """A page that raises fails the build, and the next one; so does a warning, though its page has not changed."""
    book.write("ntk_teach/grading/deep.py", "raise RuntimeError('this page cannot be executed')")
    for _ in range(2):
        assert not book.build()[0]
        assert "this page cannot be executed" in book.said
    book.write("ntk_teach/grading/deep.py", "word = 'graded'")
    book.write("book/index.md", "# Index\n\n[nowhere](no_such_page.md)")
    for expected in (["school"], []):
        assert book.build() == (False, expected)
        assert "no_such_page" in book.said


def test_one_setting_holds_the_public_address(book):
    """Empty, no page names an address or offers to launch; set, base URL, previews, sitemap and button follow."""
    assert "mybinder" not in book.html("chapter") and "og:url" not in book.html("chapter")
    assert not (book.root / "_build" / "html" / "sitemap.xml").exists()

    book.set("ntk_teach_repository", "https://github.com/Somebody/course")
    assert book.build() == (True, []), book.said
    page = book.html("chapter")
    assert "https://mybinder.org/v2/gh/Somebody/course/main?urlpath=lab/tree/book/chapter.md" in page
    assert '<meta property="og:url" content="https://somebody.github.io/course/book/chapter.html"' in page
    assert '<link rel="canonical" href="https://somebody.github.io/course/book/chapter.html"' in page
    assert 'href="/course/book/index.html"' in (book.root / "_build/html/404.html").read_text()
    assert "https://somebody.github.io/course/book/chapter.html" in (book.root / "_build/html/sitemap.xml").read_text()
