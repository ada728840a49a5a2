"""The description of `/api/v1`: its OpenAPI document, a page that draws it without any outside request, and
what such a page of ours may do."""

import base64
import hashlib
import re
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response

from console.gate import reply
from console.models import errors
from console.routes import EVERY_GET
from storage.settings import ROOT, VERSION

PAGE = ROOT / "console" / "docs.html"
ABOUT = """Starts collections, follows them, and hands out the record.

Errors are `{"error": {"code", "message", "run_id"?}}`: `code` is a word that stays. A wrong verb is
answered with 405 and `Allow`, an unknown address with 404.
Times are RFC 3339 with Z; `from` and `to` are inclusive."""
_TAGS = [
    {"name": "start", "description": "One run at a time, always liquidity before crypto before news."},
    {"name": "runs", "description": "What ran, what runs, what is fresh."},
    {"name": "record", "description": "The stored rows, oldest first; `limit` keeps the newest."},
    {"name": "shown", "description": "For other programs: liveness, badges, Prometheus, this document."},
]

router = APIRouter(tags=["shown"])


@router.get(
    "/openapi.json",
    summary="This document",
    response_class=Response,
    responses={
        200: {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}},
        **errors(*EVERY_GET),
    },
)
def openapi(request: Request) -> Response:
    return reply(document(request.app))


@router.get(
    "/docs",
    summary="This document as a page",
    response_class=Response,
    responses={
        200: {"description": "HTML.", "content": {"text/html": {"schema": {"type": "string"}}}},
        **errors(*EVERY_GET),
    },
)
def docs() -> Response:
    # Read here, not by the site's routes: it stands beside the program, not in the export.
    html = PAGE.read_text(encoding="utf-8")
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": policy(html)}
    return Response(html, media_type="text/html", headers=headers)


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title="Daily Data Collector",
            version=VERSION,
            description=ABOUT,
            routes=app.routes,
            tags=_TAGS,
            servers=[{"url": "/api/v1"}],
        )
        _secure(made)
        _without_fastapis_own(made)
        app.openapi_schema = made
    return app.openapi_schema


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


def _secure(made: dict[str, Any]) -> None:
    """Every POST may need the token: it does where one is set."""
    scheme = {"type": "http", "scheme": "bearer", "description": "COLLECTOR_API_TOKEN, where it is set."}
    made["components"]["securitySchemes"] = {"token": scheme}
    for operations in made["paths"].values():
        if "post" in operations:
            operations["post"]["security"] = [{}, {"token": []}]


def _without_fastapis_own(made: dict[str, Any]) -> None:
    """FastAPI documents a 422 of its own wherever it sees a parameter, also where any text will do."""
    for name in ("HTTPValidationError", "ValidationError"):
        made["components"]["schemas"].pop(name, None)
    for operations in made["paths"].values():
        for operation in operations.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
