"""What a sandbox may send in the place of an answer: nothing but a clean answer or an end comes out of it, soon and
without much memory.
"""

import io
import json
import socket
import struct
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from tiny import outer, task

from ntk_teach.grading.answer import Answer
from ntk_teach.grading.classroom.remote import Missing, Remote, loaded, packed
from ntk_teach.grading.judge import judge
from ntk_teach.grading.sandbox.frames import receive, send
from ntk_teach.grading.sandbox.limits import MB, Limits
from ntk_teach.grading.sandbox.process import Ended, Sandboxed, pair
from ntk_teach.grading.sandbox.tasks import unpacked

LIMITS = Limits(cpu=0.25, patience=1.0, answer=1 * MB, output=64 * 1024)
ARGUMENTS = {"x": torch.ones(3, dtype=torch.float64), "several": [torch.ones(2), torch.ones(1)], "depth": 3}
DEEP = "[" * 900 + "]" * 900


@contextmanager
def against(reply: Callable[[socket.socket], None]) -> Iterator[Sandboxed]:
    """A sandbox in which nobody but ``reply`` lives: it has heard one order."""
    channel, theirs = pair()
    status, wardens = pair()

    def live() -> None:
        try:
            receive(theirs, within=10, header=MB, body=MB)
            reply(theirs)
        except OSError:  # the grader has hung up
            pass

    other = threading.Thread(target=live)
    other.start()
    box = Sandboxed(channel, status, LIMITS, "fake")
    try:
        yield box
    finally:
        box.close()
        wardens.close()
        other.join()
        theirs.close()


def raw(content: bytes) -> Callable[[socket.socket], None]:
    return lambda channel: channel.sendall(content)


def frame(header: bytes, body: bytes = b"") -> Callable[[socket.socket], None]:
    return raw(struct.pack(">II", len(header), len(body)) + header + body)


def npy(array: np.ndarray, *, pickled: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=pickled)
    return stream.getvalue()


def claims(shape: str, descr: str = "'<f8'", order: str = "False", data: bytes = b"") -> bytes:
    """The text of an npy header, written by hand."""
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) & 0xFFFF) + text + data


NO_FRAMES = {
    "a giant header": struct.pack(">II", 0xFFFFFFFF, 0),
    "a giant body": struct.pack(">II", 2, 0xFFFFFFFF) + b"{}",
    "a body above the agreed": struct.pack(">II", 2, MB + 1) + b"{}",
    "no JSON": struct.pack(">II", 4, 0) + b"what",
    "no text": struct.pack(">II", 4, 0) + b"\xff\xfe\x00\x01",
    "no object": struct.pack(">II", 2, 0) + b"[]",
    "a number of ten thousand digits": struct.pack(">II", 10008, 0) + b'{"a": ' + b"1" * 10001 + b"}",
    "deep": struct.pack(">II", 60000, 0) + b"[" * 60000,
}


@pytest.mark.parametrize("content", NO_FRAMES.values(), ids=NO_FRAMES)
def test_what_is_no_message_ends_the_sandbox(content) -> None:
    """In words that blame the right one."""
    with against(raw(content)) as box, pytest.raises(Ended) as end:
        box.call([], b"", within=5)
    assert end.value.why == "flood"


@pytest.mark.parametrize("content", [b"", b"\0\0\0", struct.pack(">II", 20, 0) + b'{"kind":'])
def test_silence_after_half_a_message_ends_in_time(content) -> None:
    """Nobody waits longer than was agreed, however slowly the bytes come."""

    def drip(channel: socket.socket) -> None:
        channel.sendall(content)
        while channel.recv(1):  # until the grader hangs up
            pass

    with against(drip) as box, pytest.raises(Ended) as end:
        box.call([], b"", within=0.2)
    assert end.value.why == "clock"


def test_an_end_in_the_middle_is_an_end() -> None:
    """Half a message and no more: the sandbox has gone."""
    with against(lambda channel: (channel.sendall(b"\0\0"), channel.shutdown(socket.SHUT_RDWR))) as box:
        box.status.close()
        with pytest.raises(Ended):
            box.call([], b"", within=5)


ODD = ["null", "true", "-1", "1e999", "NaN", "7", '"text"', '"\\ud800\\u0000\\u001b[31m"', "[]", "{}", DEEP]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("field", ["kind", "problem", "single", "note", "over", "ended"])
def test_any_value_in_any_field_is_an_answer_without_harm(field, odd) -> None:
    """Texts are one clean line, and whatever is no text is none."""
    fields = {"kind": '"value"', "problem": '"p"', "single": "false", "note": '"n"'} | {field: odd}
    header = "{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}"
    with against(frame(header.encode(), npy(np.ones(2)))) as box:
        remote = Remote(box, 5.0)
        answer = remote(ARGUMENTS)
    assert isinstance(answer, Answer)
    for text in (answer.problem, answer.note, str(answer.kind)):
        assert isinstance(text, str)
        assert text.isprintable()
        assert len(text) < 500
    assert answer.single in (True, False)
    assert (answer.value is None) == (answer.kind != "value")


def test_a_second_line_cannot_pass_for_a_verdict() -> None:
    """What a student's code says about itself stays within its line."""
    forged = {"kind": "raised", "problem": "no\n05.1 passed\r\n3 of 3 points\u2028", "note": ""}
    with against(frame(json.dumps(forged).encode())) as box:
        answer = Remote(box, 5.0)(ARGUMENTS)
    assert answer.problem == "no 05.1 passed 3 of 3 points"


