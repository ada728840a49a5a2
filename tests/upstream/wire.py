"""Answers as bytes on a socket, and the one place where a fault bends them.

A `Reply` is what an upstream would say; `deliver` says it, or does to the connection what the
fault asks for.
"""

import gzip
import socket
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from http import HTTPStatus
from json import dumps, loads
from typing import Protocol

from .faults import JSON, Fault

_BODILESS = (204, 304)


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer: status, body, content type, further headers in order."""

    status: int = 200
    body: bytes = b""
    media: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


def compact(value: object, status: int = 200, **headers: str) -> Reply:
    """`value` as minified JSON; header names are written with underscores."""
    named = tuple((name.replace("_", "-"), text) for name, text in headers.items())
    return Reply(status, dumps(value, separators=(",", ":"), ensure_ascii=False).encode(), JSON, named)


class Line(Protocol):
    """What `deliver` needs of a connection."""

    connection: socket.socket
    stopping: threading.Event
    packed: bool
    standing: tuple[tuple[str, str], ...]

    def say(self, data: bytes) -> None: ...
    def hang_up(self, abruptly: bool = False) -> None: ...


def head(reply: Reply, standing: tuple[tuple[str, str], ...], length: int | None) -> bytes:
    """Status line and headers; `length` None leaves Content-Length out."""
    reason = HTTPStatus(reply.status).phrase if reply.status in list(HTTPStatus) else "Unknown"
    lines = [f"HTTP/1.1 {reply.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in standing]
    if reply.status not in _BODILESS:
        lines.append(f"content-type: {reply.media}")
    if length is not None and reply.status != 204:
        lines.append(f"content-length: {length}")
    lines += [f"{name}: {value}" for name, value in reply.headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


@lru_cache(maxsize=16)
def _gzipped(body: bytes) -> bytes:
    return gzip.compress(body, 1, mtime=0)


def packed(reply: Reply) -> Reply:
    """The same answer with its body gzipped."""
    if not reply.body:
        return reply
    named = (*reply.headers, ("content-encoding", "gzip"))
    return replace(reply, body=_gzipped(reply.body), headers=named)


def answer(line: Line, reply: Reply) -> None:
    """Sends the reply as it is."""
    reply = packed(reply) if line.packed else reply
    body = b"" if reply.status in _BODILESS else reply.body
    line.say(head(reply, line.standing, len(body)) + body)


@lru_cache(maxsize=4)
def bomb(megabytes: int, layers: int) -> bytes:
    """Gzip of `megabytes` of blanks, `layers` deep. A flushed block repeats, so this costs no time."""
    blank = b" " * (1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(blank) + packer.flush(zlib.Z_FULL_FLUSH)
    check = 0
    for _ in range(megabytes):
        check = zlib.crc32(blank, check)
    size = struct.pack("<II", check, (megabytes << 20) & 0xFFFFFFFF)
    body = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + block * megabytes + packer.flush() + size
    for _ in range(layers - 1):
        body = gzip.compress(body, 9, mtime=0)
    return body


# --- what each fault does; `regular` composes the answer that would have been given ---
Regular = Callable[[], Reply]


def _own(line: Line, fault: Fault, regular: Regular) -> None:
    answer(line, Reply(fault.code, fault.content, fault.media, fault.extra))


def _delay(line: Line, fault: Fault, regular: Regular) -> None:
    line.stopping.wait(fault.seconds)
    answer(line, regular())


def _mutate(line: Line, fault: Fault, regular: Regular) -> None:
    assert fault.change is not None
    reply = regular()
    answer(line, replace(reply, body=dumps(fault.change(loads(reply.body))).encode("utf-8", "surrogatepass")))


def _rewrite(line: Line, fault: Fault, regular: Regular) -> None:
    assert fault.change is not None
    reply = regular()
    answer(line, replace(reply, body=fault.change(reply.body)))


def _reset(line: Line, fault: Fault, regular: Regular) -> None:
    if fault.size:
        reply = regular()
        line.say(head(reply, line.standing, len(reply.body)) + reply.body[: fault.size])
        line.stopping.wait(0.1)  # an RST overtakes what the peer has not read yet
    line.hang_up(abruptly=True)


def _hang(line: Line, fault: Fault, regular: Regular) -> None:
    line.stopping.wait(fault.seconds)
    line.hang_up()


def _drip(line: Line, fault: Fault, regular: Regular) -> None:
    reply = regular()
    start = head(reply, line.standing, len(reply.body))
    slow = reply.body
    if fault.head:
        start, slow = b"", start + slow
    line.say(start)
    for at in range(0, len(slow), fault.size):
        if line.stopping.wait(fault.seconds) if fault.seconds else line.stopping.is_set():
            break
        line.say(slow[at : at + fault.size])


def _truncate(line: Line, fault: Fault, regular: Regular) -> None:
    reply = regular()
    line.say(head(reply, line.standing, len(reply.body)) + reply.body[: fault.size])
    line.hang_up()


def _chunked_cut(line: Line, fault: Fault, regular: Regular) -> None:
    reply = regular()
    piece = reply.body[: fault.size]
    chunked = replace(reply, headers=(*reply.headers, ("transfer-encoding", "chunked")))
    line.say(head(chunked, line.standing, None) + b"%x\r\n" % len(piece) + piece + b"\r\n")
    line.hang_up()


def _gzip_truncated(line: Line, fault: Fault, regular: Regular) -> None:
    reply = packed(regular())
    half = reply.body[: len(reply.body) // 2]
    line.say(head(reply, line.standing, len(half)) + half)


def _gzip_bomb(line: Line, fault: Fault, regular: Regular) -> None:
    body = bomb(fault.size, fault.layers)
    coding = ", ".join(["gzip"] * fault.layers)
    line.say(head(Reply(headers=(("content-encoding", coding),)), line.standing, len(body)) + body)


def _flood(line: Line, fault: Fault, regular: Regular) -> None:
    blank = b" " * (1 << 20)
    line.say(head(Reply(), line.standing, fault.size << 20))
    for _ in range(fault.size):
        line.say(blank)


_ACTS = {
    "own": _own, "delay": _delay, "mutate": _mutate, "rewrite": _rewrite, "reset": _reset,
    "hang": _hang, "drip": _drip, "truncate": _truncate, "chunked_cut": _chunked_cut,
    "gzip_truncated": _gzip_truncated, "gzip_bomb": _gzip_bomb, "flood": _flood,
}  # fmt: skip


def deliver(line: Line, fault: Fault | None, regular: Regular) -> None:
    """Answers with `regular()`, or as the fault wants it."""
    if fault is None:
        answer(line, regular())
    else:
        _ACTS[fault.act](line, fault, regular)
