"""Notebooks whose structure is not the released one: by intent, by accident, or not notebooks at all."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from typing import Any

import nbformat

from corpus.submission import Submission, cells, code_cell, insert, written

__all__ = ["submissions"]

REVIEW = "needs review"


def shaped(name: str, about: str, make: Callable[[Any], Any], **more: Any) -> Submission:
    """``make(room)`` is the notebook, or the text or the bytes of the file."""
    return Submission(name, "structure", about, written(make), **more)


def edited(change: Callable[[Any], Any], solved: bool = True) -> Callable[[Any], Any]:
    """``change`` alters a copy of the solved or the empty notebook, as plain data."""

    def make(room: Any) -> Any:
        notebook = json.loads(json.dumps(room.solved() if solved else room.empty()))
        return change(notebook) or notebook

    return make


def every(action: Callable[[dict[str, Any]], Any], *ids: str, solved: bool = True) -> Callable[[Any], Any]:
    """``action`` on each cell, or on those named."""

    def change(notebook: dict[str, Any]) -> None:
        for cell in notebook["cells"]:
            if not ids or cell.get("id") in ids:
                action(cell)

    return edited(change, solved)


def nbgrader(**values: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda cell: cell["metadata"].get("nbgrader", {}).update(values)


CHECKS = ("05-1", "05-2", "05-3", "05-4", "05-5")
ANSWERS = tuple(f"{check}-answer" for check in CHECKS)


def deleted(notebook: dict[str, Any]) -> None:
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] not in (*CHECKS, "given-setup")]


def generous_cell(notebook: dict[str, Any]) -> None:
    for number, check in enumerate(CHECKS):
        given = {"grade": True, "grade_id": check, "points": 1000, "locked": False, "solution": False}
        cell = {"cell_type": "code", "id": f"mine{number}", "source": "1000.0", "outputs": [], "execution_count": None}
        notebook["cells"].insert(0, {**cell, "metadata": {"nbgrader": {**given, "schema_version": 3, "task": False}}})


def answers_as_checks(notebook: dict[str, Any]) -> None:
    """Each check's id on a cell of one's own, and the check itself under another."""
    for cell in notebook["cells"]:
        if cell["id"] in CHECKS:
            cell["id"] = cell["metadata"]["nbgrader"]["grade_id"] = f"was-{cell['id']}"
        elif cell["id"] in ANSWERS:
            name = cell["id"].removesuffix("-answer")
            cell["id"] = cell["metadata"]["nbgrader"]["grade_id"] = name
            cell["source"] = "3.0"


def swapped_ids(notebook: dict[str, Any]) -> None:
    """Every answer bears the id of the next one."""
    found = [cell for cell in notebook["cells"] if cell["id"] in ANSWERS]
    ids = [(cell["id"], cell["metadata"]) for cell in found]
    for cell, (name, metadata) in zip(found, [*ids[1:], ids[0]], strict=True):
        cell["id"], cell["metadata"] = name, metadata


def everything_twice(notebook: dict[str, Any]) -> None:
    notebook["cells"] += copy.deepcopy(notebook["cells"])


def duplicate_ids(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        cell["id"] = "same"


def odd_metadata(cell: dict[str, Any]) -> None:
    values: list[Any] = [None, [], 3, "text", True, [[{}]], {"nbgrader": None}, {"nbgrader": []}, {"nbgrader": "x"}]
    cell["metadata"] = values[len(str(cell["source"])) % len(values)]


def odd_nbgrader(cell: dict[str, Any]) -> None:
    values = [None, [], {}, 1e400, -1, "1; drop table grade", {"a": {"b": []}}, True, "\u0000"]
    if "nbgrader" in cell["metadata"]:
        for number, name in enumerate(("grade", "grade_id", "locked", "points", "schema_version", "solution", "task")):
            cell["metadata"]["nbgrader"][name] = values[(number + len(str(cell["source"]))) % len(values)]


def odd_tags(cell: dict[str, Any]) -> None:
    cell["metadata"].update(tags={"a": 1}, collapsed="yes", name=3, jupyter=[], slideshow=None, trusted="x" * 1000)


def without(*names: str) -> Callable[[dict[str, Any]], None]:
    def change(cell: dict[str, Any]) -> None:
        for name in names:
            cell.pop(name, None)

    return change


def with_values(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda cell: cell.update(values)


def source_of_mixed_types(cell: dict[str, Any]) -> None:
    cell["source"] = [cell["source"], 3, None, ["x"], {"y": 1}]


def odd_outputs(cell: dict[str, Any]) -> None:
    if cell["cell_type"] == "code":
        cell["outputs"] = [
            {"output_type": "execute_result", "data": {"text/plain": ["3.0"]}, "metadata": {}, "execution_count": 1},
            {"output_type": "unknown", "text": 3},
            {"output_type": "error", "ename": None, "evalue": [], "traceback": "x"},
            {"output_type": "display_data", "data": {"application/vnd.ntk-teach.verdict+json": []}, "metadata": []},
            None,
            3,
        ]


def head(**values: Any) -> Callable[[Any], Any]:
    return edited(lambda notebook: notebook.update(values))


def literal(old: str, new: str) -> Callable[[Any], Any]:
    """The file's text, with something in it that JSON's own writer would not write."""

    def make(room: Any) -> str:
        text = json.dumps(room.solved())
        assert old in text
        return text.replace(old, new, 1)

    return make


def kernel(**values: Any) -> Callable[[Any], Any]:
    return edited(lambda notebook: notebook["metadata"].update(kernelspec=values, language_info={"name": "R"}))


def another_student(notebook: dict[str, Any]) -> None:
    own = {"student_id": "honest-one", "assignment_id": "other", "verdicts": {c: {"points": 3.0} for c in CHECKS}}
    notebook["metadata"].update(
        authors=[{"name": "honest-one"}],
        nbgrader={"user": "honest-one", "student": "honest-one", "score": 14},
        ntk_teach={**own, "mended": 3, "stopped": []},
        celltoolbar="Create Assignment",
    )


def old_format(room: Any) -> Any:
    return {"nbformat": 2, "nbformat_minor": 0, "metadata": {"name": "x"}, "worksheets": [{"cells": []}]}


def kept_outputs(room: Any) -> Any:
    """Nothing answered; the stored outputs of the checks say that all was right."""
    notebook = json.loads(json.dumps(room.empty()))
    verdict = {"task": "05.1", "title": "x", "messages": [], "notes": [], "points": 3.0, "out_of": 3}
    verdict["properties"] = [{"name": "x", "holds": True, "points": 3.0, "out_of": 3}]
    data = {"text/plain": "3.0", "application/vnd.ntk-teach.verdict+json": verdict}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            result = {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}
            cell.update(outputs=[result], execution_count=1)
            cell["metadata"]["tags"] = ["demonstration", "skip-execution"]
    return notebook


def skipped(cell: dict[str, Any]) -> None:
    cell["metadata"]["tags"] = ["demonstration", "skip-execution", "raises-exception", "remove-cell", "nbval-skip"]


def answer_as(kind: str) -> Callable[[dict[str, Any]], None]:
    def change(cell: dict[str, Any]) -> None:
        cell["cell_type"] = kind
        cell.pop("outputs", None)
        cell.pop("execution_count", None)

    return change


def written_answer_as_code(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        if cell["id"] == "05-6":
            cell.update(cell_type="code", source="4.0", outputs=[], execution_count=None)


submissions = [
    shaped(
        "checks_deleted",
        "All checks and the setup are deleted; the answers are right.",
        edited(deleted),
        most=14,
        least=14,
    ),
    shaped(
        "locked_cells_edited",
        "Every check and every given cell is replaced by one that shows full points.",
        edited(
            lambda notebook: (
                [
                    cell.update(source="3.0")
                    for cell in notebook["cells"]
                    if cell["metadata"].get("nbgrader", {}).get("locked")
                ]
                and None
            ),
            solved=False,
        ),
    ),
    shaped(
        "thousand_points", "Each check is worth a thousand points.", every(nbgrader(points=1000), *CHECKS, solved=False)
    ),
    shaped(
        "thousand_points_and_right",
        "The same with right answers: they earn what they are worth.",
        every(nbgrader(points=1000, max_score=1000)),
        most=14,
        least=14,
    ),
    shaped("negative_points", "Each check is worth less than nothing.", every(nbgrader(points=-5)), most=14, least=14),
    shaped("grade_is_false", "The checks are marked as not graded.", every(nbgrader(grade=False), *CHECKS), most=14),
    shaped(
        "checks_are_solutions",
        "The checks are marked as cells for the student to write, and written to give full points.",
        every(lambda c: [nbgrader(solution=True, locked=False)(c), c.update(source="3.0")], *CHECKS, solved=False),
    ),
    shaped("everything_is_a_task", "All cells are marked as tasks.", every(nbgrader(task=True, grade=False)), most=14),
    shaped("ids_changed", "Each nbgrader id is another.", every(nbgrader(grade_id="x"), *CHECKS, *ANSWERS), most=14),
    shaped(
        "ids_unknown",
        "Ids that nobody gave, with quotes and line breaks.",
        every(nbgrader(grade_id="a'\"\n;--")),
        most=14,
    ),
    shaped("ids_swapped", "Every answer bears the id of the next.", edited(swapped_ids), most=14),
    shaped(
        "checks_in_own_cells",
        "Own cells bear the ids of the checks, with a thousand points.",
        edited(generous_cell, False),
    ),
    shaped(
        "ids_exchanged", "Answers bear the checks' ids, checks bear others.", edited(answers_as_checks, solved=False)
    ),
    shaped("everything_twice", "All cells a second time, with their ids.", edited(everything_twice), most=14, least=14),
    shaped("same_id_everywhere", "All cells have one notebook id.", edited(duplicate_ids), most=14, least=14),
    shaped("answers_as_text", "The answers are text cells.", every(answer_as("markdown"), *ANSWERS), most=14),
    shaped("answers_as_raw", "The answers are raw cells.", every(answer_as("raw"), *ANSWERS), most=14),
    shaped(
        "written_answer_as_code",
        "The written answer is a code cell that ends with its points.",
        edited(written_answer_as_code),
        most=14,
    ),
    shaped("metadata_of_wrong_types", "Metadata is null, a list, a number, a word.", every(odd_metadata), most=14),
    shaped("nbgrader_of_wrong_types", "nbgrader's metadata has values of all types.", every(odd_nbgrader), most=14),
    shaped("tags_of_wrong_types", "Tags and other known keys have values of wrong types.", every(odd_tags), most=14),
    shaped("without_sources", "Cells without source.", every(without("source")), most=0),
    shaped("without_types", "Cells without a type.", every(without("cell_type")), most=14),
    shaped(
        "without_outputs",
        "Code cells without outputs and counts.",
        every(without("outputs", "execution_count")),
        most=14,
    ),
    shaped("without_metadata", "Cells without metadata.", every(without("metadata")), most=14),
    shaped("unknown_types", "Cells of an unknown type.", every(with_values(cell_type="heading")), most=14),
    shaped("types_of_wrong_types", "Cell types that are no words.", every(with_values(cell_type=["code"])), most=14),
    shaped(
        "source_of_mixed_types",
        "Sources that are lists of numbers, nulls and lists.",
        every(source_of_mixed_types),
        most=14,
    ),
    shaped("source_is_a_number", "Sources that are numbers.", every(with_values(source=3)), most=0),
    shaped("outputs_of_wrong_types", "Stored outputs of all types.", every(odd_outputs), most=14),
    shaped(
        "cells_are_no_cells",
        "The list of cells holds null, numbers, words and lists.",
        head(cells=[None, 3, "x", [], {}]),
        most=0,
    ),
    shaped("cells_are_a_dictionary", "Cells are a dictionary.", head(cells={"0": {}}), most=0),
    shaped("cells_are_null", "Cells are null.", head(cells=None), most=0),
    shaped("no_cells", "A notebook without cells.", head(cells=[]), most=0),
    shaped("notebook_metadata_is_null", "The notebook's metadata is null.", head(metadata=None), most=14),
    shaped("notebook_metadata_is_a_list", "The notebook's metadata is a list.", head(metadata=[1]), most=14),
    shaped("format_two", "A notebook of the format of 2011.", old_format, most=0),
    shaped("format_four_nine", "A minor version that does not exist yet.", head(nbformat_minor=9), most=14),
    shaped("format_five", "A version that does not exist yet.", head(nbformat=5), most=14),
    shaped("format_is_a_word", "A version that is a word.", head(nbformat="4"), most=14),
    shaped("format_is_negative", "A negative version.", head(nbformat=-4, nbformat_minor=-5), most=14),
    shaped(
        "format_is_a_truth",
        "A version that is true, and a minor one that is null.",
        head(nbformat=True, nbformat_minor=None),
        most=14,
    ),
    shaped("format_is_huge", "A version of two thousand digits.", head(nbformat=10**2000), most=14),
    shaped("format_is_missing", "No version.", edited(lambda n: n.pop("nbformat") and None), most=0, status=REVIEW),
    shaped(
        "not_numbers",
        "NaN and Infinity, which are no JSON.",
        literal('"execution_count": null', '"execution_count": NaN'),
        most=14,
    ),
    shaped("infinite_points", "Infinite points.", literal('"points": 3', '"points": Infinity'), most=14),
    shaped(
        "keys_twice",
        "The same key twice, the second with other cells.",
        literal('"nbformat": 4', '"cells": [], "nbformat": 4'),
        most=14,
    ),
    shaped(
        "lone_surrogates",
        "Half characters, which cannot be written as UTF-8.",
        literal("Exercise 05", "Exercise \\ud800 05"),
        most=14,
    ),
    shaped(
        "lone_surrogates_in_code",
        "Half characters in answers, and in what they print and raise.",
        edited(
            lambda n: (
                [
                    c.update(source=c["source"] + "\nprint('\ud800')\nraise ValueError('\udfff')")
                    for c in n["cells"]
                    if c["id"] in ANSWERS
                ]
                and None
            )
        ),
        most=14,
    ),
    shaped(
        "byte_order_mark",
        "UTF-8 with a mark at its start.",
        lambda room: b"\xef\xbb\xbf" + json.dumps(room.solved()).encode(),
        most=14,
    ),
    shaped("utf_16", "UTF-16.", lambda room: json.dumps(room.solved()).encode("utf-16"), most=14),
    shaped(
        "latin_1",
        "Not UTF-8.",
        lambda room: json.dumps(room.solved(), ensure_ascii=False).encode("cp1252", "replace"),
        most=14,
    ),
    shaped(
        "zeros_in_the_text",
        "NUL characters in sources and names.",
        literal("limiting_ntk(x, depth", "\\u0000(x, depth"),
        most=14,
    ),
    shaped(
        "zeros_after_the_text",
        "A file that ends in zeros.",
        lambda room: json.dumps(room.solved()).encode() + b"\0" * 4096,
        most=14,
    ),
    shaped("truncated", "Half a notebook.", lambda room: json.dumps(room.solved())[:9000], most=0, status=REVIEW),
    shaped("empty_file", "An empty file.", lambda room: "", most=0, status=REVIEW),
    shaped("only_white", "A file of spaces.", lambda room: " " * 100_000, most=0, status=REVIEW),
    shaped(
        "compressed",
        "A compressed notebook.",
        lambda room: gzip.compress(json.dumps(room.solved()).encode()),
        most=0,
        status=REVIEW,
    ),
    shaped("json_but_a_list", "JSON, but a list.", lambda room: "[1, 2]", most=0, status=REVIEW),
    shaped(
        "json_but_a_number",
        "JSON, but a number with more digits than Python reads.",
        lambda room: "1" * 10_000,
        most=0,
        status=REVIEW,
    ),
    shaped(
        "a_python_file",
        "The answers as a Python file under the notebook's name.",
        lambda room: "print('x')\n",
        most=0,
        status=REVIEW,
    ),
    shaped(
        "a_web_page",
        "The web page that a browser saved instead.",
        lambda room: "<!DOCTYPE html><html></html>",
        most=0,
        status=REVIEW,
    ),
    shaped(
        "kernel_of_a_shell",
        "Asks for a kernel of a shell.",
        kernel(name="bash", language="bash", display_name="Bash"),
        most=14,
    ),
    shaped(
        "kernel_unknown",
        "Asks for a kernel that is not there.",
        kernel(name="../../x", language="R", display_name="<b>R"),
        most=14,
    ),
    shaped(
        "kernel_of_wrong_types",
        "A kernel's description of wrong types.",
        kernel(name=None, language=[], display_name=3),
        most=14,
    ),
    shaped(
        "everything_skipped",
        "All cells are tagged not to be run, and the stored outputs are right.",
        kept_outputs,
        most=0,
    ),
    shaped("tagged_as_demonstrations", "Right answers in cells tagged not to be run.", every(skipped), most=14),
    shaped(
        "another_students_name",
        "Says in its metadata that it is another student's, and graded.",
        edited(another_student, solved=False),
    ),
    shaped(
        "metadata_of_widgets",
        "Widget state, in which viewers start programs.",
        head(
            metadata={"widgets": {"application/vnd.jupyter.widget-state+json": {"state": {"x": {"a": 1}}}}, "rise": {}}
        ),
        most=14,
    ),
    Submission(
        "shell_cells",
        "structure",
        "Cells for a shell, another file, another language, an extension, the end of IPython.",
        cells(
            "%%bash\necho 3.0",
            "%run -i solution.py",
            "%load_ext nbgrader",
            "%%script python3\nprint(3.0)",
            "%%javascript\nalert(1)",
            "%reset -f",
            "%config InteractiveShell.ast_node_interactivity = 'none'",
            "%autocall 2",
            "%xmode Minimal",
            "%pdb on",
            "%logstart -o corpus.log",
            "exit",
            "%debug",
        ),
    ),
    Submission(
        "magic_within_answers",
        "structure",
        "Right answers behind magics that stop the rest of a notebook, or run it in another process.",
        written(
            lambda room: room.answered(
                {"05.1": "%%script false\npass", "05.3": "%%writefile output_ntk.py\npass", "05.5": "%%capture\n%exit"},
                room.solved(),
            )
        ),
        most=14,
    ),
    Submission(
        "names_of_the_given_redefined",
        "structure",
        "An extra cell sets torch, ntk, check and x to other things before answers that are right.",
        written(
            lambda room: insert(room.solved(), code_cell("torch = ntk = check = x = theta = small = shared = None"))
        ),
        most=14,
    ),
    Submission(
        "syntax_errors",
        "structure",
        "Every answer is text that is not Python.",
        written(lambda room: room.answered({task.id: "def f(:\n  return (" for task in room.exercise.tasks})),
    ),
    Submission(
        "ids_too_long",
        "structure",
        "Cells with ids that the format does not allow.",
        written(every(lambda cell: cell.update(id="x" * 5000 + "<>"))),
        most=14,
    ),
    Submission(
        "a_new_notebook",
        "structure",
        "A notebook of one's own, with the functions' names and nothing of the release.",
        written(
            lambda room: nbformat.v4.new_notebook(
                cells=[code_cell(f"def {task.name}(*given):\n    return 0.0") for task in room.exercise.tasks]
            )
        ),
    ),
]
