"""Whether a batch can be believed: enough rows, few refused, no value that jumped beyond reason."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from operator import itemgetter
from statistics import median
from typing import cast

from collectors.model import Batch, Believable, Changed, Rejected, Row, Source
from collectors.payload import mostly_fit
from storage.read import Known
from storage.tables import OBSERVATION
from storage.texts import N_

# Some publishers date a value by the next day; nobody dates it by the one after.
AHEAD = timedelta(days=1)
# Of days that are stored an answer says the same again: in the middle it may differ by a tenth, of values
# that are near nothing by a tenth of their unit, of values of any size by this factor.
LEVEL, LOOSE, DRIFT = 0.1, 5.0, 20.0


def check(source: Source, batch: Batch, known: Known, at: datetime | None = None) -> Batch:
    """The batch with rows that jumped set aside; `at`: the instant of the answer. Raises Changed
    `suspect` or `stale`: old values then stay."""
    batch = set_aside(source, batch, known, at)
    require(source, batch, at)
    return batch


def set_aside(source: Source, batch: Batch, known: Known, at: datetime | None = None) -> Batch:
    """The batch without the rows that cannot be believed."""
    if source.jump:
        column, factor = source.jump
        last = known.last.get((source.table.name, column), {})
        batch = _without_jumps(batch, column, factor, last, source.table.key[0])
    if source.believable and source.table is OBSERVATION and at is not None:
        batch = _believed(source, source.believable, batch, known, at)
    return batch


def require(source: Source, batch: Batch, at: datetime | None = None) -> None:
    """Raises Changed `suspect` or `stale` where the batch as a whole cannot be believed."""
    _enough(source, batch)
    if source.dead_after and at is not None:
        _alive(source, source.dead_after, batch, at)


def _believed(source: Source, able: Believable, batch: Batch, known: Known, at: datetime) -> Batch:
    """Rows of a series of observations that can be believed; the others set aside with a reason. Series
    that only have values where something happened are judged by their source."""
    lasting = {series.series for series in source.lasting}
    kept: list[Row] = []
    rejected: list[Rejected] = []
    last = known.last.get(("observation", "value"), {})
    if drifted := _drifted(able, batch, lasting, known):
        return Batch((), (*batch.rejected, *drifted))
    # A split moves the raw close on purpose.
    explained = {row["date"] for row in batch.rows if row["series"] not in lasting}
    asked = sorted((row for row in batch.rows if row["series"] in lasting), key=lambda row: str(row["date"]))
    before: float | None = None
    for place, row in enumerate(asked):
        value = cast(float, row["value"])
        reason = None
        if cast(date, row["date"]) > at.date() + AHEAD:
            reason = "future"
        elif not able.least <= value <= able.most:
            reason = "implausible"
        elif row["date"] in explained:
            pass
        elif before is not None and _leaps(able, before, value) and not _confirmed(able, asked, place):
            reason = "jump:value"
        elif before is None and place == len(asked) - 1 and (stored := last.get(str(row["series"]))):
            # One value alone: what is stored is all there is to compare it with.
            reason = "jump:value" if _leaps(able, stored, value) else None
        if reason is None:
            kept.append(row)
            before = value
        else:
            rejected.append(Rejected({**row, "before": before}, reason))
    kept += [row for row in batch.rows if row["series"] not in lasting]
    return Batch(kept, (*batch.rejected, *rejected))


def _drifted(able: Believable, batch: Batch, lasting: set[str], known: Known) -> list[Rejected]:
    """Every row, where the answer as a whole says something else of days that are stored than the store
    does: then it has another unit, or was divided, whatever the metadata say, and no value in it confirms
    another. One revised day, or a few, moves no middle."""
    rows = [row for row in batch.rows if row["series"] in lasting]
    if not rows:
        return []
    stored = known.recent.get(str(rows[0]["series"]), {})
    pairs = [
        (stored[day], cast(float, row["value"])) for row in rows if (day := cast(date, row["date"])) in stored
    ]
    if len(pairs) < 2 or not _moved(able, pairs):
        return []
    return [Rejected({**row, "before": stored.get(cast(date, row["date"]))}, "unit") for row in rows]


def _moved(able: Believable, pairs: list[tuple[float, float]]) -> bool:
    if able.absolute:
        usual = median(abs(before) for before, _after in pairs)
        return median(abs(after - before) for before, after in pairs) > max(LEVEL, LEVEL * usual)
    if able.step > LOOSE:
        # What may go from nothing to much in a week is not told by its size, but by a thousandfold.
        ratios = [after / before for before, after in pairs if before > 0 and after > 0]
        return bool(ratios) and not 1 / DRIFT <= median(ratios) <= DRIFT
    ratios = [after / before for before, after in pairs if before > 0]
    return bool(ratios) and not 1 - LEVEL <= median(ratios) <= 1 + LEVEL


def _leaps(able: Believable, before: float, value: float) -> bool:
    if able.absolute:
        return abs(value - before) > able.step
    if before <= 0 or value <= 0:
        return False
    return not 1 / (1 + able.step) <= value / before <= 1 + able.step


def _confirmed(able: Believable, rows: list[Row], place: int) -> bool:
    """The value after it is there, and near it: then it was no slip."""
    if place + 1 == len(rows):
        return False
    return not _leaps(able, cast(float, rows[place]["value"]), cast(float, rows[place + 1]["value"]))


def _alive(source: Source, longest: timedelta, batch: Batch, at: datetime) -> None:
    """A series that was discontinued goes on answering 200: only the age of its newest value tells."""
    days = [cast(date, row["date"]) for row in batch.rows if row["series"] == source.lasting[0].series]
    newest = max(days, default=None)
    if newest is not None and at.date() - newest > longest:
        raise Changed(
            "stale",
            N_("{series} has no value after {day}: it may have been discontinued. Stored values stay."),
            series=source.lasting[0].series,
            day=newest.isoformat(),
        )


def _without_jumps(batch: Batch, column: str, factor: float, last: Mapping[str, float], key: str) -> Batch:
    kept: list[Row] = []
    jumped: list[Rejected] = []
    for row in batch.rows:
        before, value = last.get(str(row[key])), row[column]
        if before and isinstance(value, float) and not 1 / factor <= value / before <= factor:
            jumped.append(Rejected({**row, "before": before}, f"jump:{column}"))
        else:
            kept.append(row)
    return Batch(kept, (*batch.rejected, *jumped))


def distinct(source: Source, batch: Batch) -> int:
    """How many rows it has. Twins are one: twenty times the same coin is not a market."""
    return len(set(map(itemgetter(*source.table.key), batch.rows)))


def _enough(source: Source, batch: Batch) -> None:
    if "date" in source.table.key:
        # Of texts there may be one a day, and one that has none says nothing of the others.
        mostly_fit(batch)
    rows = distinct(source, batch)
    least, most = source.rows
    if not least <= rows <= most:
        raise Changed(
            "suspect",
            N_("{rows} rows came where {least} to {most} are plausible. Old values stay."),
            rows=rows,
            least=least,
            most=most,
        )
