"""Five weekly runs against FRED as it revises one value, and restates two series whole: what is still known.

The runs serve all tests of this file; each takes seconds.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from storage import clock, db, read, read_revisions
from storage.settings import ROOT, load
from tests import child
from tests.api_client import ask, made
from tests.upstream import FRED_KEY, FakeUpstream

# Tuesday evenings in New York, before any run of this test: yfinance asks up to this computer's clock.
EVENINGS = [datetime(2026, 10, 6, 23, 50, tzinfo=UTC) + timedelta(days=7 * n) for n in range(5)]
# Of this day FRED says another value on each of the three evenings after the first.
DAY = date(2026, 10, 5)
STEPS = (0.0, 0.25, -0.31, 0.5, 0.5)
INDEX = 'SELECT date, "index", first_index, first_percentile, first_seen FROM stress_index ORDER BY date'
BILL = f"SELECT value, observed_at FROM observation WHERE series = 'fred.DGS3MO' AND date = '{DAY}'"
RESTATED = "SELECT date, value, observed_at FROM observation WHERE series = 'fred.STLFSI4' ORDER BY date"

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Weeks:
    """What stood in the store after each run."""

    bill: list[Rows]
    index: list[Rows]
    restated: list[Rows]


def asked(query: str, *values: object) -> Rows:
    with db.reader(load(), wait_s=10) as connection:
        return connection.execute(query, list(values)).fetchall()


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weeks]:
    before = dict(os.environ)
    os.environ["COLLECTOR_HOME"] = str(tmp_path_factory.mktemp("weeks") / "home")
    found = Weeks([], [], [])
    with FakeUpstream(clock=EVENINGS[0], since=date.min) as up:
        for evening, step in zip(EVENINGS, STEPS, strict=True):
            up.clock = evening
            if found.bill:
                up.set_observation("DGS3MO", DAY, round(found.bill[0][0][0] + step, 2))
            done = child.collect(up, "liquidity", FRED_API_KEY=FRED_KEY)
            assert (done.code, done.err) == (0, "")
            for kept, query in ((found.bill, BILL), (found.index, INDEX), (found.restated, RESTATED)):
                kept.append(asked(query))
    try:
        yield found
    finally:
        os.environ.clear()
        os.environ.update(before)


def known(series: str, instant: datetime) -> dict[date, float]:
    with db.reader(load(), wait_s=10) as connection:
        found = read.as_known_at(connection, series, instant)
    return {row["date"]: row["value"] for row in found}  # type: ignore[misc]


# ---------------------------------------------------------------- a source that revises single values


def test_every_old_value_is_there_with_since_when_it_was_known(weeks: Weeks) -> None:
    seen = [rows[0] for rows in weeks.bill]
    assert len({value for value, _at in seen}) == 4
    kept = asked(
        "SELECT CAST((replaced ->> 'value') AS DOUBLE), known_at FROM revision"
        f" WHERE contains(key, 'fred.DGS3MO') AND contains(key, '{DAY}') ORDER BY known_at"
    )
    assert kept == seen[:3]
    # The fourth stands, known since it came and not since it was seen again.
    assert seen[3] == seen[4]
    lines = read_revisions.revised(load()).single
    bill = lines[lines["series"] == "fred.DGS3MO"]
    told = bill[["old", "new", "known_at", "replaced_at"]].itertuples(index=False, name=None)
    pairs = pairwise(seen[:4])
    assert list(told) == [(old, new, since, at) for (old, since), (new, at) in reversed(list(pairs))]
    assert set(bill["date"].dt.date) == {DAY} and bill["final"].all()


def test_the_series_is_told_of_every_evening_as_it_was_read_then(weeks: Weeks) -> None:
    for rows in weeks.bill:
        ((value, at),) = rows
        assert known("fred.DGS3MO", at)[DAY] == value
    values = [rows[0][0] for rows in weeks.bill]
    instants = [rows[0][1] for rows in weeks.bill]
    for n in (1, 2, 3):
        assert known("fred.DGS3MO", instants[n] - timedelta(seconds=1))[DAY] == values[n - 1]
    assert known("fred.DGS3MO", instants[0] - timedelta(seconds=1)) == {}
    then, now = (known("fred.DGS3MO", instant) for instant in (instants[0], instants[3]))
    assert {day for day in then if then[day] != now[day]} == {DAY}
    # Days that came out later were not known then.
    assert set(now) - set(then) and max(then) < min(set(now) - set(then))


def test_the_api_tells_the_same_of_an_instant(weeks: Weeks) -> None:
    app = made()
    path = f"liquidity/observations?series=fred.DGS3MO&from={DAY}&to={DAY}"
    for ((value, at),) in weeks.bill:
        (row,) = ask(app, f"{path}&known_at={clock.stamp(at)}").json["rows"]
        assert (row["value"], row["observed_at"]) == (value, clock.stamp(at))


def test_the_sql_of_the_documentation_says_the_same(weeks: Weeks) -> None:
    text = (ROOT / "docs" / "record.md").read_text(encoding="utf-8")
    part = text[text.index("## Vintages") : text.index("## Runs")]
    as_of, both, whole, corrected = re.findall(r"```sql\n(.*?)```", part, re.DOTALL)
    instant = weeks.bill[1][0][1]
    asked_for = as_of.replace("fred.SOFR", "fred.DGS3MO").replace(
        "2026-11-20 21:00:00+00", instant.isoformat()
    )
    assert {row[0]: row[1] for row in asked(asked_for)} == known("fred.DGS3MO", instant)
    lines = read_revisions.revised(load())
    single = lines.single[lines.single["table_name"] == "observation"]
    columns = ["series", "old", "new", "known_at", "replaced_at"]
    told = {(row[0], *row[2:]) for row in asked(both)}
    assert told == set(single[columns].itertuples(index=False, name=None)) and len(told) >= 3
    assert [row[0] for row in asked(whole)].count("fred.STLFSI4") == 4
    assert {row[0] for row in asked(corrected)} >= {EVENINGS[0].date()}


# ---------------------------------------------------------------- a source that restates everything


def test_of_a_restated_series_the_newest_vintage_stands_with_a_line_for_each_before(weeks: Weeks) -> None:
    newest = weeks.restated[-1]
    assert len(newest) > 1500
    older = [dict(row[:2] for row in rows) for rows in weeks.restated]
    # FRED said something else of nearly every day each week.
    for before, after in pairwise(older):
        assert sum(before[day] != after[day] for day in before) > 1500
    kept = asked("SELECT key, replaced FROM revision WHERE contains(key, 'fred.STLFSI4') ORDER BY key")
    assert len(kept) == 4
    ((all_of_it,),) = asked("SELECT count(*) FROM revision WHERE contains(replaced, 'changed')")
    # The other one is NFCI.
    assert all_of_it == 8
    for (_key, replaced), (before, after) in zip(kept, pairwise(older), strict=True):
        told, moved = json.loads(replaced), {day: abs(after[day] - before[day]) for day in before}
        assert told["changed"] == sum(size > 0 for size in moved.values())
        assert told["largest"] == pytest.approx(max(moved.values()))
        changed = [day.isoformat() for day, size in moved.items() if size]
        assert (told["first"], told["last"]) == (min(changed), max(changed))


def test_the_report_has_a_line_a_vintage_and_none_a_value(weeks: Weeks) -> None:
    found = read_revisions.revised(load(), open_days=True)
    assert not found.single["series"].isin(["fred.STLFSI4", "fred.NFCI"]).any()
    lines = found.vintages[found.vintages["series"] == "fred.STLFSI4"]
    evenings = [max(row[2] for row in rows) for rows in weeks.restated]
    assert lines["vintage"].tolist() == evenings[3::-1]
    assert (lines["held"] >= lines["changed"]).all() and (lines["changed"] > 1500).all()


def test_of_a_vintage_that_was_replaced_nothing_is_told_rather_than_another_one(weeks: Weeks) -> None:
    second = max(row[2] for row in weeks.restated[1])
    # What it said is not kept: only what stands and was known by then may be told.
    told = known("fred.STLFSI4", second)
    stands = {day: value for day, value, at in weeks.restated[-1] if at <= second}
    assert told == stands and len(told) < 20
    newest = max(row[2] for row in weeks.restated[-1])
    assert known("fred.STLFSI4", newest) == dict(row[:2] for row in weeks.restated[-1])


# ---------------------------------------------------------------- what was published


def test_a_revised_input_corrects_the_published_day_and_never_what_was_published_first(weeks: Weeks) -> None:
    first = {row[0]: row[2:] for row in weeks.index[0]}
    ((day, index, published),) = [row[:3] for row in weeks.index[0]]
    assert day == EVENINGS[0].date() and index == published
    corrected = {row[0]: row[1] for row in weeks.index[1]}
    assert abs(corrected[day] - index) > 1e-6
    for later in weeks.index[1:]:
        told = {row[0]: row[2:] for row in later}
        # Days come, none goes, and of none is anything said to have been published first but what was.
        assert {one: told[one] for one in first} == first
        first = told
    replaced = asked(
        "SELECT CAST((replaced ->> 'index') AS DOUBLE) FROM revision WHERE table_name = 'stress_index'"
        f" AND contains(key, '{day}') AND NOT was_provisional ORDER BY known_at"
    )
    assert (index,) in replaced
    lines = read_revisions.revised(load()).single
    assert index in lines.loc[lines["table_name"] == "stress_index", "old"].tolist()


def test_after_two_weeks_a_published_day_is_history_that_no_revision_touches(weeks: Weeks) -> None:
    day = EVENINGS[0].date()
    told = [next(row for row in rows if row[0] == day) for rows in weeks.index]
    # On the fourth evening its input was revised once more: only the replay follows.
    assert told[3] == told[4] == told[2]
    ((replayed,),) = asked('SELECT "index" FROM stress_replay WHERE date = ?', day)
    assert abs(replayed - told[-1][1]) > 1e-6
