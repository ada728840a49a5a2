"""What a value of a series must be to be believed: range, step, date, and life."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from collectors.check import check
from collectors.model import Batch, Changed
from collectors.registry import SOURCES
from storage.read import Known

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = AT.date()


def rows(series: str, *values: float, last: date = TODAY) -> list[dict[str, Any]]:
    """One value a day, the last one on `last`."""
    first = last - timedelta(days=len(values) - 1)
    return [
        {"series": series, "date": first + timedelta(days=n), "value": value, "note": None}
        for n, value in enumerate(values)
    ]


def checked(
    source: str,
    found: list[dict[str, Any]],
    stored: float | None = None,
    at: datetime = AT,
    recent: dict[date, float] | None = None,
) -> Batch:
    """`stored`: the last stored value; `recent`: stored values by day."""
    name = SOURCES[source].lasting[0].series
    known = Known(
        last={("observation", "value"): {name: stored}} if stored is not None else {},
        recent={name: recent or {}},
    )
    return check(SOURCES[source], Batch(found), known, at)


def kept(batch: Batch) -> list[object]:
    return [row["value"] for row in batch.rows]


def reasons(batch: Batch) -> list[str]:
    return [entry.reason for entry in batch.rejected]


def test_an_ordinary_history_is_believed_whole() -> None:
    batch = checked("fred.BAA10Y", rows("fred.BAA10Y", 1.9, 1.95, 1.92, 2.01))
    assert kept(batch) == [1.9, 1.95, 1.92, 2.01]
    assert reasons(batch) == []


def test_a_unit_that_moved_by_a_thousand_is_beyond_the_range() -> None:
    # A balance sheet of 6.7 million millions, now as billions.
    with pytest.raises(Changed) as refused:
        checked("fred.WALCL", rows("fred.WALCL", 6700.0, 6710.0, 6720.0))
    assert refused.value.code == "suspect"


def test_one_wrong_value_within_a_history_is_set_aside_alone() -> None:
    values = [20.0] * 12 + [2000.0] + [21.0] * 3
    batch = checked("yahoo.^VIX", rows("yahoo.^VIX", *values))
    assert 2000.0 not in kept(batch)
    assert reasons(batch) == ["implausible"]


def test_a_close_that_leaps_by_half_waits_until_the_next_one_confirms_it() -> None:
    calm = [600.0 + n for n in range(12)]
    alone = checked("yahoo.SPY", rows("yahoo.SPY.close", *calm, 300.0))
    assert kept(alone) == calm
    assert reasons(alone) == ["jump:value"]
    confirmed = checked("yahoo.SPY", rows("yahoo.SPY.close", *calm, 300.0, 305.0))
    assert kept(confirmed) == [*calm, 300.0, 305.0]
    back = checked("yahoo.SPY", rows("yahoo.SPY.close", *calm, 300.0, 611.0))
    assert kept(back) == [*calm, 611.0]


def test_a_split_explains_a_leap_of_its_day() -> None:
    calm = [600.0 + n for n in range(12)]
    split = {"series": "yahoo.SPY.split", "date": TODAY, "value": 2.0, "note": None}
    batch = checked("yahoo.SPY", [*rows("yahoo.SPY.close", *calm, 303.0), split])
    assert reasons(batch) == []
    assert kept(batch)[-2:] == [303.0, 2.0]


def test_a_single_value_is_compared_with_what_is_stored() -> None:
    with pytest.raises(Changed):
        checked("yahoo.SPY", rows("yahoo.SPY.close", 300.0), stored=610.0)
    assert kept(checked("yahoo.SPY", rows("yahoo.SPY.close", 600.0), stored=610.0)) == [600.0]


def test_the_leap_of_february_2018_is_believed() -> None:
    # VIX on 2018-02-02 and 2018-02-05.
    batch = checked("yahoo.^VIX", rows("yahoo.^VIX", 13.47, 17.31, 37.32))
    assert reasons(batch) == []


@pytest.mark.parametrize(("ahead", "reason"), [(0, []), (1, []), (2, ["future"])])
def test_tomorrow_may_be_dated_and_the_day_after_not(ahead: int, reason: list[str]) -> None:
    found = rows("fred.SOFR", *[4.0] * 12)
    found += rows("fred.SOFR", 4.0, last=TODAY + timedelta(days=ahead)) if ahead else []
    assert reasons(checked("fred.SOFR", found)) == reason


def test_a_series_that_was_discontinued_goes_on_answering_and_is_told() -> None:
    with pytest.raises(Changed) as refused:
        checked("fred.DGS10", rows("fred.DGS10", 4.1, 4.2, last=TODAY - timedelta(days=46)))
    assert refused.value.code == "stale"
    assert refused.value.values["day"] == "2026-10-09"
    assert kept(checked("fred.DGS10", rows("fred.DGS10", 4.1, 4.2, last=TODAY - timedelta(days=45))))


def test_age_is_reckoned_by_the_clock_of_the_answer() -> None:
    past = datetime(2021, 12, 31, 12, tzinfo=UTC)
    found = rows("fred.DGS10", 1.5, 1.52, last=date(2021, 12, 30))
    assert kept(checked("fred.DGS10", found, at=past)) == [1.5, 1.52]


def test_every_stored_series_of_the_histories_through_2021_would_have_been_believed() -> None:
    from pathlib import Path

    folder = Path(__file__).resolve().parent.parent.parent / "shared" / "history"
    if not folder.is_dir():
        pytest.skip(f"NO HISTORIES: {folder} is missing, ranges are not checked against real series")
    import csv

    believed = 0
    for source in SOURCES.values():
        stem = source.name.removeprefix("fred.").replace("yahoo.^", "yahoo_").replace("ofr.fsi", "")
        file = folder / f"{stem}.csv"
        if not stem or not file.is_file():
            continue
        with file.open(encoding="utf-8", newline="") as lines:
            found = [
                {
                    "series": source.lasting[0].series,
                    "date": date.fromisoformat(row["date"]),
                    "value": float(row["value"]),
                }
                for row in csv.DictReader(lines)
                if row["value"]
            ]
        newest = max(row["date"] for row in found)
        at = datetime(newest.year, newest.month, newest.day, 12, tzinfo=UTC)
        batch = check(source, Batch(found), Known(), at)
        assert reasons(batch) == [], (source.name, batch.rejected[:3])
        believed += 1
    assert believed >= 15


def window(values: list[float]) -> dict[date, float]:
    """What is stored of the last days, the newest on TODAY − 1."""
    return {TODAY - timedelta(days=len(values) - n): value for n, value in enumerate(values)}


@pytest.mark.parametrize(
    ("source", "values", "factor"),
    [
        ("fred.DGS10", [2.4, 2.42, 2.41, 2.43], 0.01),
        ("fred.SOFR", [1.31, 1.3, 1.31, 1.32], 0.01),
        ("fred.BAA10Y", [2.0, 2.01, 2.02, 2.01], 0.01),
        ("fred.NFCI", [-0.31, -0.309, -0.3, -0.31], 0.01),
        ("fred.DGS2", [1.39, 1.4, 1.41, 1.39], 0.5),
        ("fred.VIXCLS", [15.6, 15.5, 16.0, 15.9], 0.5),
        ("fred.WALCL", [7.02e6, 7.03e6, 7.02e6, 7.01e6], 0.5),
        ("fred.WALCL", [7.02e6, 7.03e6, 7.02e6, 7.01e6], 0.001),
        ("fred.WRESBAL", [3.0e6, 3.1e6, 3.0e6, 2.9e6], 0.001),
        ("fred.RRPONTSYD", [210.0, 205.0, 190.0, 201.0], 0.001),
        # A split that is named before the past is divided by it.
        ("yahoo.SPY", [620.0, 622.0, 621.0, 622.0], 2.0),
        ("yahoo.SPY", [620.0, 622.0, 621.0, 622.0], 0.5),
    ],
)
def test_an_answer_that_says_something_else_of_stored_days_is_not_believed(
    source: str, values: list[float], factor: float
) -> None:
    name = SOURCES[source].lasting[0].series
    moved = rows(name, *[value * factor for value in values], values[-1] * factor)
    with pytest.raises(Changed) as refused:
        checked(source, moved, recent=window(values))
    assert refused.value.code == "suspect"
    assert kept(checked(source, rows(name, *values, values[-1]), recent=window(values))) == [
        *values,
        values[-1],
    ]


def test_a_few_revised_days_are_no_other_unit() -> None:
    stored = [1.12, 1.1, 1.11, 1.13, 1.12]
    found = rows("fred.DGS3MO", 1.12, 1.1, 1.37, 1.38, 1.12, 1.13)
    assert reasons(checked("fred.DGS3MO", found, recent=window(stored))) == []


def test_what_may_go_from_nothing_to_much_in_a_week_is_not_told_by_its_size() -> None:
    # Discount window loans in March 2023.
    found = rows("fred.WLCFLPCL", 4_000.0, 4_500.0, 153_000.0)
    batch = checked("fred.WLCFLPCL", found, stored=4_500.0, recent=window([4_000.0, 4_500.0]))
    assert kept(batch) == [4_000.0, 4_500.0, 153_000.0]
