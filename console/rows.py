"""The record over HTTP: rows as JSON or CSV, oldest first, the newest kept."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import AfterValidator

from console.gate import NO_STORE, Given, reply
from console.models import errors, rows_schema
from console.parameters import MANY, Day, Instant, RowLimit, names
from console.routes import EVERY_GET
from storage import read_rows
from storage.read_rows import Asked, Found, Kind
from storage.settings import Settings

# What a spreadsheet would take for the start of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_EXAMPLE = {
    "source": "coingecko.markets",
    "run_id": "20261124-210000-3f9a1c",
    "observed_at": "2026-11-24T21:00:03.120Z",
    "provisional": True,
}

_ABOUT_NAMES = "Repeated, or separated by commas, at most 100; none: all."

router = APIRouter(tags=["record"])
From = Annotated[
    Day | None, Query(alias="from", description="First day, inclusive.", examples=["2026-11-01"])
]
To = Annotated[Day | None, Query(alias="to", description="Last day, inclusive.", examples=["2026-11-24"])]
Limit = Annotated[RowLimit, Query(description="At most so many, the newest.")]
Format = Annotated[Literal["json", "csv"], Query(alias="format", description="How the rows are written.")]
Names = Annotated[Sequence[str], AfterValidator(names), Query(max_length=MANY, description=_ABOUT_NAMES)]
Replay = Annotated[
    Literal["0", "1"], Query(description="1: as computed later over history, not as published.")
]


KnownAt = Annotated[
    Instant | None,
    Query(
        description="The record as it stood at that instant, RFC 3339 with a zone.",
        examples=["2026-11-24T21:00:00Z"],
    ),
]


async def _window(since: From = None, until: To = None, limit: Limit = 1000) -> Asked:
    return Asked(since, until, limit)


Window = Annotated[Asked, Depends(_window)]


def _described(kind: Kind, example: dict[str, Any]) -> dict[str, Any]:
    """What a row route documents of itself."""
    row = {"rows": [{**example, **_EXAMPLE}], "count": 1, "truncated": False}
    content = {
        "application/json": {"schema": rows_schema(kind), "example": row},
        "text/csv": {"schema": {"type": "string"}},
    }
    found = {"description": "Rows; with `format=csv` a header line and one line a row.", "content": content}
    return {
        "response_class": Response,
        "responses": {200: found, **errors(422, *EVERY_GET, 503)},
    }


def _answer(settings: Settings, kind: Kind, asked: Asked, form: str) -> Response:
    found = read_rows.rows(settings, kind, asked)
    if form == "csv":
        headers = {"Content-Disposition": f'attachment; filename="{kind.name}.csv"'}
        return Response(as_csv(found), media_type="text/csv; charset=utf-8", headers=NO_STORE | headers)
    return reply({"rows": found.rows, "count": len(found.rows), "truncated": found.truncated})


def as_csv(found: Found) -> str:
    """A header line and the rows. Text never starts a formula; numbers stand as they are."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\r\n")
    lines.writerow(found.columns)
    cells: list[Callable[[Any], Any]] = [_text if name in found.texts else _plain for name in found.columns]
    for row in found.rows:
        lines.writerow([cell(row[name]) for cell, name in zip(cells, found.columns, strict=True)])
    return written.getvalue()


def _text(value: str | None) -> str | None:
    return f"'{value}" if value and value.startswith(_FORMULA) else value


def _plain(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


_COIN = {
    "coin": "bitcoin",
    "date": "2026-11-24",
    "symbol": "btc",
    "name": "Bitcoin",
    "rank": 1,
    "price": 91234.5,
}
_DAY = {"date": "2026-11-24", "total_tvl": 1.2e11, "fear_greed_index": 31.0, "fear_greed_label": "Fear"}
_PROTOCOL = {
    "protocol": "lido",
    "date": "2026-11-24",
    "name": "Lido",
    "category": "Liquid Staking",
    "tvl": 2.4e10,
}
_STRESS = {"date": "2026-11-24", "index": 41.7, "percentile": 63.2, "band": "elevated", "first_index": 41.7}
_VALUE = {"series": "fred.SOFR", "date": "2026-11-23", "value": 3.91, "note": None}
_STORY = {
    "id": "9f31",
    "published_at": "2026-11-24T20:12:00.000Z",
    "feed": "mk",
    "title": "…",
    "link": "https://…",
}


_CHECK = {
    "step": "coingecko.markets",
    "name": "peer",
    "subject": "bitcoin",
    "state": "warn",
    "value": 3.4,
    "low": -3.0,
    "high": 3.0,
    "message": "…",
    "values": "{…}",
}
Source = Annotated[
    Sequence[str],
    AfterValidator(names),
    Query(alias="source", max_length=MANY, description=f"Sources, in a demo too. {_ABOUT_NAMES}"),
]
States = Annotated[
    Sequence[Literal["pass", "warn", "fail"]], Query(max_length=3, description="Repeated; none: all.")
]


@router.get("/crypto/prices", summary="Prices of coins, USD", **_described(read_rows.PRICES, _COIN))
def prices(
    settings: Given, window: Window, form: Format = "json", coin: Names = (), known_at: KnownAt = None
) -> Response:
    return _answer(settings, read_rows.PRICES, replace(window, only=coin, known_at=known_at), form)


@router.get("/crypto/metrics", summary="The market by day", **_described(read_rows.METRICS, _DAY))
def metrics(settings: Given, window: Window, form: Format = "json") -> Response:
    return _answer(settings, read_rows.METRICS, window, form)


@router.get("/crypto/protocols", summary="Value locked, USD", **_described(read_rows.PROTOCOLS, _PROTOCOL))
def protocols(
    settings: Given, window: Window, form: Format = "json", protocol: Names = (), known_at: KnownAt = None
) -> Response:
    asked = replace(window, only=protocol, known_at=known_at)
    return _answer(settings, read_rows.PROTOCOLS, asked, form)


@router.get("/liquidity/index", summary="The StressIndex", **_described(read_rows.INDEX, _STRESS))
def index(settings: Given, window: Window, form: Format = "json", replay: Replay = "0") -> Response:
    kind = read_rows.REPLAY if replay == "1" else read_rows.INDEX
    return _answer(settings, kind, window, form)


@router.get(
    "/liquidity/observations", summary="Series as collected", **_described(read_rows.OBSERVATIONS, _VALUE)
)
def observations(
    settings: Given, window: Window, form: Format = "json", series: Names = (), known_at: KnownAt = None
) -> Response:
    asked = replace(window, only=series, known_at=known_at)
    return _answer(settings, read_rows.OBSERVATIONS, asked, form)


@router.get("/news", summary="Headlines by day of publication, UTC", **_described(read_rows.NEWS, _STORY))
def news(settings: Given, window: Window, form: Format = "json") -> Response:
    return _answer(settings, read_rows.NEWS, window, form)


@router.get(
    "/collector/checks", summary="What the checks of every step found", **_described(read_rows.CHECKS, _CHECK)
)
def checks(
    settings: Given,
    window: Window,
    form: Format = "json",
    run_id: Names = (),
    source: Source = (),
    state: States = (),
) -> Response:
    among = (("step", source), ("state", state))
    return _answer(settings, read_rows.CHECKS, replace(window, only=run_id, among=among), form)
