"""Mornings with a turned clock: the minutes at which every source becomes due and late; 06:00 in Seoul in
winter and summer, in any zone of the machine, on 29 February, after a suspend of an hour and of six days."""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import collect
from collectors import freshness
from collectors.model import Source
from collectors.registry import PIPELINES
from storage import clock
from storage.settings import Settings, load
from storage.tables import OBSERVATION
from tests.upstream import FakeUpstream

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# In winter, in summer, on a leap day, around both changes of New York's clock, at a year's end.
MORNINGS = ("2026-01-14", "2026-07-15", "2028-02-29", "2026-03-09", "2026-11-02", "2027-01-01")
EVERY = [(pipeline, source) for pipeline, sources in PIPELINES.items() for source in sources]


def six(day: str) -> datetime:
    """06:00 in Seoul of that day."""
    return datetime.fromisoformat(f"{day}T06:00:00+09:00").astimezone(UTC)


def word(settings: Settings, pipeline: str, source: Source, stored: date, at: datetime) -> str:
    names = [one.series for one in source.lasting] if source.table is OBSERVATION else [source.kept_as]
    return freshness.of_source(settings, pipeline, source, dict.fromkeys(names, stored), None, at).freshness


@pytest.mark.parametrize("morning", MORNINGS)
@pytest.mark.parametrize(("pipeline", "source"), EVERY, ids=[source.name for _name, source in EVERY])
def test_every_source_is_fresh_due_and_late_to_the_minute(
    home: Path, pipeline: str, source: Source, morning: str
) -> None:
    settings, rhythm = load(), source.rhythm
    stored = rhythm.newest(six(morning))
    # The next day that comes out and is not yet out: of several that come out together the first.
    out = rhythm.out(rhythm.following(stored))
    assert out > six(morning)
    slot = max(at for at, names in settings.slots if pipeline in names)
    local = out.astimezone(settings.zone)
    day = local.date() if local.time() < slot else local.date() + DAY
    late = datetime.combine(day, slot, settings.zone).astimezone(UTC) + timedelta(hours=1)
    assert word(settings, pipeline, source, stored, out - MINUTE) == "fresh"
    assert word(settings, pipeline, source, stored, out) == "due"
    assert word(settings, pipeline, source, stored, late - MINUTE) == "due"
    assert word(settings, pipeline, source, stored, late) == "late"
    newer = rhythm.newest(late)
    assert word(settings, pipeline, source, newer, late) == "fresh"


@pytest.fixture(params=["Asia/Seoul", "America/New_York", "Pacific/Kiritimati"])
def machine(request: pytest.FixtureRequest, home: Path) -> Iterator[str]:
    """The zone of the machine, which is nobody's business."""
    if not hasattr(time, "tzset"):
        pytest.skip("NO ZONE: this system cannot change it within a process")
    before = os.environ.get("TZ")
    os.environ["TZ"] = str(request.param)
    time.tzset()
    yield str(request.param)
    os.environ.pop("TZ", None) if before is None else os.environ.update(TZ=before)
    time.tzset()


class Desk:
    """One machine: a turned clock, a fake upstream, the command line in this process."""

    def __init__(self, up: FakeUpstream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
        self.up, self.capsys, self.at = up, capsys, clock.now()
        monkeypatch.setattr(clock, "now", lambda: self.at)
        os.environ.update(up.env(), COLLECTOR_PACE_S="0")

    def collect(self, at: datetime, *words: str) -> tuple[int, int]:
        """Exit code, and how many requests it took."""
        self.at = self.up.clock = at
        self.up.reset_counts()
        code = collect.main(["crypto", "--trigger", "schedule", *words])
        self.capsys.readouterr()
        return code, self.up.count()

    def crypto(self, at: datetime) -> dict[str, Any]:
        self.at = at
        assert collect.main(["status", "--json"]) == 0
        return dict(json.loads(self.capsys.readouterr().out)["pipelines"]["crypto"])


@pytest.fixture
def desk(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    with FakeUpstream() as up:
        yield Desk(up, monkeypatch, capsys)


@pytest.mark.parametrize("morning", MORNINGS)
def test_the_run_of_six_is_fresh_in_every_zone_of_the_machine(machine: str, desk: Desk, morning: str) -> None:
    at = six(morning)
    code, asked = desk.collect(at)
    assert code == 0 and asked > 0
    told = desk.crypto(at + MINUTE)
    # 06:00 in Seoul is 21:00 of the day before in UTC, which is the day of the rows.
    assert (told["freshness"], told["data_as_of"]) == ("fresh", (at.date()).isoformat())
    assert told["next_due"] == clock.stamp(at + DAY)
    # A scheduled start that finds all fresh asks nobody.
    assert desk.collect(at + 10 * MINUTE) == (0, 0)
    # 09:00 in Seoul: a new day (UTC), due until an hour after tomorrow's start.
    assert desk.crypto(at + timedelta(hours=3))["freshness"] == "due"
    assert desk.crypto(at + timedelta(hours=24, minutes=59))["freshness"] == "due"
    assert desk.crypto(at + timedelta(hours=25))["freshness"] == "late"


@pytest.mark.parametrize("away", [timedelta(hours=1), timedelta(days=6)])
def test_after_a_suspend_one_start_makes_up_for_all_of_it(desk: Desk, away: timedelta) -> None:
    at = six("2026-11-24")
    _code, usual = desk.collect(at)
    back = at + DAY + away
    code, asked = desk.collect(back)
    assert code == 0 and 0 < asked <= usual
    assert desk.crypto(back + MINUTE)["freshness"] == "fresh"
    # The other task starts with it, and finds everything done.
    assert desk.collect(back + MINUTE) == (0, 0)


def test_a_start_before_midnight_and_one_after_it_are_of_two_days(desk: Desk) -> None:
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    desk.collect(midnight - MINUTE)
    assert desk.crypto(midnight - MINUTE)["data_as_of"] == "2026-11-24"
    assert desk.crypto(midnight + timedelta(hours=3))["freshness"] == "due"
    code, asked = desk.collect(midnight + timedelta(hours=3))
    assert code == 0 and asked > 0
    assert desk.crypto(midnight + timedelta(hours=3))["data_as_of"] == "2026-11-25"
