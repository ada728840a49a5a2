"""What others show of this console: whether it lives, and a badge for each pipeline."""

import sqlite3
from typing import Annotated, Literal
from xml.sax.saxutils import escape

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from collectors import freshness
from collectors.freshness import PipelineStatus
from collectors.registry import PIPELINES
from console.gate import ApiError, Given, reply
from console.models import Health, errors
from console.routes import EVERY_GET
from storage import ledger, read, texts
from storage.settings import APP, VERSION, Settings
from storage.texts import N_, _

# The words of the pages.
WORDS = {
    "liquidity": N_("Liquidity"),
    "crypto": N_("Crypto"),
    "news": N_("News"),
    "ok": N_("ok"),
    "partial": N_("partial"),
    "failed": N_("failed"),
    "skipped": N_("skipped"),
    "queued": N_("starting"),
    "running": N_("running"),
    "cancelled": N_("cancelled"),
    "interrupted": N_("interrupted"),
    "fresh": N_("fresh"),
    "due": N_("due"),
    "late": N_("late"),
    "never": N_("never collected"),
}
# White text on these can be read (WCAG AA).
COLOURS = {"fresh": "#0b6b4a", "due": "#8a4b0c", "late": "#a82a21", "never": "#565d66"}

# How long somebody else's lock on the store is waited for before the last known days serve.
WAIT_S = 0.3

router = APIRouter(tags=["shown"])


# ---------------------------------------------------------------- liveness


@router.get(
    "/healthz",
    summary="Whether it lives, and what state its store is in",
    response_class=Response,
    responses={200: {"model": Health, "description": "It lives."}, **errors(*EVERY_GET)},
)
def healthz(settings: Given) -> Response:
    live, ledger_state = journal(settings)
    found = {
        "app": APP,
        "version": VERSION,
        "demo": settings.demo,
        "store": read.probe(settings),
        "ledger": ledger_state,
        "running": live,
    }
    return reply(found)


def journal(settings: Settings) -> tuple[str | None, str]:
    """The live run and the state of the ledger."""
    try:
        live = ledger.running(settings)
        return (live.run_id if live else None), ("ok" if ledger.exists(settings) else "missing")
    except sqlite3.Error as error:
        return None, freshness.unread(settings, error).code


# ---------------------------------------------------------------- badges


@router.get(
    "/badge/{pipeline}.svg",
    summary="A picture of a pipeline's state, for pages elsewhere",
    response_class=Response,
    responses={
        200: {"description": "The badge.", "content": {"image/svg+xml": {"schema": {"type": "string"}}}},
        **errors(400, 403, 404, 421, 422, 503),
    },
)
def badge(
    settings: Given,
    pipeline: Annotated[str, Path(json_schema_extra={"enum": list(PIPELINES)})],
    lang: Annotated[Literal["en", "ko"] | None, Query(description="Language of its words.")] = None,
) -> Response:
    if pipeline not in PIPELINES:
        raise ApiError(404, "not_found", _("There is no pipeline of that name."))
    found = freshness.status(settings, WAIT_S).pipelines[pipeline]
    with texts.speaking(lang or settings.lang):
        picture = _picture(_word(pipeline), _told(found), COLOURS[found.freshness])
    return Response(picture, media_type="image/svg+xml", headers={"Cache-Control": "no-cache"})


def _told(found: PipelineStatus) -> str:
    day = [found.data_as_of.isoformat()] if found.data_as_of else []
    # What never ran has never been collected either: said once.
    return " · ".join(dict.fromkeys([_word(found.state), _word(found.freshness), *day]))


def _word(name: str) -> str:
    return _(WORDS[name]) if name in WORDS else name


def _width(text: str) -> int:
    """Pixels at 11 px: Korean is twice as wide as the rest."""
    return 12 + sum(12 if ord(sign) > 0x2E80 else 7 for sign in text)


def _picture(left: str, right: str, colour: str) -> str:
    a, b = _width(left), _width(right)
    said = escape(f"{left}: {right}", {'"': "&quot;"})
    style = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" fill="#fff" text-anchor="middle"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{a + b}" height="20" role="img" aria-label="{said}">'
        f'<title>{said}</title><rect width="{a + b}" height="20" rx="3" fill="#3a4048"/>'
        f'<path d="M{a} 0h{b - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{a}z" fill="{colour}"/>'
        f'<g {style}><text x="{a / 2}" y="14" textLength="{a - 12}">{escape(left)}</text>'
        f'<text x="{a + b / 2}" y="14" textLength="{b - 12}">{escape(right)}</text></g></svg>'
    )
