"""What students write, made harmless for the browser and the terminal of somebody else: plain, and as Markdown."""

from __future__ import annotations

import re

__all__ = ["NAME", "plain", "safe_markdown"]

NAME = re.compile(r"[\w.-]{1,100}")  # of a picture that is attached to a cell
# Control characters but tab and newline, escape sequences of terminals, and marks that turn the direction of writing.
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
# What a browser would take for a tag, a comment or a declaration. `a < b` is none.
TAG = re.compile(r"<(?=[A-Za-z/!?])")
# TeX that leaves its formula: links, attributes and styles, other files, ink over what stands above.
MACRO = re.compile(
    r"\\(?=(?:href|url|require|class|cssId|style|data|html\w*|attr|includegraphics|bbox|enclose|mmlToken|unicode"
    r"|toggle|mathtip|texttip|raise|lower|smash|rule|Rule|Space)(?![A-Za-z]))"
)
UPWARD = re.compile(r"(\\\\\s*\[)[\s-]*-")
# A heading is an anchor: its name begins with a mark of ours, so that it is no field of formgrader's form.
MARK = "\u2060"
HEADING = re.compile(r"^([ \t>*+\-\d.)]*#{1,6}[ \t]*)(?!#)", re.MULTILINE)
UNDERLINE = re.compile(r"(?<=[^\n])\n(?= {0,3}(?:={2,}|-{2,})[ \t]*$)", re.MULTILINE)
CHECKBOX = re.compile(r"^([ \t>]*(?:[-*+]|\d+[.)])[ \t]+)(?=\[[ xX]\])", re.MULTILINE)
# The language of a block of code chooses the program that colors it: one of few. Others are a line of the block.
LANGUAGE = re.compile(
    r"^([ \t>]*(?:`{3,}|~{3,}))[ \t]*(?!(?:python3?|py|text|bash|console|json|latex|tex)?[ \t]*$)([^`\n]+)$",
    re.MULTILINE,
)
LINK = re.compile(r"\](?=\s*[(\[:])")
LONGEST, OPENERS = 10_000, 200  # characters, and beginnings of formulas: the converter reads so many in under a second
# From each bracket that opens, nbconvert looks for a link to ``files/`` up to the end of the line, and behind each that
# it finds for the link's end. There are none for it, and only so many steps; of a longer text the first part is shown.
FILES = re.compile(r"\](?=\(/?files/)")
STEPS, FIRST = 5_000_000, 2_000

TAGS = re.compile(
    "p|br|hr|em|strong|del|code|pre|span|div|blockquote|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|th|td|a|img|h[1-6]"
)
VALUES = {
    # Not back to the machine of whoever reads it, where formgrader obeys addresses.
    "href": r"(https?://(?!localhost|127\.|0\.|\[)(?!\S*formgrader)|mailto:|#)\S*",
    "src": r"data:image/(png|jpeg);base64,[\w+/=\s]*",
    "class": r"highlight|anchor-link|language-\S*|[a-z0-9]{1,3}",
    "id": r"%E2%81%A0\S*",
    "style": r"text-align: ?(left|right|center);?",
    "start": r"\d{1,9}",
    "alt": r".*",
    "title": r".*",
}


def plain(text: object, most: int = 2000) -> str:
    """One safe text: no control characters, no sequences that a terminal obeys, no more than ``most`` characters."""
    clean = CONTROLS.sub("", ESCAPES.sub("", str(text).replace("\r\n", "\n").replace("\r", "\n")))
    return clean if len(clean) <= most else clean[:most] + " …"


def safe_markdown(text: str, attachments: dict[str, dict[str, str]] | None = None, *, layout: bool = True) -> str:
    """Markdown in which HTML is text, and links lead to pages. Formulas and comparisons stay as they are.

    What is returned was converted here, by nbgrader's own converter, and found harmless: if not as it was written, then
    with its links as text, then altogether as text.

    Args:
        text: anything.
        attachments: what ``safe_attachments`` kept of the same cell: a picture that is not among them is text.
        layout: otherwise it is shown as it was written, which takes no time.
    """
    text = FILES.sub(f"]{MARK}", TAG.sub("< ", plain(text, 100_000)))
    if sum(line.count("[") * len(line) for line in text.split("\n")) > STEPS:
        text = plain(text, FIRST)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text) or [""]))
    attempts = [f"{fence}\n{text}\n{fence}"]
    openers = sum(map(text.count, (r"\begin", r"\\[", r"\\(")))
    if layout and len(text) <= LONGEST and openers <= OPENERS:
        text = MACRO.sub(r"\\ ", UPWARD.sub(r"\1", text))
        text = LANGUAGE.sub(r"\1\n\2", CHECKBOX.sub(r"\1\\", text))
        text = UNDERLINE.sub("\n\n", HEADING.sub(rf"\1{MARK}", text))
        attempts = [text, LINK.sub(f"]{MARK}", text), *attempts]
    return next((shown for shown in attempts if _harmless(shown, attachments)), "(This text cannot be shown.)")


def _harmless(text: str, attachments: dict[str, dict[str, str]] | None) -> bool:
    """Does the page that is made of it hold nothing but the elements and attributes of a text?"""
    try:
        from bs4 import BeautifulSoup
        from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
        from nbconvert.filters.strings import strip_files_prefix

        made = MarkdownWithMath(renderer=IPythonRenderer(escape=False, attachments=attachments or {})).render(text)
        made = strip_files_prefix(made)  # type: ignore[no-untyped-call]
        found = BeautifulSoup(made, "html.parser").find_all(True)
        return all(TAGS.fullmatch(tag.name) and all(map(_allowed, tag.attrs, tag.attrs.values())) for tag in found)
    except Exception:  # a missing attachment, nesting without end, whatever the converter does not survive
        return False


def _allowed(name: str, value: object) -> bool:
    text = " ".join(value) if isinstance(value, list) else str(value)
    return name in VALUES and re.fullmatch(VALUES[name], text, re.DOTALL) is not None
