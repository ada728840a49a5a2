"""Who goes before whom: `--after`, a run of one source, and the log that every run has of its own."""

import itertools
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors import order
from storage import clock, journal, ledger
from storage.settings import load
from tests import child
from tests.upstream import FakeUpstream, Fault

# 06:40 in Seoul, ten minutes after the slot of news and forty after that of the others.
NOW = datetime(2026, 11, 24, 21, 40, tzinfo=UTC)


@pytest.fixture
def at(home: Path, monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return NOW


def ended(pipelines: list[str], state: str, at: datetime, reason: str | None = None) -> str:
    """A run that ended at that instant."""
    settings = load()
    run_id = ledger.new_run_id(at)
    ledger.reserve(settings, run_id, pipelines, "schedule")
    ledger.finish(settings, run_id, state, 0, dict.fromkeys(pipelines, state), reason)
    with ledger.connect(settings) as connection:
        connection.execute("UPDATE run SET finished_at=? WHERE run_id=?", (clock.stamp(at), run_id))
    connection.close()
    return run_id


@pytest.mark.parametrize(
    ("pipeline", "now", "due"),
    [
        ("liquidity", "2026-11-24T21:40Z", "2026-11-24T21:00Z"),
        ("news", "2026-11-24T21:40Z", "2026-11-24T21:30Z"),
        # Before six in the morning the slot of this day has not come: nothing of yesterday counts.
        ("liquidity", "2026-11-24T20:00Z", "2026-11-24T21:00Z"),
        # The same day in Seoul, an evening later.
        ("liquidity", "2026-11-25T14:59Z", "2026-11-24T21:00Z"),
        ("liquidity", "2026-11-25T15:01Z", "2026-11-25T21:00Z"),
    ],
)
def test_the_scheduled_time_of_today_is_that_of_the_zone(
    home: Path, pipeline: str, now: str, due: str
) -> None:
    found = order.due_today(load(), pipeline, datetime.fromisoformat(now))
    assert found == datetime.fromisoformat(due)


@pytest.mark.parametrize(
    ("state", "minutes", "reason", "counts"),
    [
        ("ok", 5, None, True),
        ("partial", 5, None, True),
        ("failed", 5, None, True),
        ("skipped", 5, "fresh", True),
        ("skipped", 5, "busy", False),
        ("cancelled", 5, None, False),
        ("interrupted", 5, None, False),
        ("ok", 0, None, True),
        # Ended before the slot came.
        ("ok", -1, None, False),
    ],
)
def test_what_has_ended_since_its_time_need_not_run_again(
    at: datetime, state: str, minutes: int, reason: str | None, counts: bool
) -> None:
    ended(["liquidity", "crypto"], state, NOW - timedelta(minutes=40) + timedelta(minutes=minutes), reason)
    missing = [] if counts else ["liquidity", "crypto"]
    assert order.missing(load(), ["liquidity", "crypto"]) == missing


def test_what_nobody_ran_is_run_here_first_in_the_fixed_order(at: datetime) -> None:
    settings = load()
    ended(["crypto"], "ok", NOW - timedelta(minutes=5))
    got = order.reserved(
        settings, ledger.new_run_id(NOW), ["crypto"], ["liquidity", "crypto"], "schedule", None, 0
    )
    assert got == ("liquidity", "crypto")


def test_who_waits_looks_again_when_its_turn_comes(at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load()
    other = ledger.new_run_id(NOW)
    ledger.reserve(settings, other, ["liquidity"], "schedule")
    naps = iter(range(100))

    def other_ends(_seconds: float) -> None:
        if next(naps) == 3:
            ledger.finish(settings, other, "ok", 0, {"liquidity": "ok"})

    monkeypatch.setattr(time, "sleep", other_ends)
    got = order.reserved(settings, ledger.new_run_id(NOW), ["crypto"], ["liquidity"], "schedule", None, 60)
    assert got == ("crypto",)


def test_a_wait_in_vain_gives_up(at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load()
    ledger.reserve(settings, ledger.new_run_id(NOW), ["liquidity"], "schedule")
    beats = iter(range(0, 10_000, 5))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(beats)))
    assert order.reserved(settings, ledger.new_run_id(NOW), ["crypto"], [], "schedule", None, 30) is None


# ---------------------------------------------------------------- as processes


def test_both_scheduled_starts_in_one_second_still_run_in_order(home: Path) -> None:
    with FakeUpstream(clock=child.lately()) as up:
        up.fault("yahoo", "*", Fault.status(404))
        words = ("--trigger", "schedule", "--wait", "60", "--force")
        late = child.start(up, "crypto", "--after", "liquidity", *words, FRED_API_KEY="")
        early = child.start(up, "liquidity", *words, FRED_API_KEY="")
        done = [child.ended(one) for one in (early, late)]
    assert {one.code for one in done} <= {0, 1}
    runs = sorted(
        (run for run in ledger.runs(load()) if run.started_at), key=lambda run: run.started_at or NOW
    )
    order_of = [name for run in runs for name in run.pipelines]
    assert order_of.index("liquidity") < order_of.index("crypto")
    for before, after in itertools.pairwise(runs):
        assert before.finished_at is not None and after.started_at is not None
        assert before.finished_at <= after.started_at


def test_a_run_of_one_source_asks_for_nothing_else_and_an_unknown_one_is_refused(home: Path) -> None:
    with FakeUpstream() as up:
        done = child.collect(up, "crypto", "--source", "defillama.total_tvl")
        # The total, and the chains that it is checked against.
        assert (done.code, up.count("defillama"), up.count("coingecko")) == (0, 2, 0)
        assert set(done.steps) == {"defillama.total_tvl", "export"}
        refused = child.collect(up, "crypto", "--source", "nobody.knows")
    assert (refused.code, refused.err) == (2, "collect.py: There is no source nobody.knows.\n")


def test_every_run_has_a_log_of_its_own_without_a_secret(home: Path) -> None:
    with FakeUpstream(demo_key=child.CANARY) as up:
        up.fault("defillama", "*", Fault.status(404))
        done = child.collect(up, "crypto")
    assert done.finished is not None
    text = journal.run_log(load(), done.finished["run_id"])
    assert "[START] run" in text and "[OK] coingecko.markets" in text and "[FAIL] defillama.total_tvl" in text
    assert child.CANARY not in text
    assert journal.run_log(load(), "../../ledger") == "" == journal.run_log(load(), "20260101-000000-abcdef")


def test_of_runs_long_past_the_logs_are_forgotten(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load()
    monkeypatch.setattr(journal, "RUNS", 3)
    folder = settings.home / "logs" / "runs"
    folder.mkdir(parents=True)
    for n in range(20):
        (folder / f"202601{n + 1:02}-000000-abcdef.log").write_text("x")
    journal.open_log(settings)
    journal.open_run_log(settings, "20260201-000000-abcdef")
    left = sorted(file.name for file in folder.iterdir())
    assert len(left) == 6 and left[-1].startswith("20260201")
    journal.open_log(settings)
