"""What a notebook does in a sandbox: everything that it does elsewhere, but for the end of its own process."""

import base64

from boxes import REFUSAL, ending, opened, printed, said


def kinds(outputs: list[dict]) -> list[str]:
    return [output["output_type"] for output in outputs]


def test_outputs_come_in_the_order_in_which_they_were_made(box) -> None:
    """Printed, displayed, printed again, and the value last, with the number of its cell."""
    outputs, count = box.run("print('a')\ndisplay('b')\nprint('c')\nprint('d')\n1 + 1")
    assert kinds(outputs) == ["stream", "display_data", "stream", "execute_result"]
    assert [outputs[0]["text"], outputs[2]["text"]] == ["a\n", "c\nd\n"]
    assert [outputs[1]["data"], outputs[3]["data"]] == [{"text/plain": "'b'"}, {"text/plain": "2"}]
    assert outputs[3]["execution_count"] == count
    assert box.run("None")[1] == count + 1


def test_both_streams_are_told_apart(box) -> None:
    """What goes to stderr is not mixed with what goes to stdout."""
    outputs, _ = box.run("import sys\nprint('out')\nprint('err', file=sys.stderr)")
    assert [(output["name"], output["text"]) for output in outputs] == [("stdout", "out\n"), ("stderr", "err\n")]


def test_what_is_written_to_the_descriptors_is_kept(box) -> None:
    """By C code, by a program that the cell starts, and by a child that ends without a flush of its own."""
    lines = printed(
        box,
        "import os, subprocess, sys\nprint('first')\nos.write(1, b'raw\\n')\n"
        "subprocess.run([sys.executable, '-c', 'print(7)'])\n!echo eight",
    )
    assert lines == ["first", "raw", "7", "eight"]


def test_magics_and_shell_commands_run(box) -> None:
    """They are part of what a notebook is."""
    source = "%matplotlib inline\nfound = !echo one; echo two\nprint(found)\n%time pass\nprint('end')"
    lines = printed(box, source)
    assert lines[0] == "['one', 'two']"
    assert lines[-1] == "end"


def test_a_plot_is_a_picture(box) -> None:
    """Without a call of show, as in a notebook."""
    outputs, _ = box.run("import matplotlib.pyplot as plt\nfigure = plt.plot([1, 2])")
    (picture,) = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert base64.b64decode(picture).startswith(b"\x89PNG")


def test_an_error_is_an_output_and_the_names_stay(box) -> None:
    """With type, text and line; what ran before the line counts."""
    outputs, _ = box.run("before = 5\n1 / 0\nafter = 6")
    assert (outputs[0]["ename"], outputs[0]["evalue"]) == ("ZeroDivisionError", "division by zero")
    assert "1 / 0" in "".join(outputs[0]["traceback"])
    assert printed(box, "print(before, 'after' in globals())") == ["5 False"]
    assert said(box, "def f(:").startswith("SyntaxError")
    assert said(box, "class Mute(Exception):\n    def __str__(self): raise self\nraise Mute()").startswith("Mute")


def test_asynchronous_cells_run(box) -> None:
    """``await`` at the top of a cell."""
    assert printed(box, "import asyncio\nawait asyncio.sleep(0)\nprint(await asyncio.sleep(0, 'woke'))") == ["woke"]


def test_leaving_does_not_end_the_notebook(box) -> None:
    """exit, quit and sys.exit are words that students write."""
    for source in ("exit()", "quit()", "import sys; sys.exit(3)", "raise KeyboardInterrupt"):
        box.run(source)
    assert printed(box, "print('here')") == ["here"]


def test_a_question_to_nobody_is_an_error(box) -> None:
    """input() has nobody to answer, and does not wait for one."""
    assert said(box, "input('your name? ')").endswith("EOFErrorEOF when reading a line")


def test_odd_texts_arrive(box) -> None:
    """Zero bytes, half a surrogate pair, bytes that are no text."""
    text = said(box, r"import os; print('a\0b\ud800c'); os.write(1, b'\xff\xfe'); 'λ'")
    assert text.startswith("a\0b")
    assert text.endswith("{'text/plain': \"'λ'\"}")


def test_too_many_outputs_and_too_long_ones_are_cut(box) -> None:
    """As many and as long as was agreed, with a word about it; the next cell has its own share."""
    outputs, _ = box.run("for i in range(1000): display(i)")
    assert len(outputs) == box.limits.messages
    outputs, _ = box.run("import os\nfor _ in range(100): os.write(1, b'x' * 100_000)\n'end'")
    assert sum(len(str(output)) for output in outputs) < box.limits.output + 1000
    assert "cut here" in str(outputs)
    assert printed(box, "print('short')") == ["short"]


def test_a_flood_at_the_descriptor_ends_at_the_size_of_a_file(box) -> None:
    """No process fills the memory by printing, and the sandbox goes on."""
    text = said(box, "import os\nwhile True: os.write(1, b'x' * (1 << 20))")
    assert text.endswith("OSError[Errno 27] File too large")
    assert printed(box, "print('short')") == ["short"]


def test_the_provided_part_of_the_library_is_there_and_the_rest_is_refused_in_words(box) -> None:
    """Whatever the form of the import, the student is told why."""
    assert printed(box, "import ntk_teach as ntk\nprint(ntk.relu)\nfrom ntk_teach.kernel import Dual") == [
        "the provided one"
    ]
    for wanted in (
        "import ntk_teach.zoo",
        "from ntk_teach import zoo",
        "from ntk_teach import relu, serial",
        "from ntk_teach.kernel import Kernel",
        "from ntk_teach.grading.tasks import exercise",
        "import importlib; importlib.import_module('ntk_teach.empirical')",
    ):
        assert REFUSAL in said(box, wanted), wanted
    for absent in ("neural_tangents.stax", "nbgrader.api", "jupytext.cli"):
        assert "ModuleNotFoundError" in said(box, f"import {absent}")


def test_two_sandboxes_draw_the_same_numbers(warm) -> None:
    """A grading can be repeated: generators without a seed of their own start equal."""
    draw = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(), torch.rand(1).item(), hash('a'))"
    numbers = []
    for _ in range(2):
        with opened(warm) as one:
            numbers.append(printed(one, draw))
    assert numbers[0] == numbers[1]


def test_how_a_process_ended_is_told(warm) -> None:
    """Its own end, a signal, a crash in C: each in words, and none of them a limit."""
    ends = {
        "import os; os._exit(3)": "with exit code 3",
        "import os; os.kill(os.getpid(), 9)": "it was killed",
        "import ctypes; ctypes.string_at(0)": "segmentation fault",
        "import os; os.abort()": "it aborted",
    }
    for source, words in ends.items():
        with opened(warm) as one:
            why, told = ending(one, source)
        assert why == ""
        assert words in told
