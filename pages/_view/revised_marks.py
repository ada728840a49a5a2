"""Revised values on charts: of which days, what stood there before, and how that is said. Draws nothing."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

import pandas as pd

from pages._view import formats
from storage.texts import _

# What stood there before, by day, oldest first.
Older = Mapping[pd.Timestamp, Sequence[float]]


def older(
    revisions: pd.DataFrame, name: str, table: str = "observation", column: str = "value"
) -> dict[pd.Timestamp, list[float]]:
    """What final values of a series (coin, protocol) were before they were replaced, by day, oldest first.
    `revisions`: rows of `revision`; a summary of a restated series is none of a value."""
    found: dict[pd.Timestamp, list[float]] = {}
    if revisions.empty:
        return found
    kept = revisions[
        (revisions["table_name"] == table) & revisions["key"].str.contains(f'"{name}"', regex=False)
    ]
    for row in kept.sort_values("known_at").itertuples():
        key, replaced = json.loads(row.key), json.loads(row.replaced)
        if name in key.values() and "date" in key and replaced.get(column) is not None:
            found.setdefault(pd.Timestamp(key["date"]), []).append(float(replaced[column]))
    return found


def steps(before: Sequence[float], now: float) -> list[float]:
    """The values in turn up to the one that stands; nothing where it was the same all along, because another
    column of its row was revised."""
    found = [value for value, _same in groupby((*before, now))]
    return found if len(found) > 1 else []


def words(values: Sequence[float], show: Callable[[float], str]) -> str:
    """ "4.05 → 4.10"; with all their digits where values next to each other would read the same."""
    said = [show(value) for value in values]
    if any(left == right for left, right in pairwise(said)):
        said = [f"{value:,.10g}" for value in values]
    return " → ".join(said)


def said(
    before: Sequence[float], now: float, at: datetime, zone: ZoneInfo, show: Callable[[float], str]
) -> str:
    """ "revised on 24 Nov: 4.05 → 4.10"; `at`: since when the last one stands. Empty if nothing changed."""
    values = steps(before, now) if before else []
    if not values:
        return ""
    day = formats.short_day(pd.Timestamp(at).tz_convert(zone).date())
    return _("revised on {day}: {values}").format(day=day, values=words(values, show))


def noted(
    before: Sequence[float], now: float, at: datetime, zone: ZoneInfo, show: Callable[[float], str]
) -> str:
    """`said` as a further line under the pointer."""
    told = said(before, now, at, zone, show)
    return f"<br>{told}" if told else ""


def protocols(revisions: pd.DataFrame, rows: pd.DataFrame, zone: ZoneInfo) -> dict[str, str]:
    """Of each of `rows` (protocols of one day) whose TVL was revised since: name, when, and the values."""
    found = {}
    for row in rows.itertuples():
        before = older(revisions, row.protocol, "protocol_tvl", "tvl").get(row.date, ())
        told = said(before, row.tvl, row.observed_at, zone, formats.money)
        if told:
            found[str(row.protocol)] = f"{row.name} {told}"
    return found
