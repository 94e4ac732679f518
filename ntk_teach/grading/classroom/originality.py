"""Answers that a person should look at: like the author's, like a classmate's, or made of what they were to replace.

A flag is a hint. It never changes points: two people who write down the same formula write the same program. Passages
are compared by winnowed k-grams (Schleimer, Wilkerson & Aiken 2003); names, literals, comments and layout do not count.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from itertools import combinations

from ntk_teach.grading.classroom.lexer import LONGEST, Word, erased, words
from ntk_teach.grading.classroom.library_use import foreign

__all__ = ["Flag", "scan"]

GRAM = 10  # tokens: less than a line, so that lines can change places
WINDOW = 4  # any run of GRAM + WINDOW - 1 equal tokens is found
MOST = 2_000  # tokens that are compared: twenty times a long answer
SHORT = 110  # tokens beyond the skeleton; below, the formula alone decides the shape
ALIKE = 0.7  # share of the smaller one's passages that the other has too
FEWEST = 80  # characters beyond the skeleton that can be "the same text"
AUTHOR = "the author"
MARKER = re.compile("(BEGIN|END) SOLUTION")


@dataclass(frozen=True)
class Flag:
    """What a person should look at.

    Args:
        student, task: whose answer to what.
        kind: ``reference``, ``classmate`` or ``library``.
        other: whom it is like: a student, ``the author``, or the name that it uses.
        similarity: 0 to 1; 1 also where the texts are the same.
        words: one sentence.
    """

    student: str
    task: str
    kind: str
    other: str
    similarity: float
    words: str

    def __str__(self) -> str:
        return f"{self.student}, {self.task}: {self.words}"


@dataclass(frozen=True)
class _Answer:
    text: str  # its own lines, as written
    size: int  # tokens beyond the skeleton
    passages: frozenset[int]


def scan(
    answers: Mapping[str, Mapping[str, str]], references: Mapping[str, str], provides: Iterable[str]
) -> list[Flag]:
    """Flags for the answers of a class, at most one of a kind for each answer: the closest.

    Args:
        answers: student to task to source.
        references: task to the author's source; what stands outside of ``### BEGIN SOLUTION`` and ``### END SOLUTION``
            is the skeleton that everybody was given.
        provides: names of ``ntk_teach`` that answers may use.

    Cost: a few seconds for 300 students and 5 tasks; sources are looked at up to a fixed length, whatever is in them.
    """
    allowed, flags = frozenset(provides), list[Flag]()
    for task in sorted({task for given in answers.values() for task in given}):
        reference = references.get(task, "")
        skeleton = re.sub(r"[^\n]*BEGIN SOLUTION.*?END SOLUTION[^\n]*", "", reference, flags=re.DOTALL)
        base, lines = set(_grams(words(skeleton))), {line.strip() for line in skeleton.splitlines()}
        sources = {name: given[task] for name, given in sorted(answers.items()) if task in given}
        read = {source: words(source) for source in set(sources.values())}  # what many left as it was, once
        looks = {source: _answer(source, tokens, base, lines) for source, tokens in read.items()}
        used = {source: foreign(tokens, allowed) for source, tokens in read.items()}
        found = {name: looks[source] for name, source in sources.items()}
        author = _answer(reference, words(reference), base, lines)
        flags += _like_the_author(task, found, author)
        flags += _like_each_other(task, found)
        for name, source in sources.items():
            if names := used[source]:
                said = f"uses {', '.join(names[:3])}, which the exercise does not provide"
                flags.append(Flag(name, task, "library", names[0], 1.0, said))
    return sorted(flags, key=lambda flag: (flag.student, flag.task, flag.kind))


def _answer(source: str, tokens: list[Word], base: Set[int], given: Set[str]) -> _Answer:
    lines = (line.rstrip() for line in source[:LONGEST].splitlines() if not MARKER.search(line))
    kept = [line for line in lines if line and line.strip() not in given]
    grams = _grams(tokens)
    size = sum(gram not in base for gram in grams) + GRAM - 1
    return _Answer("\n".join(kept), size, frozenset(_passages(grams) - base))


def _grams(tokens: list[Word]) -> list[int]:
    shape = [text.encode(errors="surrogatepass") for text in erased(tokens[:MOST])]
    # A fixed hash: Python's own differs from run to run, and with it the choice of passages.
    return [zlib.crc32(b"\0".join(shape[i : i + GRAM])) for i in range(len(shape) - GRAM + 1)]


def _passages(grams: list[int]) -> set[int]:
    """The smallest hash of each window: equal runs choose equal passages, wherever they stand."""
    return {min(grams[i : i + WINDOW]) for i in range(max(len(grams) - WINDOW + 1, min(len(grams), 1)))}


def _same_text(one: _Answer, two: _Answer) -> bool:
    return one.text == two.text and len(re.sub(r"\s", "", one.text)) >= FEWEST


def _share(shared: int, one: Set[int], two: Set[int]) -> float:
    """Of the smaller one's passages; 0 where there is too little to compare."""
    fewer = min(len(one), len(two))
    return shared / fewer if fewer >= SHORT // (WINDOW + 1) else 0.0


def _like_the_author(task: str, found: Mapping[str, _Answer], author: _Answer) -> list[Flag]:
    flags = []
    for name, answer in found.items():
        if _same_text(answer, author):
            said = "the same text as the author's solution, names and comments included"
            flags.append(Flag(name, task, "reference", AUTHOR, 1.0, said))
        elif min(answer.size, author.size) < SHORT:
            continue
        elif (share := _share(len(answer.passages & author.passages), answer.passages, author.passages)) >= ALIKE:
            said = f"{share:.0%} of its structure is that of the author's solution"
            flags.append(Flag(name, task, "reference", AUTHOR, share, said))
    return flags


def _like_each_other(task: str, found: Mapping[str, _Answer]) -> list[Flag]:
    flags, closest = [], defaultdict[str, list[tuple[float, str]]](list)
    for (name, other), share in _pairs(found).items():
        closest[name].append((share, other))
        closest[other].append((share, name))
    for name, others in closest.items():
        share, other = min(others, key=lambda item: (-item[0], item[1]))
        more = f", and {len(others) - 1} more are like it" if len(others) > 1 else ""
        same = _same_text(found[name], found[other])
        how = "the same text, names and comments included, as" if same else f"{share:.0%} of its structure is that of"
        flags.append(Flag(name, task, "classmate", other, share, f"{how} {other}'s{more}"))
    return flags


def _pairs(found: Mapping[str, _Answer]) -> dict[tuple[str, str], float]:
    """Who is like whom, each pair once. By way of the rare passages, so that a large class stays cheap."""
    holders, texts = defaultdict[int, list[str]](list), defaultdict[str, list[str]](list)
    for name, answer in sorted(found.items()):
        texts[answer.text].append(name)
        if answer.size >= SHORT:
            for passage in answer.passages:
                holders[passage].append(name)
    # What more than a tenth of the class wrote was dictated by the formula, or stands on the same page of a book.
    rare = {passage: names for passage, names in holders.items() if len(names) <= max(8, len(found) // 10)}
    own = {name: answer.passages & rare.keys() for name, answer in found.items()}
    shared = Counter(pair for names in rare.values() for pair in combinations(names, 2))
    alike = {pair: _share(count, own[pair[0]], own[pair[1]]) for pair, count in shared.items()}
    same = {
        pair: 1.0
        for names in texts.values()
        if _same_text(found[names[0]], found[names[0]])
        for pair in combinations(names, 2)
    }
    return {pair: share for pair, share in alike.items() if share >= ALIKE} | same
