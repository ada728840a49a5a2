"""A Streamlit app of one's own: served as a person serves it, reached over its port, ended at the end."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from _measure import ROOT, Broken, child, environment

CONSOLE = ROOT / "console_app.py"
STATUS, HEALTH = "/api/v1/collector/status", "/_stcore/health"


class Server:
    """An app that answers on a port of this machine."""

    def __init__(self, port: int, pid: int) -> None:
        self.port, self.pid = port, pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> http.client.HTTPConnection:
        found = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        found.connect()
        return found

    def post(self, path: str) -> tuple[int, Any]:
        connection = self.connect()
        try:
            return exchange(connection, "POST", path)
        finally:
            connection.close()


def exchange(connection: http.client.HTTPConnection, method: str, path: str) -> tuple[int, Any]:
    """Status and body of one request; the body is JSON."""
    connection.request(method, path)
    got = connection.getresponse()
    return got.status, json.loads(got.read())


@contextmanager
def served(settings: Mapping[str, str], app: Path = CONSOLE, asked: str = STATUS) -> Iterator[Server]:
    """`streamlit run` of an app, from its own folder so that the configuration there is its own; it serves
    once it answers `asked`. Raises Broken where it does not come up."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", app.name]
    command += ["--server.port", str(port), "--server.headless", "true"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, cwd=app.parent, env=environment(**settings), stdin=quiet, stdout=quiet, stderr=quiet
    )
    try:
        yield _answering(Server(port, process.pid), process, asked)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _answering(server: Server, process: "subprocess.Popen[bytes]", asked: str) -> Server:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and process.poll() is None:
        with suppress(OSError):
            connection = server.connect()
            connection.request("GET", asked)
            connection.getresponse().read()
            connection.close()
            return server
        time.sleep(0.1)
    raise Broken(f"streamlit run: {process.poll()}")


@contextmanager
def demo_console() -> Iterator[Server]:
    """The console over a demo store that `collect.py all --demo` has filled once."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"COLLECTOR_HOME": str(Path(folder) / "home"), "COLLECTOR_DEMO": "1"}
        child(["collect.py", "all", "--demo"], environment(**settings))
        with served(settings) as server:
            yield server
