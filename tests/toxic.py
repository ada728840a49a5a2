"""Loopback servers that misbehave below HTTP: what no well-behaved server library lets one do.

A `Toxic` serves its first connection with its first play, and so on; the last play repeats. A play is
a function of the connected socket and the server; it may wait on `toxic.over`, never sleep.
"""

import contextlib
import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Self

Play = Callable[[socket.socket, "Toxic"], None]


class Toxic:
    """Use as a context manager; `heads` holds the head of every request, `url` leads here."""

    def __init__(self, *plays: Play, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.plays, self._tls = plays, tls
        self.heads: list[str] = []
        self.over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((host, 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"

    @property
    def hits(self) -> int:
        return len(self.heads)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.over.is_set():
            with contextlib.suppress(TimeoutError):
                self._start(self._serve, self._listener.accept()[0])

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(5)
        # What the client does to the connection is its affair.
        with contextlib.suppress(OSError), contextlib.closing(plain):
            if self._tls is None:
                self._play(plain)
            else:
                with self._tls.wrap_socket(plain, server_side=True) as wrapped:
                    self._play(wrapped)

    def _play(self, peer: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (data := peer.recv(4096)):
                return
            head += data
        self.heads.append(head.decode("latin-1"))
        self.plays[min(len(self.heads), len(self.plays)) - 1](peer, self)


def raw(data: bytes) -> Play:
    """Sends `data` and closes."""
    return lambda peer, toxic: peer.sendall(data)


def head(status: int = 200, *headers: str) -> bytes:
    """A status line and header lines."""
    return "\r\n".join([f"HTTP/1.1 {status} x", *headers, "", ""]).encode("latin-1")


def reply(status: int = 200, body: bytes = b"[1]", *headers: str, kind: str = "application/json") -> Play:
    """A proper reply."""
    lines = (f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers)
    return raw(head(status, *lines) + body)


def zipped(body: bytes, *headers: str, layers: int = 1) -> Play:
    """`body` compressed as often as `layers`, and said so."""
    for _ in range(layers):
        body = gzip.compress(body)
    return reply(200, body, f"Content-Encoding: {', '.join(['gzip'] * layers)}", *headers)


def silent(peer: socket.socket, toxic: Toxic) -> None:
    """Accepts, never answers."""
    toxic.over.wait(30)


def drip(data: bytes, every_s: float, *, first: bytes = b"") -> Play:
    """`first` at once, then `data` byte by byte."""

    def play(peer: socket.socket, toxic: Toxic) -> None:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.sendall(first)
        for byte in data:
            peer.sendall(bytes([byte]))
            if every_s and toxic.over.wait(every_s):
                return

    return play


def late(seconds: float, then: Play) -> Play:
    """`then`, after a while."""

    def play(peer: socket.socket, toxic: Toxic) -> None:
        if not toxic.over.wait(seconds):
            then(peer, toxic)

    return play


def reset(first: bytes = b"") -> Play:
    """`first`, then RST instead of FIN."""

    def play(peer: socket.socket, toxic: Toxic) -> None:
        peer.sendall(first)
        toxic.over.wait(0.05)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()

    return play


def flood(first: bytes, chunks: Iterable[bytes]) -> Play:
    """`first`, then all the chunks, as fast as they are taken."""

    def play(peer: socket.socket, toxic: Toxic) -> None:
        peer.sendall(first)
        for chunk in chunks:
            peer.sendall(chunk)

    return play


@contextlib.contextmanager
def blackhole() -> Iterator[str]:
    """The address of a listener whose backlog is full: connecting hangs."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(contextlib.closing(socket.socket()))
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def closed_port() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
