"""The stress tables in a real store: written once, corrected, kept apart; vintages in one line."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from storage import db, kept, landing, merge, read_liquidity, schema, stress
from storage.settings import Settings, load
from storage.tables import (
    FED_SPEECH,
    NEWS_ITEM,
    OBSERVATION,
    STRESS_INDEX,
    STRESS_REPLAY,
    Table,
)

AT = datetime(2026, 11, 24, 7, tzinfo=UTC)
DAY = date(2026, 11, 23)


@pytest.fixture
def settings(home: Path) -> Iterator[Settings]:
    made = load()
    landing.prepare(made)
    db.migrate(made)
    yield made


def keep(
    settings: Settings,
    table: Table,
    rows: list[dict[str, Any]],
    at: datetime = AT,
    run: str = "r1",
    **named: Any,
) -> merge.MergeCount:
    whole = [
        {"source": "test", "run_id": run, "observed_at": at, "provisional": False, **row} for row in rows
    ]
    landed = landing.land(
        settings, table, whole, run_id=run, step=table.name, source="test", observed_at=at, **named
    )
    with db.writer(settings, 5) as connection:
        return merge.merge(connection, landed, at)


def asked(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with db.reader(settings, 5) as connection:
        return connection.execute(query).fetchall()


def index_row(index: float, percentile: float, seen: datetime) -> dict[str, Any]:
    return {
        "date": DAY, "index": index, "index_market_only": index, "percentile": percentile, "band": "Calm",
        "coverage": 1.0, "set_label": "full", "move": 0.5, "coverage_effect": 0.0, "alerts": "[]",
        "weights_version": "1", "lexicon_version": "1",
        "first_index": index, "first_percentile": percentile, "first_seen": seen.isoformat(),
    }  # fmt: skip


def test_what_was_first_published_is_written_once_and_values_between_are_kept(settings: Settings) -> None:
    keep(settings, STRESS_INDEX, [index_row(41.0, 55.0, AT)])
    later = [AT + timedelta(days=n) for n in (1, 2)]
    keep(settings, STRESS_INDEX, [index_row(42.5, 57.0, later[0])], later[0], "r2")
    count = keep(settings, STRESS_INDEX, [index_row(43.0, 58.0, later[1])], later[1], "r3")
    assert (count.inserted, count.updated) == (0, 1)
    assert asked(
        settings, 'SELECT "index", percentile, first_index, first_percentile, first_seen FROM stress_index'
    ) == [(43.0, 58.0, 41.0, 55.0, AT)]
    between = asked(settings, "SELECT replaced FROM revision ORDER BY known_at")
    assert [json.loads(row[0])["index"] for row in between] == [41.0, 42.5]
    assert all("first_index" not in row[0] for row in between)


def test_publishing_the_same_again_changes_nothing(settings: Settings) -> None:
    keep(settings, STRESS_INDEX, [index_row(41.0, 55.0, AT)])
    later = AT + timedelta(hours=1)
    count = keep(settings, STRESS_INDEX, [index_row(41.0, 55.0, later)], later, "r2")
    assert (count.inserted, count.updated, count.unchanged) == (0, 0, 1)
    assert asked(settings, "SELECT first_seen, run_id FROM stress_index") == [(AT, "r1")]
    assert asked(settings, "SELECT * FROM revision") == []


def vintage(*values: float) -> list[dict[str, Any]]:
    return [
        {"series": "fred.NFCI", "date": date(2026, 10, 2) + timedelta(weeks=n), "value": value, "note": None}
        for n, value in enumerate(values)
    ]


def test_a_series_that_restates_its_past_keeps_one_line_a_vintage(settings: Settings) -> None:
    keep(settings, OBSERVATION, vintage(-0.5, -0.4, -0.3), restates=True)
    second, third = AT + timedelta(days=7), AT + timedelta(days=14)
    count = keep(settings, OBSERVATION, vintage(-0.51, -0.4, -0.33, -0.2), second, "r2", restates=True)
    assert (count.inserted, count.updated, count.unchanged) == (1, 2, 1)
    keep(settings, OBSERVATION, vintage(-0.51, -0.4, -0.33, -0.2), third, "r3", restates=True)
    ((key, known_at, replaced),) = asked(settings, "SELECT key, known_at, replaced FROM revision")
    assert json.loads(key)["series"] == "fred.NFCI"
    assert known_at == second
    said = json.loads(replaced)
    assert (said["changed"], said["first"], said["last"]) == (2, "2026-10-02", "2026-10-16")
    assert said["largest"] == pytest.approx(0.03)
    assert [row[0] for row in asked(settings, "SELECT value FROM observation ORDER BY date")] == [
        -0.51,
        -0.4,
        -0.33,
        -0.2,
    ]


def test_an_older_vintage_that_comes_late_changes_nothing(settings: Settings) -> None:
    keep(settings, OBSERVATION, vintage(-0.5, -0.4), AT, "r2", restates=True)
    count = keep(settings, OBSERVATION, vintage(-0.7, -0.4), AT - timedelta(days=7), "r1", restates=True)
    assert (count.inserted, count.updated, count.unchanged) == (0, 0, 2)
    assert [row[0] for row in asked(settings, "SELECT value FROM observation ORDER BY date")] == [-0.5, -0.4]
    assert asked(settings, "SELECT * FROM revision") == []


def test_a_landed_vintage_is_still_one_when_it_is_replayed(settings: Settings) -> None:
    keep(settings, OBSERVATION, vintage(-0.5, -0.4), restates=True)
    at = AT + timedelta(days=7)
    whole = [
        {"source": "test", "run_id": "r2", "observed_at": at, "provisional": False, **row}
        for row in vintage(-0.6, -0.3)
    ]
    landing.land(
        settings,
        OBSERVATION,
        whole,
        run_id="r2",
        step="fred.NFCI",
        source="test",
        observed_at=at,
        restates=True,
    )
    (waiting,) = landing.waiting(settings, {("r1", "observation")})
    assert waiting.restates
    with db.writer(settings, 5) as connection:
        merge.merge(connection, waiting, at)
    assert len(asked(settings, "SELECT * FROM revision")) == 1


def test_headlines_and_speeches_are_kept_by_their_identity(settings: Settings) -> None:
    item = {
        "id": "a", "published_at": AT, "feed": "wire", "title": "Repo market calm", "link": "https://x.example/1",
        "topics": "funding", "tone": 0.0,
    }  # fmt: skip
    keep(settings, NEWS_ITEM, [item, {**item, "id": "b"}])
    # Without a date of its own it is of another minute every time: the first one stays.
    later = AT + timedelta(hours=3)
    count = keep(settings, NEWS_ITEM, [{**item, "published_at": later}], later, "r2")
    assert (count.inserted, count.updated, count.unchanged) == (0, 0, 1)
    count = keep(settings, NEWS_ITEM, [{**item, "title": "Repo market: calm"}], later, "r3")
    assert count.updated == 1
    assert asked(settings, "SELECT published_at, title FROM news_item WHERE id = 'a'") == [
        (AT, "Repo market: calm")
    ]
    speech = {
        "id": "s", "published_at": AT, "feed": "speeches", "speaker": "A", "title": "T", "link": "https://x.example",
        "text": "words " * 200, "tone": 0.5, "stance": None, "words": 200, "lexicon_version": "1",
    }  # fmt: skip
    keep(settings, FED_SPEECH, [speech])
    with db.reader(settings, 5) as connection:
        stored = stress.observed(connection, ["fred."])
        assert [row[5] for row in stored.speeches] == ["s"]
        assert set(stress.speech_texts(connection, "2")) == {"s"}
        assert stress.speech_texts(connection, "1") == {}


def history(*rows: tuple[int, float, float]) -> dict[str, Any]:
    """Columns of stress_replay; (day, index, percentile), NaN for none."""
    n = len(rows)
    words = np.array(["Calm"] * n, dtype=object)
    return {
        "date": np.array([DAY.toordinal() + row[0] for row in rows]),
        "index": np.array([row[1] for row in rows]),
        "index_market_only": np.array([row[1] for row in rows]),
        "percentile": np.array([row[2] for row in rows]),
        "band": np.array(["" if row[2] != row[2] else "Calm" for row in rows], dtype=object),
        "coverage": np.ones(n), "set_label": words, "move": np.zeros(n), "coverage_effect": np.zeros(n),
        "alerts": np.array(["[]"] * n, dtype=object), "weights_version": words, "lexicon_version": words,
    }  # fmt: skip


def test_the_history_is_replaced_where_it_differs_and_only_there(settings: Settings) -> None:
    def write(run: str, columns: dict[str, Any]) -> int:
        provenance = {"source": "stress_index", "run_id": run, "observed_at": AT, "provisional": False}
        with db.writer(settings, 5) as connection:
            return stress.keep_history(connection, STRESS_REPLAY, columns, provenance)

    nan = float("nan")
    assert write("r1", history((0, 40.0, nan), (1, 41.0, 50.0), (2, 42.0, 51.0))) == 3
    assert write("r2", history((0, 40.0, nan), (1, 41.5, 50.0), (3, 43.0, 52.0))) == 2
    rows = asked(settings, 'SELECT date, "index", percentile, band, run_id FROM stress_replay ORDER BY date')
    assert rows == [
        (DAY, 40.0, None, None, "r1"),
        (DAY + timedelta(days=1), 41.5, 50.0, "Calm", "r2"),
        (DAY + timedelta(days=3), 43.0, 52.0, "Calm", "r2"),
    ]
    assert write("r3", history((0, 40.0, nan), (1, 41.5, 50.0), (3, 43.0, 52.0))) == 0


def test_a_store_of_the_first_version_gets_the_new_tables_and_keeps_its_rows(home: Path) -> None:
    settings = load()
    landing.prepare(settings)
    db.migrate(settings)
    keep(settings, OBSERVATION, vintage(-0.5))
    new = ("news_item", "fed_speech", "stress_index", "stress_module", "stress_input")
    replayed = ("stress_replay", "stress_replay_module", "stress_replay_input")
    with db.writer(settings, 5) as connection:
        for name in (*new, *replayed):
            connection.execute(f"DROP TABLE {name}")
        connection.execute("UPDATE meta SET schema_version = 1")
    # Nobody has opened it with this version yet: readers do not fail on what is not there.
    found = read_liquidity.liquidity(settings)
    assert found.empty and found.problem is None
    db.migrate(settings)
    with db.reader(settings, 5) as connection:
        assert schema.found(connection) == (schema.SCHEMA_VERSION, False)
        assert connection.execute("SELECT value FROM observation").fetchall() == [(-0.5,)]
        for name in (*new, *replayed):
            assert connection.execute(f"SELECT count(*) FROM {name}").fetchone() == (0,)


def test_the_page_reads_published_days_before_computed_ones(settings: Settings) -> None:
    keep(settings, STRESS_INDEX, [index_row(41.0, 55.0, AT)])
    provenance = {"source": "stress_index", "run_id": "r1", "observed_at": AT, "provisional": False}
    with db.writer(settings, 5) as connection:
        columns = history((-1, 40.0, 50.0), (0, 99.0, 99.0))
        stress.keep_history(connection, STRESS_REPLAY, columns, provenance)
    read_liquidity._kept.clear()
    days = read_liquidity.liquidity(settings).days
    assert days["index"].tolist() == [40.0, 41.0]
    assert days["published"].tolist() == [False, True]
    assert days["alerts"].tolist() == [[], []]


def test_while_the_store_is_locked_the_last_good_frames_serve(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(settings, STRESS_INDEX, [index_row(41.0, 55.0, AT)])
    read_liquidity._kept.clear()
    assert len(read_liquidity.liquidity(settings).days) == 1

    def busy(*_unused: Any, **_named: Any) -> Any:
        raise db.StoreBusy("busy", "busy")

    monkeypatch.setattr(kept.ledger, "merge_mark", lambda _settings: "another")
    monkeypatch.setattr(read_liquidity.db, "reader", busy)
    found = read_liquidity.liquidity(settings)
    assert found.problem is not None and found.problem.code == "busy"
    assert len(found.days) == 1


def test_the_queries_of_the_page_hold_for_a_store_without_a_row(settings: Settings) -> None:
    read_liquidity._kept.clear()
    found = read_liquidity.liquidity(settings)
    assert found.empty and found.problem is None
    assert set(read_liquidity.nothing().days.columns) == set(found.days.columns)
    for name in ("modules", "inputs", "recent", "heat", "shown"):
        assert set(getattr(read_liquidity.nothing(), name).columns) <= set(getattr(found, name).columns), name
