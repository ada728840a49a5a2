"""A source that succeeds and never moves: when it counts as frozen, and where that is said."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors import freshness
from collectors.freshness import GRACE, is_frozen
from collectors.model import Source
from collectors.registry import PIPELINES, SOURCES
from storage import clock, ledger
from storage.ledger import StepRecord
from storage.ledger_movement import Movement, movements
from storage.records import Counts
from storage.settings import Settings, load

# A Wednesday; the Thursday after it is Thanksgiving.
NOW = datetime(2026, 11, 25, 21, 0, tzinfo=UTC)
MOVING = [source for source in SOURCES.values() if source.rows[0]]
SILENT = [source for source in SOURCES.values() if not source.rows[0]]


def second(source: Source, moved: datetime) -> datetime:
    """When the second day after what was known is out, and those that may have no value."""
    rhythm = source.rhythm
    day = rhythm.newest(moved)
    for _n in range(2 + source.pauses):
        day = rhythm.following(day)
    return rhythm.out(day)


@pytest.mark.parametrize("source", MOVING, ids=lambda source: source.name)
def test_a_source_is_frozen_an_hour_after_the_second_day_that_it_missed(source: Source) -> None:
    limit = second(source, NOW) + GRACE
    assert not is_frozen(source, Movement(NOW, limit - timedelta(seconds=1)))
    assert is_frozen(source, Movement(NOW, limit))
    # It takes a success: of one that fails or was not asked nobody knows whether it moved.
    assert not is_frozen(source, Movement(NOW, NOW + timedelta(minutes=1)))
    assert not is_frozen(source, None)


@pytest.mark.parametrize("source", SILENT, ids=lambda source: source.name)
def test_one_that_may_bring_nothing_is_never_frozen(source: Source) -> None:
    assert not is_frozen(source, Movement(NOW, NOW + timedelta(days=50)))


@pytest.mark.parametrize(
    ("name", "moved", "asked", "frozen"),
    [
        # Closed on Thanksgiving and at the weekend: Friday's and Monday's closes are the two.
        ("yahoo.SPY", "2026-11-25 22:00Z", "2026-11-30 20:00Z", False),
        ("yahoo.SPY", "2026-11-25 22:00Z", "2026-11-30 23:00Z", True),
        # Crypto knows no weekend.
        ("coingecko.markets", "2026-11-27 21:00Z", "2026-11-28 21:00Z", False),
        ("coingecko.markets", "2026-11-27 21:00Z", "2026-11-29 21:00Z", True),
        ("alternative_me.fear_greed", "2026-11-27 21:00Z", "2026-11-29 21:00Z", True),
        # Weekly: on Thursday after the close of Washington, of the Wednesday before it.
        ("fred.WALCL", "2026-11-19 22:00Z", "2026-11-27 22:00Z", False),
        ("fred.WALCL", "2026-11-19 22:00Z", "2026-12-04 22:00Z", True),
    ],
)
def test_the_calendar_of_the_source_counts(name: str, moved: str, asked: str, frozen: bool) -> None:
    seen = Movement(datetime.fromisoformat(moved), datetime.fromisoformat(asked))
    assert is_frozen(SOURCES[name], seen) is frozen


def ran(settings: Settings, at: datetime, monkeypatch: pytest.MonkeyPatch, **given: Any) -> None:
    """A run at that instant whose one step was fear_greed's."""
    monkeypatch.setattr(clock, "now", lambda: at)
    run_id = ledger.new_run_id(at)
    ledger.reserve(settings, run_id, ["crypto"], "schedule")
    ledger.claim(settings, run_id, 1)
    name = "alternative_me.fear_greed"
    step = StepRecord(run_id, 1, name, "crypto", source=name, started_at=at, finished_at=at, **given)
    ledger.step_finished(settings, step)
    ledger.finish(settings, run_id, "ok", 0, {"crypto": "ok"})


def test_the_ledger_tells_when_a_source_moved_last(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load()
    assert movements(settings, NOW) == {}
    days = [NOW + timedelta(days=n) for n in range(5)]
    ran(settings, days[0], monkeypatch, state="ok", counts=Counts(fetched=2, inserted=1, unchanged=1))
    ran(settings, days[1], monkeypatch, state="ok", counts=Counts(fetched=1, updated=1))
    ran(settings, days[2], monkeypatch, state="failed", kind="unavailable", code="timeout")
    ran(settings, days[3], monkeypatch, state="ok", counts=Counts(fetched=1, unchanged=1))
    ran(settings, days[4], monkeypatch, state="failed", kind="unavailable", code="timeout")
    found = movements(settings, days[4])["alternative_me.fear_greed"]
    assert (found.moved_at, found.ok_at) == (days[1], days[3])
    # Of what is longer ago nothing is known, and nothing is claimed.
    assert movements(settings, days[4] + timedelta(days=70)) == {}


def test_status_says_frozen_of_the_source_and_of_no_other(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load()
    ran(settings, NOW, monkeypatch, state="ok", counts=Counts(fetched=1, inserted=1))
    for n in (1, 2, 3):
        at = NOW + timedelta(days=n)
        ran(settings, at, monkeypatch, state="ok", counts=Counts(fetched=1, unchanged=1))
    monkeypatch.setattr(freshness.read, "stored", lambda *_given: freshness.read.Stored(
        {"alternative_me.fear_greed_index": NOW.date()}
    ))  # fmt: skip
    said = freshness.status_json(settings, freshness.status(settings))
    frozen = [
        one["source"] for name in PIPELINES for one in said["pipelines"][name]["sources"] if one["frozen"]
    ]
    assert frozen == ["alternative_me.fear_greed"]
