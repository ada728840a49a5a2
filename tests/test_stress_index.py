"""The index: what is missing is left out and said, nothing looks ahead, every point is accounted for."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.stress import alerts, explain, index, inputs
from collectors.stress.index import Replay, replay, update
from collectors.stress.inputs import CALENDAR, MARKET, MODULES
from collectors.stress.observations import Observations, until
from tests.stress_data import generated, history


@cache
def whole() -> tuple[dict[str, Observations], Replay]:
    observed = generated()
    return observed, replay(observed)


def bits(found: Replay, rows: int | None = None) -> list[bytes]:
    """Everything that was computed for the first `rows` days."""
    arrays = [getattr(part, field.name) for part in (found, found.standing) for field in fields(part)]
    return [array[:rows].tobytes() for array in arrays if isinstance(array, np.ndarray)]


def test_cut_anywhere_the_days_before_keep_their_bits() -> None:
    observed, full = whole()
    for row in sorted(Random(1).sample(range(600, len(full.days)), 25)):
        assert bits(replay(until(observed, full.day(row)))) == bits(full, row + 1)


def test_daily_updates_are_the_replay_to_the_bit() -> None:
    observed, full = whole()
    past = replay(until(observed, full.day(len(full.days) - 40)))
    for row in range(len(full.days) - 39, len(full.days)):
        past = update(until(observed, full.day(row)), past)
        assert bits(past) == bits(full, row + 1)


def test_an_update_takes_up_late_and_revised_observations() -> None:
    observed, full = whole()
    late = dict(observed)
    late["fred.DGS10"] = until(observed, full.day(len(full.days) - 3))["fred.DGS10"]
    assert bits(update(observed, replay(late))) == bits(full)
    values = observed["fred.BAA10Y"].values.copy()
    values[2500] += 1
    revised = {**observed, "fred.BAA10Y": Observations(observed["fred.BAA10Y"].days, values)}
    assert bits(update(revised, full)) == bits(replay(revised)) != bits(full)
    assert bits(update(until(observed, full.day(3000)), full)) == bits(full, 3001)
    fewer = generated(without=("fred.SOFR",))
    assert bits(update(fewer, full)) == bits(replay(fewer))


def test_every_point_of_every_published_day_is_a_modules_or_the_neutral_fifty() -> None:
    _observed, full = whole()
    points = explain.contributions(full)
    published = np.isfinite(full.index)
    assert published.sum() > 3000
    assert np.abs(points.sum(axis=1) - (full.index - 50))[published].max() <= 1e-9
    assert np.isnan(points[~published]).all()
    for row in range(2000, 2050):
        by_input = explain.input_contributions(full, row)
        assert sum(by_input.values()) == pytest.approx(full.index[row] - 50, abs=1e-9)


def test_a_day_move_is_the_markets_and_the_coverages_and_no_more() -> None:
    observed, _full = whole()
    gap = dict(observed)
    keep = np.ones(len(observed["fred.BAA10Y"].days), bool)
    keep[3000:3020] = False
    for name in ("fred.BAA10Y", "fred.DAAA"):
        one = observed[name]
        gap[name] = Observations(one.days[keep], one.values[keep])
    found = replay(gap)
    moves = [(row, explain.move(found, row)) for row in range(2900, 3100)]
    for row, move in moves:
        assert move is not None
        assert move.total == pytest.approx(found.index[row] - found.index[row - 1], abs=1e-9)
        if found.sets[row] == found.sets[row - 1]:
            assert move.coverage == pytest.approx(0, abs=1e-12)
    assert any(abs(move.coverage) > 0.1 for _row, move in moves if move)
    left = next(row for row, _move in moves if found.sets[row] != found.sets[row - 1])
    move = explain.move(found, left)
    # Credit left: what it takes with it is no market's doing.
    assert move is not None and move.by_module[0] == 0
    assert "coverage" in [alert.kind for alert in alerts.alerts(found, left)]


def test_without_fred_the_index_is_volatility_and_etf_and_says_so() -> None:
    found = replay(generated(without=("fred.",)))
    last = len(found.days) - 1
    assert found.coverage[last] == pytest.approx(0.45)
    assert [module.name for m, module in enumerate(MODULES) if found.weight[last, m]] == ["volatility", "etf"]
    assert found.weight[last].sum() == pytest.approx(1)
    # The proxy for Treasuries is ranked and shown, never scored.
    move = [one.name for one in found.inputs].index("move")
    assert found.rank[last, move] > 0 and np.isnan(found.score[last, 2])
    assert np.isfinite(found.standing.percentile[last])


def test_one_module_alone_or_no_core_is_not_enough_data() -> None:
    observed, _full = whole()
    for names in (("volatility",), ("funding", "treasury"), ("funding", "etf")):
        assert np.isnan(replay(observed, modules=names).index).all()
    credit_and_treasury = replay(observed, modules=("credit", "treasury"))
    assert credit_and_treasury.coverage[-1] == pytest.approx(0.4)
    assert np.isfinite(credit_and_treasury.index[-1])


def test_an_observation_is_carried_five_rows_and_then_dropped() -> None:
    observed, full = whole()
    cut = observed["yahoo.^VIX"].until(full.day(3000))
    found = replay({**observed, "yahoo.^VIX": cut, "fred.VIXCLS": cut})
    vix = [one.name for one in found.inputs].index("vix")
    first = int(np.flatnonzero(found.as_of[:, vix] == found.as_of[3000, vix])[0])
    assert found.age[first : first + 7, vix].tolist() == [0, 1, 2, 3, 4, 5, 0]
    assert np.isnan(found.raw[first + 6, vix]) and np.isfinite(found.raw[first + 5, vix])
    # Without VIX there is no volatility module.
    assert np.isnan(found.score[first + 6, 3])
    stale = [alert.about for alert in alerts.alerts(found, first + 4) if alert.kind == "stale"]
    assert "vix" in stale
    assert "vix" in [alert.about for alert in alerts.alerts(found, first + 6) if alert.kind == "stale"]


def test_nothing_is_said_before_there_are_two_years() -> None:
    _observed, full = whole()
    for k, one in enumerate(full.inputs):
        known = np.flatnonzero(np.isfinite(full.raw[:, k]))
        ranked = np.flatnonzero(np.isfinite(full.rank[:, k]))
        if not one.anchored:
            assert ranked[0] == known[one.needs - 1]


def with_text(observed: dict[str, Observations], value: float) -> Replay:
    days = observed[CALENDAR].days
    values = np.where(np.arange(len(days)) % 2, value, -value)
    text = Observations(days[-200:], values[-200:])
    return replay({**observed, "text.news": text, "text.fed": text})


def test_text_is_a_tenth_at_most_and_never_moves_percentile_band_or_alert() -> None:
    for without in ((), ("fred.",)):
        observed = generated(without=without)
        plain, told = replay(observed), with_text(observed, 5.0)
        assert told.weight[-1, 5:].sum() == pytest.approx(0.1)
        assert told.market_only.tobytes() == plain.market_only.tobytes()
        for name in ("percentile", "band", "held"):
            assert getattr(told.standing, name).tobytes() == getattr(plain.standing, name).tobytes()
        assert told.index[-1] != plain.index[-1]
        rows = range(len(plain.days) - 60, len(plain.days))
        assert [alerts.alerts(told, row) for row in rows] == [alerts.alerts(plain, row) for row in rows]
        # Warming up: sixty values first.
        assert (told.weight[-200:-141, 5:] == 0).all() and told.weight[-141, 5] > 0


ranks = st.one_of(st.none(), st.floats(0, 1))


@given(st.lists(ranks, min_size=15, max_size=15))
@settings(max_examples=200, deadline=None)
def test_what_is_missing_is_reweighted_and_never_imputed(cells: list[float | None]) -> None:
    taken = tuple(
        one
        for one in inputs.INPUTS
        if not one.proxy and not one.anchored and one.module not in ("news", "fed")
    )
    rank = np.array([[np.nan if cell is None else cell for cell in cells]])
    score, valid = index._scores(taken, rank, index.ALL)
    weight, value, market_only, coverage, sets = index._weighed(score, valid)
    for m, module in enumerate(MARKET):
        own = [(one, cell) for one, cell in zip(taken, cells, strict=True) if one.module == module.name]
        fresh = [(one.weight, cell) for one, cell in own if cell is not None]
        share = sum(part for part, _cell in fresh) / sum(one.weight for one, _cell in own)
        expected = share > 0 if module.any_input else share >= 0.5
        if module.name == "volatility":
            expected = expected and any(one.name == "vix" and cell is not None for one, cell in own)
        assert valid[0, m] == expected
        if expected:
            mean = 100 * sum(v * cell for v, cell in fresh) / sum(v for v, _cell in fresh)
            assert score[0, m] == pytest.approx(mean)
    points = sum(module.weight for m, module in enumerate(MARKET) if valid[0, m])
    core = valid[0, 0] or valid[0, 3] or valid[0, 4]
    published = points >= 36 and valid[0, :5].sum() >= 2 and core
    assert np.isfinite(value[0]) == published == bool(sets[0])
    assert coverage[0] == pytest.approx(points / 90)
    if published:
        assert weight[0].sum() == pytest.approx(1)
        low, high = np.nanmin(score[0]), np.nanmax(score[0])
        assert low - 1e-9 <= value[0] <= high + 1e-9
        assert market_only[0] == pytest.approx(value[0])


def test_a_provisional_day_has_a_trial_band_and_is_no_close() -> None:
    observed, full = whole()
    trial = replay(observed, provisional_from=full.day(len(full.days) - 5))
    assert trial.standing.provisional.tolist()[-6:] == [False] + [True] * 5
    assert trial.market_only.tobytes() == full.market_only.tobytes()
    assert (trial.standing.held[-5:] == full.standing.held[-6]).all()
    assert bits(update(observed, trial)) == bits(full)
    assert bits(update(observed, full, provisional_from=full.day(len(full.days) - 5))) == bits(trial)


def test_blanks_are_missing_and_unordered_days_are_refused() -> None:
    monday = date(2020, 1, 6)
    one = Observations.of([(monday, 1.0), (monday + timedelta(1), None), (monday + timedelta(2), 2.0)])
    assert one.known().values.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="ascend"):
        Observations.of([(monday, 1.0), (monday, 2.0)])
    with pytest.raises(KeyError):
        replay({})


def test_only_what_was_seen_by_then_is_known_then() -> None:
    noon = datetime(2020, 1, 6, 12, tzinfo=UTC)
    one = Observations.of([(noon.date(), 1.0, noon), (noon.date() + timedelta(1), 2.0, noon + timedelta(2))])
    assert one.seen_by(noon).values.tolist() == [1.0]
    assert one.seen_by(noon + timedelta(3)).values.tolist() == [1.0, 2.0]


def test_the_real_history_gives_an_alert_where_the_headline_is_quiet() -> None:
    found = replay(history())
    for day, kind in ((date(2018, 2, 2), "rise"), (date(2019, 9, 17), "isolated")):
        row = found.row(day)
        assert found.standing.percentile[row] < 60
        assert kind in [alert.kind for alert in alerts.alerts(found, row)]
    with pytest.raises(KeyError):
        found.row(date(2018, 2, 3))


def test_a_replay_says_what_its_days_are() -> None:
    _observed, full = whole()
    assert full.row(full.day(1234)) == 1234
    assert replace(full, modules=()).modules == ()
