"""Which names of a library does a source use? Read from its words, so that text which is no program is read as well."""

from __future__ import annotations

from collections.abc import Sequence, Set

from ntk_teach.grading.classroom.lexer import Word

__all__ = ["foreign"]

OURS = "ntk_teach"
# Libraries that compute these kernels.
OTHERS = frozenset({"neural_tangents", "nngeometry", "fast_finite_width_ntk", "asdl", "asdfghjkl"})
CHECK = ["ntk_teach", ".", "grading", "import", "check"]  # the line that every notebook begins with


def foreign(tokens: Sequence[Word], provides: Set[str]) -> list[str]:
    """What an answer uses of ``ntk_teach`` beyond ``provides``, and other libraries with the same kernels, in order."""
    found: dict[str, None] = {}
    texts = [word.text for word in tokens]
    aliases = {OURS, "ntk"} | {
        name for ours, as_, name in zip(texts, texts[1:], texts[2:], strict=False) if (ours, as_) == (OURS, "as")
    }
    for place, (kind, text) in enumerate(tokens):
        before = texts[place - 1] if place else ""
        after = texts[place + 1 : place + 3]
        if kind == "name" and text in OTHERS and before in ("import", "from", ",", "("):
            found[text] = None
        elif kind == "text" and any(f"{mark}{name}" in text for name in (OURS, *OTHERS) for mark in "'\""):
            if before == "(":  # import_module("…"), __import__("…")
                found[f"{OURS} by name" if OURS in text else text.strip("'\"")] = None
        elif kind == "name" and text == OURS and before == "from":
            found |= dict.fromkeys(_imported(tokens, place, provides))
        elif kind == "name" and text in aliases and before not in (".", "from", "as", "import"):
            if after[:1] == ["."] and len(after) == 2:
                if after[1] not in provides:
                    found[f"{text}.{after[1]}"] = None
            elif before == "(" and texts[place - 2] in ("getattr", "vars", "dir"):
                found[f"{texts[place - 2]}({text}, ...)"] = None
        elif text == OURS and before == "import" and after[:1] == ["."] and after[1:] and after[1] not in provides:
            found[f"{OURS}.{after[1]}"] = None
    return list(found)


def _imported(tokens: Sequence[Word], place: int, provides: Set[str]) -> list[str]:
    """``from ntk_teach… import a, b as c``: what is not provided. The list ends where no comma goes on."""
    texts = [word.text for word in tokens[place:]]
    if texts[:5] == CHECK and texts[5:6] != [","]:
        return []
    if "import" not in texts[:12]:
        return [OURS]
    start = texts.index("import")
    module = "".join(texts[:start])
    names, rest = [], [text for text in texts[start + 1 :] if text != "("]
    while rest and rest[0] != ")":
        names.append(rest[0])
        rest = rest[1:]
        if rest[:1] == ["as"]:
            rest = rest[2:]
        if rest[:1] != [","]:
            break
        rest = rest[1:]
    first = module.removeprefix(OURS).removeprefix(".").partition(".")[0]
    return [f"{module}.{name}" for name in names if (first or name) not in provides]
