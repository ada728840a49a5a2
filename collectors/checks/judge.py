"""The one place where a step's checks are evaluated: what is believed of a batch, and what is told of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, cast

from collectors.check import require, set_aside
from collectors.checks.derived import derived
from collectors.checks.kinds import Check, Facts, Result, result_of
from collectors.model import Batch, Changed, Rejected, Row, Source
from storage.read import Seen
from storage.tables import CRYPTO_PRICE, OBSERVATION
from storage.texts import N_

# Of a coin this is compared elsewhere.
_OF_COINS = ("price", "market_cap")
SUSPECT = N_("A check failed ({check} of {subject}). Old values stay.")


@dataclass(frozen=True, slots=True)
class Judged:
    """The batch with what failed set aside, every result, and why it is refused as a whole, if it is."""

    batch: Batch
    results: Sequence[Result]
    error: Changed | None = None

    def believed(self) -> Batch:
        """The batch. Raises Changed where it is refused."""
        if self.error is not None:
            raise self.error
        return self.batch


def of(source: Source) -> tuple[Check, ...]:
    """Every check of a source: its own, then those that follow from its fields."""
    return (*source.checks, *derived(source))


def judge(source: Source, batch: Batch, facts: Facts) -> Judged:
    """Holds a batch against every check of its source. Pure: nothing is stored or told here."""
    own = _measured(source.checks, batch, facts)
    error = _refusal(own)
    batch = _without_failed(batch, own)
    if error is None:
        batch = set_aside(source, batch, facts.known, facts.at)
        error = _required(source, batch, facts.at)
    others = _measured(derived(source), batch, facts)
    return Judged(batch, [*own, *others], error or _refusal(others))


def _measured(checks: Sequence[Check], batch: Batch, facts: Facts) -> list[Result]:
    found = ((check, list(check.measure(batch, facts))) for check in checks)
    return [result_of(check, measured) for check, measured in found if measured]


def _required(source: Source, batch: Batch, at: datetime | None) -> Changed | None:
    try:
        require(source, batch, at)
    except Changed as changed:
        return changed
    return None


def _refusal(results: Sequence[Result]) -> Changed | None:
    """The first check that refuses the batch."""
    for result in results:
        if result.state == "fail" and result.check.fails == "batch":
            values: dict[str, Any] = {name: str(value) for name, value in result.values.items()}
            return Changed("suspect", result.check.refusal or SUSPECT, check=result.check.name, **values)
    return None


def _without_failed(batch: Batch, results: Sequence[Result]) -> Batch:
    """Rows that failed a check of rows, set aside with its name as the reason."""
    failed = {id(row): result for result in results if result.check.fails == "rows" for row in result.failed}
    if not failed:
        return batch
    rejected = [
        Rejected({**row, "check": failed[id(row)].check.subject}, failed[id(row)].check.name)
        for row in batch.rows
        if id(row) in failed
    ]
    return replace(
        batch,
        rows=[row for row in batch.rows if id(row) not in failed],
        rejected=(*batch.rejected, *rejected),
    )


def told(source: Source, batch: Batch, at: datetime) -> dict[str, Seen]:
    """What a batch says that another source may be compared with: the newest value of each series, and of
    the coins `<id>.price` and `<id>.market_cap`."""
    if source.table is OBSERVATION:
        key, columns = "series", {"value": ""}
    elif source.table is CRYPTO_PRICE:
        key, columns = "coin", {name: f".{name}" for name in _OF_COINS}
    else:
        return {}
    newest: dict[tuple[object, str], Row] = {}
    for row in batch.rows:
        for column in columns:
            name = (row[key], column)
            before = newest.get(name)
            later = before is None or cast(date, row["date"]) >= cast(date, before["date"])
            if later and isinstance(row[column], float):
                newest[name] = row
    return {
        f"{of}{columns[column]}": Seen(cast(date, row["date"]), cast(float, row[column]), at)
        for (of, column), row in newest.items()
    }
