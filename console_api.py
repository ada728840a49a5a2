"""HTTP beside the pages: the export's files and `/api/v1`.

Errors are JSON everywhere under `/api` and `/exports`, where Streamlit would answer 200 and a page.
"""

from pathlib import Path
from typing import NoReturn

from fastapi import APIRouter, FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Mount, NoMatchFound, Route
from starlette.types import Receive, Scope, Send

from console import docs as console_docs
from console import metrics as console_metrics
from console import routes as console_routes
from console import rows as console_rows
from console import shown as console_shown
from console import status as console_status
from console.docs import policy
from console.gate import tell_errors
from storage import export
from storage.settings import ROOT, Settings

FILES = {
    export.PAGE: "text/html; charset=utf-8",
    "crypto_trends.json": "application/json",
    "crypto_trends.js": "text/javascript; charset=utf-8",
    "plotly.min.js": "text/javascript; charset=utf-8",
}


def _application(settings: Settings) -> FastAPI:
    """Without FastAPI's own documentation pages: they load from elsewhere."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.settings = settings
    tell_errors(app)
    return app


def routers() -> tuple[APIRouter, ...]:
    """Every part of `/api/v1`, in the order of its documentation."""
    return (
        console_routes.triggers(),
        console_status.router,
        console_routes.router,
        console_rows.router,
        console_shown.router,
        console_metrics.router,
        console_docs.router,
    )


def api(settings: Settings) -> FastAPI:
    """The application under `/api/v1`."""
    app = _application(settings)
    app.state.latest = console_status.Latest()
    for part in routers():
        app.include_router(part)
    return app


def site(settings: Settings) -> FastAPI:
    """The old page and the files of the export, and nothing else."""
    app = _application(settings)
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
