"""What the console answers, and to whom: every probe goes through the guard and the routes as served."""

import asyncio
import base64
import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute

import console_api
from console_guard import Guard
from storage import ledger
from storage.settings import ROOT, load

HOST = "127.0.0.1:8501"
FILES = ("crypto_trends.html", "crypto_trends.json", "crypto_trends.js", "plotly.min.js")


class Reply:
    """What came back: status, headers by lower-case name, body."""

    def __init__(self, sent: list[dict[str, Any]]) -> None:
        self.sent = sent
        first = sent[0]
        self.status = first.get("status")
        self.headers = {name.decode(): value.decode() for name, value in first.get("headers", ())}
        self.body = b"".join(message.get("body", b"") for message in sent[1:])

    @property
    def code(self) -> str:
        error = json.loads(self.body)["error"]
        assert set(error) == {"code", "message"}
        return str(error["code"])


def drive(app: Any, scope: dict[str, Any]) -> Reply:
    """Sends one request or handshake in process."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if scope["type"] == "websocket":
            return {"type": "websocket.connect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    asyncio.run(app(scope, receive, send))
    return Reply(sent)


def ask(app: Any, path: str, method: str = "GET", host: str | None = HOST, **headers: str) -> Reply:
    """A request of `path` as it is written, nothing tidied."""
    from urllib.parse import unquote

    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    if host is not None:
        fields.append((b"host", host.encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": fields,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8501),
    }
    return drive(app, scope)


async def _accept(socket: Any) -> None:
    await socket.accept()
    await socket.close()


@pytest.fixture
def app(home: Path) -> Starlette:
    """The console's routes behind its guard, with a websocket in place of Streamlit's."""
    settings = load()
    routes = [*console_api.routes(settings), WebSocketRoute("/_stcore/stream", _accept)]
    return Starlette(routes=routes, middleware=[Middleware(Guard, hosts="desk.lan other:9000")])


@pytest.fixture
def exported(home: Path) -> Path:
    """A home with an export in it, and a secret beside it."""
    folder = home / "exports"
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text("<script>let a = 1;</script>" if name.endswith("html") else "{}")
    (folder / "other.txt").write_text("CANARY")
    (home / "ledger.txt").write_text("CANARY")
    return folder


# ---------------------------------------------------------------- Host, Origin, fetch metadata


@pytest.mark.parametrize(
    "host",
    (
        *("127.0.0.1", "127.0.0.1:9", "localhost:8501", "LOCALHOST", "[::1]:8501", "desk.lan", "desk.lan:80"),
        *("other:9000",),
    ),
)
def test_its_own_names_are_answered(app: Starlette, host: str) -> None:
    assert ask(app, "/api/v1/healthz", host=host).status == 200


@pytest.mark.parametrize(
    "host",
    (
        *(None, "", "evil.example", "0.0.0.0:8501", "user@127.0.0.1:8501", "127.0.0.1:8501@evil.example"),
        *("localhost.evil.example", "127.0.0.1, evil.example", "127.0.0.1:x", "127.1", "other:9001", "other"),
    ),
)
def test_another_name_is_not_answered(app: Starlette, host: str | None) -> None:
    reply = ask(app, "/api/v1/healthz", host=host)
    assert (reply.status, reply.code) == (421, "wrong_host")


def test_two_host_headers_are_not_answered(app: Starlette) -> None:
    assert ask(app, "/api/v1/healthz", host="127.0.0.1", Host="127.0.0.1").status == 421


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8501", "https://127.0.0.1:8501"])
def test_its_own_origin_is_answered(app: Starlette, origin: str) -> None:
    assert ask(app, "/api/v1/healthz", origin=origin).status == 200


@pytest.mark.parametrize(
    "origin",
    (
        *(
            "http://evil.example",
            "http://127.0.0.1:3000",
            "http://localhost:8501",
            "null",
            "",
            "127.0.0.1:8501",
        ),
        *("http://127.0.0.1:8501/", "http://127.0.0.1:8501.evil.example"),
    ),
)
def test_another_origin_is_refused(app: Starlette, origin: str) -> None:
    reply = ask(app, "/api/v1/healthz", origin=origin)
    assert (reply.status, reply.code) == (403, "forbidden")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_what_another_site_sends_is_refused_unless_it_is_a_link(app: Starlette, site: str) -> None:
    assert ask(app, "/api/v1/healthz", sec_fetch_site=site).status == 403
    frame = {"sec_fetch_site": site, "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"}
    assert ask(app, "/crypto_trends.html", **frame).status == 403
    link = {**frame, "sec_fetch_dest": "document"}
    assert ask(app, "/crypto_trends.html", **link).status == 200
    assert ask(app, "/api/v1/healthz", "POST", **link).status == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_its_own_pages_and_the_address_bar_are_answered(app: Starlette, site: str) -> None:
    assert ask(app, "/api/v1/healthz", sec_fetch_site=site).status == 200


@pytest.mark.parametrize("path", ["/api/v1/healthz", "/api/v1/collector/crypto", "/_stcore/upload_file"])
def test_a_text_body_is_refused(app: Starlette, path: str) -> None:
    # A page of any origin may send one without asking first.
    reply = ask(app, path, "POST", content_type="text/plain;charset=utf-8")
    assert (reply.status, reply.code) == (415, "unsupported_media_type")


# ---------------------------------------------------------------- websocket


def handshake(app: Any, *, can_tell: bool = True, **headers: str) -> Reply:
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "websocket",
        "path": "/_stcore/stream",
        "raw_path": b"/_stcore/stream",
        "query_string": b"",
        "root_path": "",
        "scheme": "ws",
        "headers": fields,
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}} if can_tell else {},
    }
    return drive(app, scope)


def test_a_websocket_of_its_own_page_is_accepted(app: Starlette) -> None:
    reply = handshake(app, host=HOST, origin=f"http://{HOST}", sec_fetch_site="same-origin")
    assert reply.sent[0]["type"] == "websocket.accept"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": HOST, "origin": "http://evil.example"}, 403),
        ({"host": HOST, "origin": "null"}, 403),
        ({"host": HOST, "sec_fetch_site": "cross-site"}, 403),
        ({"host": HOST, "sec_fetch_site": "same-site", "sec_fetch_mode": "navigate"}, 403),
    ],
)
def test_a_foreign_websocket_is_refused_before_it_is_accepted(
    app: Starlette, headers: dict[str, str], status: int
) -> None:
    reply = handshake(app, **headers)
    assert reply.sent[0]["type"] == "websocket.http.response.start"
    assert reply.status == status
    assert reply.headers["x-content-type-options"] == "nosniff"
    closed = handshake(app, can_tell=False, **headers)
    assert [message["type"] for message in closed.sent] == ["websocket.close"]


def test_a_refusal_leaves_no_complaint_in_the_terminal(
    app: Starlette, caplog: pytest.LogCaptureFixture
) -> None:
    async def served(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        # What uvicorn says when the answer was not `websocket.accept`.
        logging.getLogger("uvicorn.error").error("ASGI callable returned without completing handshake.")

    fields = [(b"host", b"evil.example")]
    scope = {"type": "websocket", "path": "/", "headers": fields, "extensions": {}}
    drive(served, {**scope, "extensions": {"websocket.http.response": {}}})
    assert caplog.messages == []
    drive(served, {**scope, "path": "/_stcore/stream", "headers": [(b"host", HOST.encode())]})
    assert caplog.messages == ["ASGI callable returned without completing handshake."]


# ---------------------------------------------------------------- paths

CLIMBS = [
    "/exports/../ledger.txt",
    "/exports/..%2fledger.txt",
    "/exports/%2e%2e/ledger.txt",
    "/exports/%252e%252e/ledger.txt",
    "/exports/%25252e%25252e/ledger.txt",
    "/exports/..%5cledger.txt",
    "/exports/..\\ledger.txt",
    "/exports/%5c%5chost%5cx",
    "/exports/crypto_trends.json%00.txt",
    "/exports/C:/windows",
    "/exports/C:%5cwindows",
    "//host/x",
    "/%2fhost/x",
    "/api/v1/../healthz",
]


@pytest.mark.parametrize("path", CLIMBS)
def test_a_path_that_climbs_is_refused(app: Starlette, exported: Path, path: str) -> None:
    reply = ask(app, path)
    assert (reply.status, reply.code) == (400, "bad_path")
    assert b"CANARY" not in reply.body


@pytest.mark.parametrize(
    "path",
    (
        *("/exports", "/exports/", "/exports/other.txt", "/exports/x/y", "/exports/.part", "/api", "/api/"),
        *(
            "/api/v1",
            "/api/v1/",
            "/api/v1/nothing",
            "/api/v2/healthz",
            "/api/v1/redoc",
            "/api/v1/docs/oauth2-redirect",
        ),
    ),
)
def test_an_unknown_path_is_a_json_404(app: Starlette, exported: Path, path: str) -> None:
    reply = ask(app, path)
    assert (reply.status, reply.code) == (404, "not_found")
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/runs/abc", "/app/static/x", "/crypto/a/b", "/runs/abc/"])
def test_an_address_below_a_page_leads_home(app: Starlette, path: str) -> None:
    for method in ("GET", "HEAD"):
        reply = ask(app, path, method)
        assert (reply.status, reply.headers["location"]) == (302, "/")


@pytest.mark.parametrize(
    "path",
    (
        *("/", "/runs", "/runs/", "/static/js/a.js", "/_stcore/health", "/crypto/_stcore/host-config"),
        *("/media/x.png", "/component/a/b.js", "/_stcore/bidi-components/a/b.js", "/favicon.png"),
    ),
)
def test_what_is_streamlits_own_is_left_to_it(app: Starlette, path: str) -> None:
    # Nothing of Streamlit's is among the routes here, so that it ends as not found.
    assert ask(app, path).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/v1/healthz", "/exports/crypto_trends.json", "/crypto_trends.html"])
def test_a_wrong_verb_is_a_json_405(app: Starlette, method: str, path: str) -> None:
    reply = ask(app, path, method)
    assert (reply.status, reply.code) == (405, "method_not_allowed")


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("name", FILES)
def test_the_export_is_served_and_never_kept_by_the_browser(
    app: Starlette, exported: Path, name: str
) -> None:
    reply = ask(app, f"/exports/{name}")
    assert (reply.status, reply.body) == (200, (exported / name).read_bytes())
    assert reply.headers["cache-control"] == "no-cache"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["x-frame-options"] == "DENY"
    assert "access-control-allow-origin" not in reply.headers


def test_the_page_may_run_its_own_script_and_nothing_else(app: Starlette, exported: Path) -> None:
    found = ask(app, "/crypto_trends.html").headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(b"let a = 1;").digest()).decode()
    assert found == (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )


def test_windows_line_ends_leave_the_hash_as_a_browser_takes_it() -> None:
    assert console_api.policy("<script>a\r\nb</script>") == console_api.policy("<script>a\nb</script>")


def test_without_an_export_the_page_of_the_project_is_served(app: Starlette) -> None:
    reply = ask(app, "/crypto_trends.html")
    assert reply.body == (ROOT / "crypto_trends.html").read_bytes()
    assert ask(app, "/exports/crypto_trends.json").status == 404


# ---------------------------------------------------------------- healthz


def test_healthz_says_who_answers_and_what_runs(app: Starlette) -> None:
    reply = ask(app, "/api/v1/healthz")
    assert reply.headers["cache-control"] == "no-store"
    found = json.loads(reply.body)
    assert found["app"] == "daily-data-collector"
    assert (found["demo"], found["store"], found["running"]) == (False, "missing", None)
    ledger.reserve(load(), "20261123-000000-abcdef", ["crypto"], "cli")
    assert json.loads(ask(app, "/api/v1/healthz").body)["running"] == "20261123-000000-abcdef"


def test_healthz_names_what_is_wrong_with_the_store(app: Starlette, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "console.duckdb").write_bytes(b"")
    assert json.loads(ask(app, "/api/v1/healthz").body)["store"] == "corrupt"


@pytest.mark.parametrize("content", [b"", b"not a database at all, and longer than its header" * 99])
def test_healthz_answers_with_a_damaged_ledger_too(app: Starlette, home: Path, content: bytes) -> None:
    assert json.loads(ask(app, "/api/v1/healthz").body)["ledger"] == "missing"
    home.mkdir(parents=True, exist_ok=True)
    (home / "ledger.sqlite").write_bytes(content)
    reply = ask(app, "/api/v1/healthz")
    found = json.loads(reply.body)
    assert (reply.status, found["ledger"], found["running"]) == (200, "corrupt", None)
    (home / "ledger.sqlite").unlink()
    ledger.reserve(load(), "20261123-000000-abcdef", ["crypto"], "cli")
    assert json.loads(ask(app, "/api/v1/healthz").body)["ledger"] == "ok"


def test_every_answer_forbids_frames_and_guessing(app: Starlette) -> None:
    for path in ("/api/v1/healthz", "/api/nope", "/exports/%2e%2e/x"):
        headers = ask(app, path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_leave_for_other_origins_is_taken_away() -> None:
    async def open_to_all(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"Access-Control-Allow-Origin", b"*"), (b"x-frame-options", b"ALLOWALL")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    headers = ask(Guard(open_to_all), "/").headers
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["x-frame-options"] == "DENY"
