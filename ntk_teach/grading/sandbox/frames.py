"""Messages between grader and sandbox: a JSON header and a body of bytes, each with its length in front."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any

__all__ = ["BadFrame", "Frame", "receive", "send"]

LENGTHS = struct.Struct(">II")
Frame = tuple[dict[str, Any], bytes]


class BadFrame(Exception):  # noqa: N818  (a reason, not a fault of ours)
    """What arrived is no message, or a larger one than was agreed."""


def send(channel: socket.socket, header: Mapping[str, object], body: bytes = b"", *, within: float = 60.0) -> None:
    """Raises OSError if the other side is gone, TimeoutError if it does not read."""
    text = json.dumps(header).encode()
    channel.settimeout(within)
    channel.sendall(LENGTHS.pack(len(text), len(body)) + text + body)


def receive(channel: socket.socket, *, within: float, header: int = 1 << 20, body: int = 0) -> Frame:
    """The next message. Nothing is believed of it: sizes are checked before a byte is kept, JSON may be anything.

    Args:
        within: seconds; TimeoutError beyond.
        header, body: the largest that is accepted.

    Raises: EOFError if the other side has gone, BadFrame for what is no message.
    """
    end = time.monotonic() + within
    sizes = LENGTHS.unpack(_exactly(channel, LENGTHS.size, end))
    if sizes[0] > header or sizes[1] > body:
        raise BadFrame(f"a message of {sizes[0]} + {sizes[1]} bytes, where {header} + {body} is the most")
    text, content = _exactly(channel, sizes[0], end), _exactly(channel, sizes[1], end)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadFrame("a message that is not JSON") from None
    if not isinstance(found, dict):
        raise BadFrame("a message that is not an object")
    return found, content


def _exactly(channel: socket.socket, size: int, end: float) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("no message in time")
        channel.settimeout(left)
        try:
            part = channel.recv(min(size - len(parts), 1 << 20))
        except ConnectionError:
            part = b""
        if not part:
            raise EOFError("the other side has gone")
        parts += part
    return bytes(parts)
