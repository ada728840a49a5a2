"""HTTP beside the pages: the export's files and `/api/v1`.

Errors are JSON everywhere under `/api` and `/exports`, where Streamlit would answer 200 and a page.
"""

import base64
import hashlib
import re
import sqlite3
from http import HTTPStatus
from pathlib import Path
from typing import NoReturn

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Mount, NoMatchFound, Route
from starlette.types import Receive, Scope, Send

from collectors import freshness
from console_guard import error_body
from storage import export, ledger, read
from storage.settings import APP, ROOT, VERSION, Settings

FILES = {
    export.PAGE: "text/html; charset=utf-8",
    "crypto_trends.json": "application/json",
    "crypto_trends.js": "text/javascript; charset=utf-8",
    "plotly.min.js": "text/javascript; charset=utf-8",
}


def _told(_request: Request, error: Exception) -> Response:
    """Any error as JSON; of an unexpected one nothing is told."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(getattr(error, "headers", None) or {}) | {"Cache-Control": "no-store"}
    return JSONResponse(error_body(status, HTTPStatus(status).phrase), status, headers)


def _application() -> FastAPI:
    """Without FastAPI's own documentation pages: they load from elsewhere."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_exception_handler(HTTPException, _told)
    app.add_exception_handler(Exception, _told)
    return app


def api(settings: Settings) -> FastAPI:
    """The application under `/api/v1`."""
    app = _application()

    @app.get("/healthz")
    def healthz() -> Response:
        try:
            live, journal = ledger.running(settings), "ok" if ledger.exists(settings) else "missing"
        except sqlite3.Error as error:
            live, journal = None, freshness.unread(settings, error).code
        found = {
            "app": APP,
            "version": VERSION,
            "demo": settings.demo,
            "store": read.probe(settings),
            "ledger": journal,
            "running": live.run_id if live else None,
        }
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    return app


def site(settings: Settings) -> FastAPI:
    """The old page and the files of the export, and nothing else."""
    app = _application()
    folder = export.folder(settings)

    # The page looks for its data beside itself first: so it finds them at both addresses.
    @app.api_route("/exports/{name}", methods=["GET", "HEAD"])
    @app.api_route("/{name}", methods=["GET", "HEAD"])
    def exported(name: str) -> Response:
        if name not in FILES:
            raise HTTPException(404)
        without_export = name == export.PAGE and not (folder / export.PAGE).is_file()
        return _file((ROOT if without_export else folder) / name)

    return app


def _file(path: Path) -> Response:
    """The file whole: an export that is replaced meanwhile can't be cut short."""
    try:
        content = path.read_bytes()
    except OSError:
        raise HTTPException(404) from None
    headers = {"Cache-Control": "no-cache"}
    if path.name == export.PAGE:
        headers["Content-Security-Policy"] = policy(content.decode("utf-8"))
    return Response(content, media_type=FILES[path.name], headers=headers)


def policy(html: str) -> str:
    """The page's content policy: its own inline script by hash, nothing from anywhere else."""
    # A browser reads every line end as LF before it takes the hash.
    scripts = re.findall(r"<script>(.*?)</script>", html.replace("\r\n", "\n"), re.DOTALL)
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )


class Lost(BaseRoute):
    """An address below a page: no page is there, and Streamlit would answer with an empty one, because
    what it loads is not found from there. Everything of Streamlit's own is left to it."""

    OWN = ("_stcore", "static", "media", "component", "oauth2callback", "auth")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        parts = str(scope.get("path", "")).strip("/").split("/")
        below = len(parts) > 1 and parts[0] not in self.OWN and "_stcore" not in parts
        asked = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        return (Match.FULL if asked and below else Match.NONE), {}

    def url_path_for(self, name: str, /, **params: object) -> NoReturn:
        raise NoMatchFound(name, params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope.get("query_string", b"").decode("latin-1")
        home = RedirectResponse(f"/?{query}" if query else "/", 302, {"Cache-Control": "no-store"})
        await home(scope, receive, send)


def routes(settings: Settings) -> list[BaseRoute]:
    """What `st.App` is given: `/api/v1`, the files, and an answer for unknown paths beside them."""
    files = site(settings)
    paths = (*(f"/{name}" for name in FILES), "/exports", "/exports/{rest:path}", "/api", "/api/{rest:path}")
    return [Mount("/api/v1", app=api(settings)), *(Route(path, files) for path in paths), Lost()]
