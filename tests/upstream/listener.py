"""Sockets and threads of the fake: takes requests in, hands them to the hosts, writes what they say."""

import socket
import socketserver
import struct
import sys
import time
import traceback
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from . import control, wire
from .hosts import PREFIXES, Seen, host_of

if TYPE_CHECKING:
    from .server import FakeUpstream

# SO_LINGER on, 0 seconds: closing sends an RST.
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Listener(ThreadingHTTPServer):
    """The listening socket and the connections it let in."""

    # On Windows this option would let a second server share the port.
    allow_reuse_address = sys.platform != "win32"
    request_queue_size = 256
    block_on_close = False

    def __init__(self, address: tuple[str, int], fake: "FakeUpstream") -> None:
        self.fake = fake
        self.abrupt: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Binds without the look-up of its own name that http.server does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        if request in self.abrupt:
            # Closed without a FIN before it, or the peer sees a clean end.
            self.abrupt.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def drop_connections(self) -> None:
        """Ends what keep-alive clients still hold; the handlers' threads then close their sockets."""
        for request in list(self._open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients that go away are what this server is for; anything else is its own mistake.
        if not isinstance(sys.exception(), OSError):
            self.fake.errors.append(traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def setup(self) -> None:
        super().setup()
        self.fake, self.stopping = self.server.fake, self.server.fake.stopping
        self.packed = False
        self.standing: tuple[tuple[str, str], ...] = ()

    def log_message(self, *_: object) -> None:
        """Silent: `requests` remembers."""

    def say(self, data: bytes) -> None:
        """Writes to the client."""
        self.wfile.write(data)

    def hang_up(self, abruptly: bool = False) -> None:
        """Ends the connection after this request, with an RST if abrupt."""
        self.close_connection = True
        if abruptly:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.server.abrupt.add(self.connection)

    def do_GET(self) -> None:
        """Any host's route, or the control route."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        path, query = _split(self.path)
        self.packed = self.fake.gzip and "gzip" in headers.get("accept-encoding", "")
        self.standing = self._standing()
        if path.startswith("/control"):
            self._control(path)
            return
        found = host_of(path)
        if found is None:
            wire.answer(self, wire.compact({"error": "no such host", "hosts": PREFIXES}, 404))
            return
        self._serve(Seen(found[0], self.command, found[1], query, headers, time.monotonic()))

    do_POST = do_GET

    def _serve(self, seen: Seen) -> None:
        # Nobody reads a body here: it must not be taken for the next request.
        self.close_connection = self.close_connection or seen.method != "GET"
        fault = self.fake.take(seen)
        self.fake.market.step()
        wire.deliver(self, fault, lambda: self.fake.reply(seen))

    def _control(self, path: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        wire.answer(self, control.reply(self.fake, self.command, path, body))

    def _standing(self) -> tuple[tuple[str, str], ...]:
        said = [("date", format_datetime(self.fake.market.now(), usegmt=True)), ("server", "cloudflare")]
        if self.fake.age is not None:
            said.append(("age", str(self.fake.age)))
        if self.close_connection:
            said.append(("connection", "close"))
        return tuple(said)


def _split(target: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(target)
    return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))
