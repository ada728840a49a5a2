"""What is published of a computation: adjusted prices, which days, what explains a day, what is plain."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
import pytest

from collectors.stress import explain, publication, regime
from collectors.stress.index import Replay, replay
from collectors.stress.inputs import INPUTS, MODULES
from collectors.stress.observations import Levels
from collectors.stress.prices import adjusted
from collectors.stress.snapshot import fed, market, news, stored_names
from storage.stress import Column
from tests.stress_data import generated

DAY = date(2026, 11, 2).toordinal()


def levels(*pairs: tuple[int, float]) -> Levels:
    return Levels(
        np.array([DAY + day for day, _ in pairs], np.int64), np.array([value for _, value in pairs], float)
    )


# ---------------------------------------------------------------- adjusted prices


def test_a_dividend_is_reinvested_at_the_close_before_its_day() -> None:
    close = levels((0, 100.0), (1, 99.0), (2, 101.0))
    # 1 of 100 on the second day: what was 99 is worth 100 again.
    found = adjusted(close, levels((1, 1.0)), levels())
    assert found.values.tolist() == pytest.approx([100, 100, 101 * 100 / 99])


def test_a_split_multiplies_the_shares_of_its_day_and_after() -> None:
    close = levels((0, 100.0), (1, 51.0), (2, 52.0))
    assert adjusted(close, levels(), levels((1, 2.0))).values.tolist() == pytest.approx([100, 102, 104])


def test_a_dividend_on_the_day_of_a_split_is_of_the_new_shares() -> None:
    close = levels((0, 100.0), (1, 49.0))
    # Two new shares for one, each worth 50 before its dividend of 1.
    found = adjusted(close, levels((1, 1.0)), levels((1, 2.0)))
    assert found.values.tolist() == pytest.approx([100, 100])


def test_a_later_dividend_changes_not_one_bit_of_the_past() -> None:
    close = levels((0, 100.0), (1, 99.3), (2, 101.7), (3, 100.9))
    before = adjusted(close, levels((1, 0.31)), levels())
    after = adjusted(close, levels((1, 0.31), (3, 0.29)), levels())
    assert before.values[:3].tobytes() == after.values[:3].tobytes()
    assert before.values[3] != after.values[3]


def test_an_event_on_a_day_without_a_close_counts_from_the_next_one() -> None:
    close = levels((0, 100.0), (3, 99.0))
    assert adjusted(close, levels((1, 1.0)), levels()).values.tolist() == pytest.approx([100, 100])


def test_events_before_the_first_close_and_absurd_ones_change_nothing() -> None:
    close = levels((0, 100.0), (1, 101.0))
    found = adjusted(close, levels((-5, 3.0), (0, 2.0), (1, 500.0), (1, -1.0)), levels((0, 2.0), (1, 0.0)))
    assert found.values.tolist() == [100.0, 101.0]
    assert len(adjusted(levels(), levels((1, 1.0)), levels()).days) == 0


def test_returns_are_those_of_yahoos_own_adjusted_close() -> None:
    # Yahoo divides everything before an ex-date by one factor: returns and drawdowns are the same.
    random = np.random.default_rng(5)
    closes = 100 * np.exp(np.cumsum(0.01 * random.standard_normal(300)))
    close = Levels(DAY + np.arange(300), closes)
    dividends = levels((60, 0.7), (121, 0.8), (240, 0.9))
    theirs = closes.copy()
    for day, amount in ((60, 0.7), (121, 0.8), (240, 0.9)):
        theirs[:day] *= 1 - amount / closes[day - 1]
    ours = adjusted(close, dividends, levels()).values
    assert np.allclose(ours[1:] / ours[:-1], theirs[1:] / theirs[:-1], rtol=1e-12)


# ---------------------------------------------------------------- the snapshot


def column(n: int = 3) -> Column:
    return Column(DAY + np.arange(n), np.ones(n), False)


def test_a_snapshot_has_what_is_stored_and_what_is_collected_without_a_row_yet() -> None:
    found = market({"yahoo.SPY.close": column(), "fred.DGS10": column()}, ["fred.DGS2", "yahoo.HYG.close"])
    assert set(found) == {"yahoo.SPY.adjusted", "yahoo.HYG.adjusted", "fred.DGS10", "fred.DGS2"}
    assert len(found["fred.DGS2"].days) == 0
    assert len(found["yahoo.HYG.adjusted"].days) == 0


def test_every_input_is_read_by_the_names_under_which_it_is_stored() -> None:
    from collectors.registry import PIPELINES

    stored = {series.series for source in PIPELINES["liquidity"] for series in source.series}
    wanted = {name for one in INPUTS for name in one.series if not name.startswith("text.")}
    assert set(market({}, stored)) == wanted
    assert all(any(name.startswith(prefix) for name in stored) for prefix in stored_names())


def test_a_headline_is_of_the_day_on_which_new_york_reads_it() -> None:
    titles = [
        (
            str(n),
            f"feed{n % 3}",
            datetime(2026, 11, 24, 3, 0, tzinfo=UTC),
            f"story {n} of its own kind {n * n}",
        )
        for n in range(40)
    ]
    # 22:00 of the 23rd in New York; no value yet: no feed has twenty days behind it.
    assert news(titles).days.tolist() == [date(2026, 11, 23).toordinal()]
    assert np.isnan(news(titles).values).all()


def test_concern_has_a_value_once_sixty_speeches_are_known() -> None:
    start = datetime(2026, 1, 5, 15, tzinfo=UTC)
    spoken = [(start + timedelta(days=n), 1000, 0.5, None) for n in range(70)]
    days = [(start + timedelta(days=n)).date() for n in range(80)]
    found = fed(spoken, days)
    assert int(np.isnan(found.values).sum()) == 59
    assert found.values[60] == pytest.approx(0.5)


# ---------------------------------------------------------------- what is published


@cache
def computed() -> publication.Computed:
    return publication.Computed.of(replay(generated(12)))


def found() -> Replay:
    return computed().found


def day(row: int) -> date:
    return found().day(row)


def label(row: int) -> str | None:
    return regime.set_label(float(found().coverage[row]))


def test_the_first_publication_is_of_the_newest_day_alone() -> None:
    assert publication.rows_to_publish(found(), []) == [len(found().days) - 1]


def test_later_all_that_is_newer_is_published_and_the_last_two_weeks_are_corrected() -> None:
    n = len(found().days)
    published = [(day(row), label(row)) for row in range(n - 20, n - 3)]
    expected = [*range(n - 13, n - 3), n - 3, n - 2, n - 1]
    assert publication.rows_to_publish(found(), published) == expected


def test_what_was_published_of_another_set_stays_as_it_was() -> None:
    n = len(found().days)
    published = [(day(row), "limited" if row < n - 4 else label(row)) for row in range(n - 9, n - 1)]
    assert publication.rows_to_publish(found(), published) == [n - 4, n - 3, n - 2, n - 1]


def test_of_weeks_without_a_run_only_the_last_days_are_published() -> None:
    n = len(found().days)
    published = [(day(n - 20), label(n - 20))]
    assert publication.rows_to_publish(found(), published) == [n - 20, *range(n - 5, n)]


def test_a_day_that_nobody_published_stays_history() -> None:
    n = len(found().days)
    # Two weeks apart: the days between them were never published, and are not now.
    published = [(day(row), label(row)) for row in (n - 12, n - 2)]
    assert publication.rows_to_publish(found(), published) == [n - 12, n - 2, n - 1]


def test_without_an_index_nothing_is_published() -> None:
    empty = replace(found(), index=np.full(len(found().days), np.nan))
    assert publication.rows_to_publish(empty, []) == []
    assert publication.rows_to_publish(empty, [(day(5), "full")]) == []


def test_moves_of_all_rows_are_those_of_each() -> None:
    by_module, coverage = explain.moves(found())
    for row in range(0, len(found().days), 37):
        one = explain.move(found(), row)
        if one is None:
            assert np.isnan(by_module[row]).all() and np.isnan(coverage[row])
        else:
            assert by_module[row].tolist() == pytest.approx(list(one.by_module), abs=1e-12)
            assert coverage[row] == pytest.approx(one.coverage, abs=1e-12)


def test_the_move_of_a_day_is_the_change_of_its_index() -> None:
    columns = publication.index_columns(computed(), np.arange(len(found().days)))
    change = np.diff(found().index)
    known = np.isfinite(change)
    assert known.sum() > 1000
    assert np.abs(columns["move"][1:][known] - change[known]).max() < 1e-9


def test_contributions_of_inputs_sum_to_their_modules_and_those_to_the_index() -> None:
    rows = np.flatnonzero(~np.isnan(found().index))[-300:]
    modules = publication.as_rows(publication.module_columns(computed(), rows))
    parts = publication.as_rows(publication.input_columns(computed(), rows))
    index = publication.as_rows(publication.index_columns(computed(), rows))
    for n, row in enumerate(index):
        mine = modules[n * len(MODULES) : (n + 1) * len(MODULES)]
        assert sum(float(str(one["contribution"])) for one in mine) == pytest.approx(
            float(str(row["index"])) - 50, abs=1e-9
        )
    sums: dict[tuple[object, object], float] = {}
    for part in parts:
        key = (part["date"], part["module"])
        sums[key] = sums.get(key, 0.0) + float(str(part["contribution"] or 0.0))
    for one in modules:
        assert sums.get((one["date"], one["module"]), 0.0) == pytest.approx(
            float(str(one["contribution"])), abs=1e-9
        )


def test_rows_hold_plain_values_and_no_nan() -> None:
    rows = np.arange(len(found().days))[-5:]
    for columns in (
        publication.index_columns(computed(), rows),
        publication.module_columns(computed(), rows),
        publication.input_columns(computed(), rows),
    ):
        for row in publication.as_rows(columns):
            for value in row.values():
                assert value is None or isinstance(value, str | int | float | date)
                assert value == value


def test_inputs_that_need_a_key_are_told_apart_from_those_that_are_not_there() -> None:
    observed = generated(12, without=("fred.",))
    keyless = frozenset(one.name for one in INPUTS if one.series[0].startswith("fred."))
    one = publication.Computed.of(replay(observed), keyless)
    rows = np.array([len(one.found.days) - 1])
    status = {str(row["input"]): row["status"] for row in publication.lacking_rows(one, rows)}
    assert status["baa10y"] == "no_key"
    assert status["news"] == status["fed"] == "absent"
    modules = {
        row["module"]: row["status"] for row in publication.as_rows(publication.module_columns(one, rows))
    }
    assert modules == {
        "credit": "no_key", "funding": "no_key", "treasury": "no_key",
        "volatility": "valid", "etf": "valid", "news": "missing", "fed": "missing",
    }  # fmt: skip
    (index,) = publication.as_rows(publication.index_columns(one, rows))
    assert (index["set_label"], index["coverage"]) == ("limited", pytest.approx(0.45))


def test_status_says_how_old_a_value_is() -> None:
    observed = generated(12)
    last = found().day(len(found().days) - 1)
    for name, back in (("fred.DGS10", 4), ("fred.DGS2", 9)):
        series = observed[name]
        known = series.days[series.days <= found().days[-1 - back]]
        observed[name] = replace(
            series, days=known, values=np.full(len(known), 3.0) + np.arange(len(known)) % 7
        )
    one = publication.Computed.of(replay(observed))
    rows = publication.as_rows(publication.input_columns(one, np.array([len(one.found.days) - 1])))
    status = {row["input"]: (row["status"], row["age"]) for row in rows}
    assert status["dgs10_vol"] == ("tolerated", 4)
    assert status["dgs2_vol"][0] == "dropped"
    assert status["vix"][0] == "fresh"
    assert rows[0]["date"] == last
