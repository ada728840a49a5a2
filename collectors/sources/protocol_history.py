"""DefiLlama: the whole past of one protocol's value locked, for days that nobody collected.

`/protocol/{slug}` has one point a day, at 00:00 UTC and dated by that day as the total is; the last one is
of now. USD; changes are those between the points. A body of several MB for the largest.
https://api-docs.defillama.com (as of 2026-11).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import quote

from collectors.model import WHOLE, Answer, Ask, Batch, Changed, Rejected, Request, Row, Source
from collectors.payload import Unfit, json_of, list_of, member, number
from collectors.sources.daily import Points, change, leaps, part, same_thing
from collectors.sources.defillama import MOST, UPSTREAM
from storage.tables import PAST, PROTOCOL_TVL
from storage.texts import N_

LEAP = 20.0

HISTORY = Source(
    name=f"defillama{PAST}",
    upstream=UPSTREAM,
    table=PROTOCOL_TVL,
    rows=(0, 20_000),
    required=False,
    history=WHOLE,
)


def of(protocol: Row, days: frozenset[date], stored: Mapping[date, Row]) -> Source:
    """The source of one protocol's history. `protocol`: protocol, name, category; `days`: those that are
    wanted; `stored`: its rows, by day."""
    slug = str(protocol["protocol"])
    return replace(
        HISTORY,
        part=part(slug),
        days=days,
        requests=partial(_requests, slug),
        parse=partial(_parse, protocol, days, stored),
    )


def _requests(slug: str, ask: Ask) -> Sequence[Request]:
    return [Request(f"{ask.base}/protocol/{quote(slug, safe='')}", {})]


def _parse(
    protocol: Row, days: frozenset[date], stored: Mapping[date, Row], answers: Sequence[Answer], ask: Ask
) -> Batch:
    """Rows of `protocol_tvl`, one a UTC day that is over. Raises Changed where the shape differs, or the
    values are not the protocol's."""
    answer, slug = answers[0], protocol["protocol"]
    points = Points(list_of(member(json_of(answer.body), "tvl", "/protocol"), "tvl"), answer.at, _point)
    values = points.days()
    if not values:
        raise Changed(
            "empty", N_("DefiLlama has no past of {protocol} yet. Nothing was filled."), protocol=slug
        )
    live = {day: float(str(row["tvl"])) for day, row in stored.items() if row.get("tvl") is not None}
    same_thing(values, live, str(slug))
    wrong = set(leaps(values, LEAP))
    # What is set aside says nothing of the days around it either.
    sound = {day: value for day, value in values.items() if day not in wrong}
    refused = [
        Rejected(_row(protocol, day, {**sound, day: values[day]}), "implausible")
        for day in sorted(wrong & days)
    ]
    newest = max(values)
    # A point that cannot be read is no day without a value.
    lacking = [] if points.rejected else [day for day in sorted(days - sound.keys()) if day < newest]
    without = [(f"{PROTOCOL_TVL.name}.{slug}", day) for day in lacking]
    rows = [_row(protocol, day, sound) for day in sound]
    return Batch(rows, (*points.rejected, *refused), without)


def _row(protocol: Row, day: date, values: Mapping[date, float]) -> Row:
    return {
        "protocol": protocol["protocol"], "date": day, "name": protocol["name"],
        "category": protocol["category"], "tvl": values[day],
        "change_1d": change(values, day, 1), "change_7d": change(values, day, 7),
    }  # fmt: skip


def _point(item: Any) -> tuple[Any, float | None]:
    if not isinstance(item, dict) or "date" not in item:
        raise Unfit("not_a_point")
    return item["date"], number(item.get("totalLiquidityUSD"), least=-MOST, most=MOST)
