"""The export: what it holds, that it is replaced as a whole, and that nothing in it can become a script."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pages._view import tables
from storage import db, export, landing, merge, read
from storage.db import StoreError
from storage.settings import Settings, load
from storage.tables import CRYPTO_PRICE
from tests import child

TODAY = date(2026, 11, 22)
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def store(home: Path) -> Settings:
    settings = load()
    db.migrate(settings)
    landing.prepare(settings)
    return settings


def put(settings: Settings, run_id: str, rows: list[dict[str, Any]], at: datetime) -> None:
    blank = dict.fromkeys(name for name, _ in CRYPTO_PRICE.columns)
    own = {"source": "test", "run_id": run_id, "observed_at": at, "provisional": False}
    batch = landing.land(
        settings,
        CRYPTO_PRICE,
        [{**blank, **own, **row} for row in rows],
        run_id=run_id,
        step="test",
        source="test",
        observed_at=at,
    )
    with db.writer(settings) as connection:
        merge.merge(connection, batch, at)


def coin(name: str, rank: int | None, day: date, price: float | None = 1.0) -> dict[str, Any]:
    return {"coin": name, "symbol": name, "name": name, "rank": rank, "date": day, "price": price}


def built(settings: Settings) -> dict[str, Any]:
    return export.build(settings, "run", [{"name": "Test", "url": "https://example.org"}], {})


def test_after_midnight_a_coin_still_dated_by_the_day_before_is_there_and_one_that_left_is_not(
    store: Settings,
) -> None:
    night = datetime(2026, 11, 22, 2, tzinfo=UTC)
    put(
        store,
        "r1",
        [coin("a", 1, YESTERDAY), coin("slow", 2, YESTERDAY), coin("left", 3, YESTERDAY)],
        night - timedelta(hours=5),
    )
    put(
        store, "r2", [coin("a", 1, TODAY, 2.0), coin("slow", 2, YESTERDAY, 2.0), coin("new", 3, TODAY)], night
    )
    coins = built(store)["coins"]
    assert [(one["coin"], one["date"]) for one in coins] == [
        ("a", "2026-11-22"),
        ("slow", "2026-11-21"),
        ("new", "2026-11-22"),
    ]
    shown = tables.top_coins(read.frames(store).prices)
    assert shown["coin"].tolist() == [one["coin"] for one in coins]
    assert shown["price"].tolist() == [one["price"] for one in coins] == [2.0, 2.0, 1.0]


def test_a_coin_below_rank_20_and_days_older_than_a_year_stay_out(store: Settings) -> None:
    days = [TODAY - timedelta(days=n) for n in range(400)]
    rows = [coin("a", 20, day, float(n)) for n, day in enumerate(days)]
    put(store, "r1", [*rows, coin("b", 21, TODAY)], datetime(2026, 11, 22, 21, tzinfo=UTC))
    (only,) = built(store)["coins"]
    assert only["coin"] == "a" and len(only["history"]) == 365
    assert only["history"][-1] == ["2026-11-22", 0.0] and only["history"][0] == ["2025-11-23", 364.0]


def test_what_is_not_a_number_is_null_and_markup_cannot_end_the_script(store: Settings) -> None:
    rows = [coin("</script><script>alert(1)</script>", 1, TODAY, None)]
    put(store, "r1", rows, datetime(2026, 11, 22, 21, tzinfo=UTC))
    whole = built(store)
    whole["metrics"] = export._walk([{"date": TODAY, "total_tvl": float("nan")}])
    export.write(store, whole)
    folder = export.folder(store)
    kept = json.loads((folder / "crypto_trends.json").read_text())
    assert kept == json.loads(json.dumps(whole, allow_nan=False))
    assert kept["coins"][0]["price"] is None and kept["metrics"][0]["total_tvl"] is None
    script = (folder / "crypto_trends.js").read_text()
    assert "<" not in script and script.isascii()
    assert json.loads(script.removeprefix("window.CRYPTO_TRENDS = ").removesuffix(";\n")) == kept


def test_the_page_and_plotly_lie_beside_the_data_and_are_copied_only_when_they_change(
    store: Settings,
) -> None:
    export.write(store, {"schema": 1})
    folder = export.folder(store)
    names = {file.name for file in folder.iterdir()}
    assert names == {"crypto_trends.html", "crypto_trends.js", "crypto_trends.json", "plotly.min.js"}
    before = (folder / "plotly.min.js").stat().st_mtime_ns
    (folder / "crypto_trends.html").write_text("old")
    export.write(store, {"schema": 1})
    assert (folder / "plotly.min.js").stat().st_mtime_ns == before
    assert "<html" in (folder / "crypto_trends.html").read_text(encoding="utf-8")


def test_without_plotly_the_export_is_whole(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    export.write(store, {"schema": 1})
    names = {file.name for file in export.folder(store).iterdir()}
    assert names == {"crypto_trends.html", "crypto_trends.js", "crypto_trends.json"}


@pytest.mark.parametrize(
    ("error", "code"), [(OSError(28, "No space"), "full"), (PermissionError(13, "no"), "busy")]
)
def test_a_failed_export_leaves_the_last_good_one(
    store: Settings, monkeypatch: pytest.MonkeyPatch, error: OSError, code: str
) -> None:
    export.write(store, {"schema": 1, "run_id": "good"})

    def refuse(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(export.os, "replace", refuse)
    monkeypatch.setattr(export, "_PAUSE_S", 0.0)
    with pytest.raises(StoreError) as told:
        export.write(store, {"schema": 1, "run_id": "bad"})
    assert told.value.code == code
    folder = export.folder(store)
    assert json.loads((folder / "crypto_trends.json").read_text())["run_id"] == "good"
    assert list(folder.glob("*.part")) == []


EXPORTING = """
import sys, time
sys.path.insert(0, ".")
from storage import export
from storage.settings import load
settings = load()
whole = {"run_id": sys.argv[1], "filling": sys.argv[1] * 300_000}
until = time.monotonic() + 2
while time.monotonic() < until:
    export.write(settings, whole)
"""


def test_two_exports_at_once_are_one_after_the_other(store: Settings) -> None:
    export.write(store, {"run_id": "before"})
    folder = export.folder(store)
    writers = [child.python(EXPORTING, name) for name in ("one", "two")]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        seen.add(json.loads((folder / "crypto_trends.json").read_bytes())["run_id"])
    assert [(done.code, done.err) for done in map(child.ended, writers)] == [(0, ""), (0, "")]
    assert {"one", "two"} <= seen
    script = (folder / "crypto_trends.js").read_text().removeprefix("window.CRYPTO_TRENDS = ")
    assert json.loads(script.removesuffix(";\n")) == json.loads((folder / "crypto_trends.json").read_bytes())
    assert child.halves() == []


def test_the_half_of_a_killed_export_is_swept_by_the_next(store: Settings) -> None:
    folder = export.folder(store)
    folder.mkdir(parents=True)
    (folder / "crypto_trends.json.4711-abcdef.part").write_text("{")
    (folder / "crypto_trends.js.part").write_text("{")
    export.write(store, {"schema": 1})
    assert child.halves() == []
