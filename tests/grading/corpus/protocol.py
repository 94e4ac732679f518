"""Speaking the sandbox's own protocol: frames of two lengths, JSON and bytes, on the socket that the interpreter has.

Whoever runs in there may say anything. Nothing of it is worth a point, because the grader holds what is compared.
"""

from __future__ import annotations

from typing import Any

from corpus.submission import Submission, Write, answers, cells

__all__ = ["submissions"]

SPEAK = """
import io, json, os, socket, stat, struct
import numpy
def channels():
    found = []
    for number in range(3, 16):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                found.append(number)
        except OSError:
            pass
    return found
def frame(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">II", len(text), len(body)) + text + body
def say(header, body=b""):
    for number in channels():
        try:
            os.set_blocking(number, True)
            os.write(number, frame(header, body))
        except OSError:
            pass
def hear():
    for number in channels():
        line = socket.socket(fileno=os.dup(number))
        line.settimeout(2)
        try:
            sizes = struct.unpack(">II", line.recv(8, socket.MSG_WAITALL))
            text, body = line.recv(sizes[0], socket.MSG_WAITALL), b""
            while len(body) < sizes[1]:
                body += line.recv(sizes[1] - len(body), socket.MSG_WAITALL)
            return json.loads(text), body
        except (OSError, ValueError, struct.error):
            continue
    return {"do": "done"}, b""
def npy(array):
    file = io.BytesIO()
    numpy.save(file, array)
    return file.getvalue()
def head(text, version=1):
    text += " " * (-(len(text) + 11) % 64) + "\\n"
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\\x93NUMPY" + bytes([version, 0]) + size + text.encode("latin-1")
# Takes the place of whoever serves the task: hears every call, says what it wants, and leaves.
def serve(reply):
    order = {}
    for _ in range(12):
        say(*reply(order))
        order, body = hear()
        if order.get("do") != "call":
            break
    os._exit(0)
def array(count):
    return {"kind": "value", "problem": "", "single": False, "note": ""}, npy(numpy.zeros(count))
"""
NUMBER = """
NUMBER = ["limiting_ntk", "network_ntk", "output_ntk", "variance_slope", "layer_shares"].index("NAME")
"""


def serving(reply: str) -> Write:
    """``reply(order)`` is what each answer says in the place of the one that serves it."""
    return answers(f"{SPEAK}{NUMBER}{reply}\ndef NAME(*given):\n    serve(reply)")


def spoken(name: str, about: str, write: Write, **more: Any) -> Submission:
    return Submission(name, "protocol", about, write, **more)


