"""What the checks found, kept beside the rows that they are about: one row a check and subject of a step."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

import duckdb

from storage import db, kept
from storage.settings import Settings
from storage.tables import CHECK_RESULT
from storage.texts import say

# The worst comes first.
ORDER = ("fail", "warn", "pass")
_guard = Lock()
# Of so many runs that are over the results stay at hand.
_REMEMBERED = 32
_ended: dict[tuple[str, str], tuple["CheckResult", ...]] = {}
_held: dict[str, tuple[str, "Standing"]] = {}
_COLUMNS = 'run_id, step, name, subject, state, value, low, high, message, "values", source, observed_at'


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One verdict. `state` is pass, warn or fail; `value` what was judged, None where it cannot be told;
    `low` and `high` the bounds of what passes, None where there is none. `message` is a gettext id."""

    run_id: str
    step: str
    name: str
    subject: str
    state: str
    value: float | None
    low: float | None
    high: float | None
    message: str
    values: Mapping[str, object]
    source: str
    observed_at: datetime

    def said(self) -> str:
        """What was found, as a sentence in the current language."""
        return say(self.message, self.values)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the newest step of every source left to look at: warnings, and rows that were set aside."""

    results: Sequence[CheckResult] = field(default_factory=tuple)
    problem: db.StoreError | None = None


def keep(
    connection: duckdb.DuckDBPyConnection, results: Sequence[CheckResult], *, late: bool = False
) -> None:
    """Writes results inside the open transaction, in one statement. A step's are written once, with its
    receipt; `late`, or tried again: what is there already stays (to look costs three times as much)."""
    single = {(one.run_id, one.step, one.name, one.subject): one for one in results}
    if not single:
        return
    row = f"({', '.join('?' * len(CHECK_RESULT.all_columns))})"
    values: list[object] = []
    for one in single.values():
        values += [one.step, one.name, one.subject, one.state, one.value, one.low, one.high]
        values += [one.message, json.dumps(dict(one.values), ensure_ascii=True, default=str)]
        values += [one.source, one.run_id, one.observed_at, False]
    query = f"INSERT INTO {CHECK_RESULT.name} VALUES {', '.join([row] * len(single))}"
    connection.execute(f"{query} ON CONFLICT DO NOTHING" if late else query, values)


_OF_A_BATCH = ("name", "subject", "state", "value", "low", "high", "message", "values")


def noted(results: Sequence[CheckResult]) -> str:
    """Results as a landed batch keeps them until it is merged: without what its notes say of every one."""
    told = [{name: getattr(one, name) for name in _OF_A_BATCH} for one in results]
    return json.dumps(told, ensure_ascii=True, default=str)


def of_notes(
    text: str, run_id: str, step: str, source: str, observed_at: datetime
) -> tuple[CheckResult, ...]:
    """The results that `noted` wrote; none of a batch that an earlier version landed."""
    return tuple(
        CheckResult(run_id=run_id, step=step, source=source, observed_at=observed_at, **told)
        for told in json.loads(text or "[]")
    )


def of_run(settings: Settings, run_id: str, wait_s: float = 0.3) -> list[CheckResult]:
    """Every result of a run, the worst first; none where the store knows of none. Raises StoreError."""
    return _read(settings, "run_id = ?", [run_id], wait_s)


def ended(settings: Settings, run_id: str) -> Sequence[CheckResult]:
    """The same of a run that is over, asked of the store once; none while the store cannot be read."""
    key = (str(settings.database), run_id)
    if key not in _ended:
        try:
            found = tuple(of_run(settings, run_id))
        except db.StoreError:
            return ()
        while len(_ended) >= _REMEMBERED:
            _ended.pop(next(iter(_ended)))
        _ended[key] = found
    return _ended[key]


def standing(settings: Settings, wait_s: float = 0.3) -> Standing:
    """What is not `pass` of each step's newest look, read once after every merge."""
    # Two runs of one second have names in any order; rows stand in the order in which they were written.
    newest = (
        "state <> 'pass' AND (step, run_id) IN"
        f" (SELECT (step, arg_max(run_id, rowid)) FROM {CHECK_RESULT.name} GROUP BY step)"
    )
    return kept.serve(
        _held, _guard, settings, lambda: Standing(_read(settings, newest, [], wait_s)), lambda: Standing()
    )


def _read(settings: Settings, where: str, values: Sequence[object], wait_s: float) -> list[CheckResult]:
    try:
        with db.reader(settings, wait_s) as connection:
            found = connection.execute(
                f"SELECT {_COLUMNS} FROM {CHECK_RESULT.name} WHERE {where} ORDER BY step, name, subject",
                list(values),
            ).fetchall()
    except (db.StoreMissing, duckdb.CatalogException):
        # A store that no run of this version has opened yet has no such table.
        return []
    return sorted((_result(row) for row in found), key=lambda one: ORDER.index(one.state))


def _result(row: Sequence[Any]) -> CheckResult:
    *plain, values, source, observed_at = row
    run_id, step, name, subject, state, value, low, high, message = plain
    told = json.loads(values)
    return CheckResult(
        run_id, step, name, subject, state, value, low, high, message, told, source, observed_at
    )
