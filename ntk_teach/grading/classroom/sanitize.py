"""What a student's notebook shows in somebody else's browser: text and pictures, and nothing that could act.

The autograded notebook is what formgrader and the feedback pages are made of, so it is made harmless once, there. The
submission itself is left as it was handed in.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from ntk_teach.grading.classroom.notebooks import NotebookNode, output
from ntk_teach.grading.classroom.texts import NAME, plain, safe_markdown

__all__ = ["plain", "safe_attachments", "safe_markdown", "safe_outputs"]

# Where Python is installed on the grader's machine is nobody's business, and long: …/torch/nn/functional.py
INSTALLED = re.compile(r"(?<![\w./])/[^\s:'\"]{0,200}?/(?:python3\.\d+/site-packages|site-packages|python3\.\d+)/")
PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


def safe_outputs(claimed: list[object], count: int | None, most: int) -> list[NotebookNode]:
    """Outputs rebuilt from what a sandbox sent: texts, and pictures that are pictures. The rest is dropped.

    Args:
        claimed: anything.
        count: number of the cell.
        most: characters of all outputs together; those after it are dropped.
    """
    kept, used = [], 0
    for item in claimed[:1000]:
        if not isinstance(item, Mapping) or used > most:
            continue
        made = _rebuilt(item, count, most - used)
        if made is not None:
            kept.append(made)
            used += len(str(made))
    return kept


def _rebuilt(item: Mapping[str, object], count: int | None, most: int) -> NotebookNode | None:
    kind = item.get("output_type")
    if kind == "stream":
        name = "stderr" if item.get("name") == "stderr" else "stdout"
        return output("stream", name=name, text=INSTALLED.sub("…/", plain(item.get("text", ""), most)))
    if kind == "error":
        lines = item.get("traceback")
        traceback = [INSTALLED.sub("…/", plain(line, most)) for line in lines[:200]] if isinstance(lines, list) else []
        return output(
            "error",
            ename=plain(item.get("ename", ""), 200),
            evalue=INSTALLED.sub("…/", plain(item.get("evalue", ""))),
            traceback=traceback,
        )
    if kind not in ("display_data", "execute_result"):
        return None
    given = item.get("data")
    data = given if isinstance(given, Mapping) else {}
    kept = {mime: str(data[mime]) for mime in PICTURES if _picture(mime, data.get(mime), most)}
    kept["text/plain"] = plain(data.get("text/plain", ""), most)
    more = {"execution_count": count} if kind == "execute_result" else {}
    return output(str(kind), data=kept, metadata={}, **more)


def _picture(mime: str, text: object, most: int = 5_000_000) -> bool:
    if not isinstance(text, str) or len(text) > most:
        return False
    try:
        return base64.b64decode("".join(text.split()), validate=True).startswith(PICTURES[mime])
    except (binascii.Error, ValueError):
        return False


def safe_attachments(given: object) -> dict[str, dict[str, str]]:
    """Pictures under plain names."""
    kept = {}
    for name, bundle in given.items() if isinstance(given, Mapping) else ():
        if NAME.fullmatch(str(name)) and isinstance(bundle, Mapping):
            pictures = {mime: str(bundle[mime]) for mime in PICTURES if _picture(mime, bundle.get(mime))}
            if pictures:
                kept[str(name)] = pictures
    return kept