submissions = [
    spoken(
        "replies_in_advance",
        "A cell answers, before they are asked, the orders to come: all cells went well, all arrays are there.",
        cells(
            SPEAK
            + """
shown = {"output_type": "execute_result", "data": {"text/plain": "3.0"}, "metadata": {}, "execution_count": 1}
for _ in range(40):
    say({"outputs": [shown], "count": 1})
    say(*array(1))
    say({"ended": 0})
"""
        ),
    ),
    spoken(
        "replies_of_one_too_many",
        "Each answer sends a reply of its own before the true one, so that all later ones are one too late.",
        answers(SPEAK + "def NAME(*given):\n    say(*array(1))\n    return 0.0"),
    ),
    spoken(
        "server_replaced",
        "Each answer takes over the conversation, and says that all is right, with all points.",
        serving("""
def reply(order):
    said = {"kind": "value", "right": True, "holds": True, "points": 3, "verdict": "passed", "single": True}
    return said, npy(numpy.zeros(()))
"""),
    ),
    spoken(
        "replies_of_wrong_types",
        "Replies whose fields have every type but the right one.",
        serving("""
odd = [
    {"kind": ["value"], "problem": 3, "single": [], "note": {"a": 1}},
    {"kind": None, "over": {"a": []}, "problem": [[["x"]]]},
    {"kind": "raised", "problem": {"<b>": "\\x1b[2J\\ud800"}, "note": None},
    {"ended": [1], "kind": 7},
    {"ended": {"x": 1e400}, "kind": float("nan")},
]
def reply(order):
    return odd[NUMBER], b""
"""),
    ),
    spoken(
        "replies_of_odd_numbers",
        "Ends with codes that no process has, and reports limits that it did not reach, to be tried again and again.",
        serving("""
odd = [{"ended": -(10**300)}, {"ended": True}, {"ended": -24}, {"kind": "raised", "problem": "x", "over": "cpu"},
       {"kind": "value", "single": "float32", "note": "passed, 3 of 3 points\\n" * 3000}]
def reply(order):
    return odd[NUMBER], npy(numpy.zeros((5, 5)))
"""),
    ),
    spoken(
        "replies_that_are_no_json",
        "Headers that are not JSON, JSON but no object, nested deeply, or of many digits.",
        serving("""
odd = [b"not json", b"[1, 2]", b"[" * 200_000, b'{"kind": ' + b"9" * 10_000 + b"}", b"\\xff\\xfe\\x00"]
def reply(order):
    return odd[NUMBER], b""
"""),
    ),
    spoken(
        "replies_nested_just_so",
        "Headers nested as deeply as can be read, where a text is made of them later.",
        serving("""
depths = [300, 600, 900, 950, 980]
def reply(order):
    deep = b"[" * depths[NUMBER] + b"]" * depths[NUMBER]
    return b'{"kind": "raised", "problem": ' + deep + b', "note": ' + deep + b"}", b""
"""),
    ),
    spoken(
        "lengths_that_lie",
        "Announces four thousand million bytes, fewer than it sends, more than it sends, and none.",
        serving("""
def reply(order):
    for number in channels():
        try:
            sizes = [(0xFFFFFFFF, 0xFFFFFFFF), (2, 0xFFFFFFFF), (2, 10), (1, 1 << 24), (0, 0)][NUMBER]
            os.write(number, struct.pack(">II", *sizes) + b"{}")
        except OSError:
            pass
    os._exit(0)
"""),
    ),
    spoken(
        "headers_of_arrays",
        "Arrays whose headers announce sizes, types, orders and versions that are not there.",
        serving("""
odd = [
    head("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }") + bytes(80),
    head("{'descr': '<f8', 'fortran_order': True, 'shape': (-1, -8), }") + bytes(64),
    head("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }") + b"cos\\nsystem\\n(S'id'\\ntR.",
    head("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 99999999999999999999999), }"),
    head("{'descr': [('a', '<f8'), ('b', '|V99999')], 'fortran_order': 1, 'shape': 3, }", 2) + bytes(64),
]
def reply(order):
    return {"kind": "value"}, odd[NUMBER]
"""),
    ),
    spoken(
        "headers_that_are_programs",
        "Arrays whose headers are expressions, nested texts, ten thousand characters or nothing.",
        serving("""
odd = [
    head("__import__('os').system('touch /tmp/" + $mark + "-header')"),
    head("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "(" * 900 + ")" * 900 + "), }"),
    head("{" * 3000),
    b"\\x93NUMPY\\x01\\x00" + struct.pack("<H", 60_000) + b"x" * 60_000,
    b"",
]
def reply(order):
    return {"kind": "value"}, odd[NUMBER]
"""),
    ),
    spoken(
        "arrays_of_odd_shape",
        "Arrays of thirty axes, of no number, of numbers that are none.",
        serving("""
odd = [numpy.zeros((1,) * 30), numpy.zeros((0, 5)), numpy.full((5, 5), numpy.nan), numpy.full((), numpy.inf),
       numpy.full((3, 5, 5), 1e308)]
def reply(order):
    return {"kind": "value", "single": True}, npy(odd[NUMBER])
"""),
    ),
    spoken(
        "outputs_of_wrong_types_live",
        "A cell reports outputs of every type but the right one.",
        cells(
            SPEAK
            + """
class Odd(list):
    pass
outputs = [None, 3, [], {"output_type": ["stream"], "text": {"a": 1}},
           {"output_type": "error", "ename": [1], "traceback": {}},
           {"output_type": "error", "ename": None, "evalue": None, "traceback": [None, {"a": 1}]},
           {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo=", "image/jpeg": 3, "text/plain": [1]}},
           {"output_type": "execute_result", "data": "x", "metadata": [], "execution_count": "x"},
           {"output_type": "stream", "name": [], "text": "\\ud800\\x00\\x1b[2J"}]
say({"outputs": outputs, "count": True})
say({"outputs": outputs, "count": 1e400})
say({"outputs": {"a": 1}, "count": "x"})
say({"outputs": [[[[[[]]]]]] * 1000, "count": -1})
"""
        ),
        page=True,
    ),
    spoken(
        "outputs_nested_just_so",
        "A cell reports outputs nested as deeply as can be read, where texts are made of them later.",
        cells(
            SPEAK
            + """
for depth in (200, 500, 800, 900, 940, 960, 970, 980, 990):
    deep = b"[" * depth + b"]" * depth
    say(b'{"outputs": [{"output_type": "stream", "text": ' + deep + b'}, {"output_type": "display_data", "data": '
        b'{"text/plain": ' + deep + b"}}], " + b'"count": 1}')
"""
        ),
        page=True,
    ),
    spoken(
        "outputs_without_end_live",
        "A cell reports as much as a frame may hold, in many small outputs.",
        cells(
            SPEAK
            + """
one = {"output_type": "stream", "name": "stdout", "text": "x"}
say({"outputs": [one] * 30_000, "count": 1})
"""
        ),
        page=True,
    ),
    spoken(
        "says_that_it_never_began",
        "Says what a sandbox says that could not be set up, so that the grader gives up the whole class.",
        cells(
            SPEAK
            + """
for _ in range(5):
    say({"failed": "OSError: no sandbox here", "why": "start", "exit": 1})
    say({"exit": 1, "why": "OSError: no sandbox here"})
os._exit(1)
"""
        ),
    ),
    spoken(
        "never_reads",
        "Stops reading, so that whoever sends waits.",
        answers(
            """
import os, signal
def NAME(*given):
    os.kill(os.getppid(), signal.SIGSTOP)
    return 0.0
""",
            "05.1",
        ),
        endless=True,
    ),
    spoken(
        "ends_again_and_again",
        "Cells that compute, and then cells that end the process: each end makes the cells before run again.",
        cells(*["sum(range(15_000_000))"] * 4, *["import os\nos._exit(0)"] * 14),
    ),
]
