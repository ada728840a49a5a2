"""The HTTP API for tests: asked within the process, or of a console of its own as it is really served."""

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
from starlette.applications import Starlette
from starlette.middleware import Middleware

import console_api
from console import docs as console_docs
from console_guard import Guard
from storage.settings import Settings, load

ROOT = Path(__file__).resolve().parent.parent
V1 = "/api/v1"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_constant=_refuse)

    @property
    def code(self) -> str:
        """The code of an error, whose shape is checked."""
        error = self.json["error"]
        assert {"code", "message"} <= set(error) <= {"code", "message", "run_id"}
        assert error["message"] and "Traceback" not in error["message"]
        return str(error["code"])


def _refuse(word: str) -> float:
    raise AssertionError(f"{word} is no JSON")


def made(settings: Settings | None = None) -> Starlette:
    """The routes behind the guard, as `console_app.py` puts them together."""
    settings = settings or load()
    guard = Middleware(Guard, hosts=settings.allowed_hosts)
    return Starlette(routes=console_api.routes(settings), middleware=[guard])


def ask(
    app: Any, path: str, method: str = "GET", body: bytes = b"", chunks: int = 1, **headers: str
) -> Answer:
    """One request in this process; a path without a slash in front is below /api/v1."""
    where, _mark, query = (path if path.startswith("/") else f"{V1}/{path}").partition("?")
    fields = {"host": "127.0.0.1:8501", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(where),
        "raw_path": where.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8501),
    }
    return asyncio.run(_exchange(app, scope, body, chunks))


async def _exchange(app: Any, scope: dict[str, Any], body: bytes, chunks: int) -> Answer:
    sent: list[dict[str, Any]] = []
    left = chunks

    async def receive() -> dict[str, Any]:
        nonlocal left
        if left == 0:
            await asyncio.sleep(3600)
        left -= 1
        return {"type": "http.request", "body": body, "more_body": left != 0}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    await app(scope, receive, send)
    headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


# ---------------------------------------------------------------- the document


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document, which no setting changes."""
    return console_docs.document(console_api.api(load()))


def conforms(answer: Answer, path: str, method: str = "GET") -> None:
    """Fails where an answer is not as the document says; `path` as it stands there."""
    told = document()
    said = told["paths"][path][method.lower()]["responses"]
    assert str(answer.status) in said, (path, answer.status)
    kind = answer.headers["content-type"].partition(";")[0]
    schema = said[str(answer.status)]["content"][kind]["schema"]
    if kind == "application/json":
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        whole = {**schema, "components": told["components"]}
        jsonschema.Draft202012Validator(whole, format_checker=checker).validate(answer.json)


# ---------------------------------------------------------------- a console of its own


@dataclass(frozen=True, slots=True)
class Console:
    """A console that is served: its port, its process, and the file of what it printed."""

    port: int
    process: "subprocess.Popen[bytes]"
    said: Path

    def ask(
        self, path: str, method: str = "GET", body: Any = None, timeout_s: float = 60, **headers: str
    ) -> Answer:
        where = path if path.startswith("/") else f"{V1}/{path}"
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request(method, where, body, fields)
            got = connection.getresponse()
            found = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, found, got.read())
        finally:
            connection.close()


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[Console]:
    """`streamlit run console_app.py` with the environment of the test and these settings."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    said = folder / "console.log"
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "console_app.py")]
    command += ["--server.port", str(port), "--server.headless", "true"]
    with said.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **settings}, stdout=log, stderr=subprocess.STDOUT
        )
    console = Console(port, process, said)
    try:
        _await(console)
        yield console
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(15)


def _await(console: Console) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and console.process.poll() is None:
        try:
            if console.ask("healthz").status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the console did not come up: {console.said.read_text()}")