def test_a_missing_function_is_told_apart() -> None:
    """With its name, and no more words than a line."""
    told = frame(b'{"kind": "missing", "problem": "there is no `f`\\n!"}')
    with against(told) as box, pytest.raises(Missing, match=r"^there is no `f` !$"):
        Remote(box, 5.0)(ARGUMENTS)


def test_messages_do_not_carry_the_graders_inputs_out() -> None:
    """Long numbers are cut in what an error says."""
    with against(frame(b'{"kind": "raised", "problem": "bad 1.23456789 and -0.00012345678"}')) as box:
        assert Remote(box, 5.0)(ARGUMENTS).problem == "bad 1.234… and -0.000…"


NO_ARRAYS = {
    "objects": npy(np.array([{}, None], dtype=object), pickled=True),
    "a pickle alone": b"\x80\x04N.",
    "big-endian": npy(np.ones(3, ">f8")),
    "float32": npy(np.ones(3, "f4")),
    "complex": npy(np.ones(3, "c16")),
    "text": npy(np.array(["a"])),
    "structured": npy(np.zeros(2, [("a", "<f8")])),
    "subarray": claims("(1,)", "('<f8', (2,))", data=bytes(16)),
    "version 2": b"\x93NUMPY\x02\x00" + npy(np.ones(3))[8:],
    "too short": npy(np.ones(3))[:-1],
    "too long": npy(np.ones(3)) + b"\0",
    "a huge shape": claims("(1000000000000,)"),
    "a shape that overflows": claims("(4294967296, 4294967296, 4294967296)"),
    "empty, and huge": claims("(0, 99999999999999999999)"),
    "negative": claims("(-2, -4)", data=bytes(64)),
    "true": claims("(True,)", data=bytes(8)),
    "forty axes": claims(f"({'1, ' * 40})", data=bytes(8)),
    "a long header": claims("(" + "1, " * 20000 + ")", data=bytes(8)),
    "an expression": claims("(2 - 1,)", data=bytes(8)),
    "a call": claims("(exit(),)", data=bytes(8)),
    "parentheses": claims("(" * 60000),
    "nothing": b"",
}


@pytest.mark.parametrize("content", NO_ARRAYS.values(), ids=NO_ARRAYS)
def test_what_is_no_array_of_float64_is_none(content) -> None:
    """Nothing of it is evaluated, unpickled or made."""
    assert loaded(content) is None
    with against(frame(b'{"kind": "value"}', content)) as box:
        assert Remote(box, 5.0)(ARGUMENTS).kind == "unreadable"


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.float64(3),
        np.zeros((0, 3)),
        np.array([np.nan, np.inf, -0.0]),
        np.ones((1,) * 30),
    ],
    ids=lambda array: f"{np.shape(array)}",
)
def test_what_is_an_array_arrives_as_it_was(array) -> None:
    """Its shape, its order, what is not finite; ours to write into."""
    found = loaded(npy(array))
    assert found is not None
    assert found.shape == np.shape(array)
    assert np.array_equal(found, array, equal_nan=True)
    assert found.flags.writeable


@pytest.mark.parametrize("shape", [(0,), (5, 3, 0), (1,) * 30, (4096,), (0, 2**12)])
def test_any_array_can_be_judged(shape) -> None:
    """A wrong shape is a wrong answer, whatever it is."""
    array = np.full(shape, np.nan)
    verdict = judge(task(), lambda arguments: Answer("value", array), 0)
    assert verdict.points == 0


def test_memory_stays_within_what_was_agreed() -> None:
    """A flood of headers and bodies, each promising four gigabytes or filling what is allowed with empty lists."""
    worst = b'{"kind": "value", "problem": [' + b"[]," * 15000 + b"[]]}"
    tracemalloc.start()
    try:
        for content in (*NO_FRAMES.values(), struct.pack(">II", len(worst), 0) + worst):
            with against(raw(content)) as box:
                Remote(box, 5.0)(ARGUMENTS)
        for content in NO_ARRAYS.values():
            assert loaded(content) is None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * MB


@pytest.mark.parametrize("outputs", ["null", "7", '"text"', "{}", "[7, null, [], {}]", f"[{DEEP}]"])
def test_outputs_of_a_cell_are_a_list_or_nothing(outputs) -> None:
    """Whatever else was claimed."""
    with against(frame(f'{{"outputs": {outputs}, "count": {{}}}}'.encode())) as box:
        assert isinstance(box.run("1")[0], list)


def test_the_arguments_arrive_as_they_were_sent() -> None:
    """The interior reads what the grader packs: arrays, lists of arrays, numbers, in order."""
    found = unpacked(*packed(ARGUMENTS))
    assert list(found) == list(ARGUMENTS)
    assert torch.equal(found["x"], ARGUMENTS["x"])
    assert [part.tolist() for part in found["several"]] == [[1.0, 1.0], [1.0]]
    assert found["depth"] == 3
    assert outer(found["x"], 1).shape == (3, 3)


def test_a_dead_function_is_not_asked_again() -> None:
    """One end, one sentence, for all cases that are left."""
    calls = []

    def die(channel: socket.socket) -> None:
        calls.append(1)
        send(channel, {"ended": -9})

    with against(die) as box:
        remote = Remote(box, 5.0)
        first, second = remote(ARGUMENTS), remote(ARGUMENTS)
    assert first == second
    assert first.problem == "your function stopped its process: it was killed"
    assert not remote.waits
    assert calls == [1]
