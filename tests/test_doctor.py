"""`collect.py doctor`: of a home where all is well nothing is said; one thing that breaks turns its own line,
with what to do about it, and no other."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filelock import FileLock

from collectors.doctor import case, examine, history, locks, mounts, place, program, scheduler
from collectors.doctor.finding import Finding
from collectors.doctor.words import parted, size, span
from collectors.registry import PIPELINES, UPSTREAMS
from collectors.retry import ahead_s
from collectors.schedule import results, state
from collectors.schedule.drift import ARGUMENTS, Drift
from collectors.schedule.state import State, TaskState
from collectors.schedule.system import NoAnswer
from storage import clock, ledger
from storage.ledger_health import Day
from storage.settings import ROOT, load
from storage.texts import speaking
from tests import child
from tests.upstream import FRED_KEY, FakeUpstream, Fault

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who holds a lock")
HERE = [
    *("interpreter", "packages", "settings", "keys", "time_zone", "home", "synced_folder", "file_system"),
    *("disk", "ledger", "run", "week.liquidity", "week.crypto", "week.news", "store", "receipts", "landing"),
    *("quarantine", "gaps", "export", "scheduler", "console"),
]
CHECKS = [*HERE, *(f"upstream.{name}" for name in UPSTREAMS), "clock"]
TASK = TaskState("0600 crypto", clock_time(6), ("crypto",), (), wanted=True, installed=True, enabled=True)
GB = 1_000_000_000


@pytest.fixture(scope="module")
def market() -> Iterator[FakeUpstream]:
    with FakeUpstream(demo_key=child.CANARY) as fake:
        yield fake


@pytest.fixture(scope="module")
def collected(market: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which crypto and news were collected once."""
    folder = tmp_path_factory.mktemp("collected") / "home"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLECTOR_")}
    more = {"COLLECTOR_HOME": str(folder), "COLLECTOR_PACE_S": "0", "COINGECKO_API_KEY": child.CANARY}
    subprocess.run(
        [sys.executable, str(ROOT / "collect.py"), "crypto", "news"],
        env={**kept, **market.env(), **more},
        check=True,
        capture_output=True,
        timeout=90,
    )
    return folder


@pytest.fixture
def up(market: FakeUpstream) -> Iterator[FakeUpstream]:
    market.reset_counts()
    yield market
    market.clear_faults()
    market.clock = None


@pytest.fixture
def well(home: Path, up: FakeUpstream, collected: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """That home as this test's own, every key set, the schedule installed, room on the disk."""
    shutil.copytree(collected, home)
    os.environ.update(up.env())
    os.environ.update(
        COLLECTOR_PACE_S="0",
        COLLECTOR_REQUEST_TIMEOUT_S="2",
        COLLECTOR_PORT=str(free_port()),
        COINGECKO_API_KEY=child.CANARY,
        FRED_API_KEY=FRED_KEY,
    )
    scheduled(monkeypatch)
    free(monkeypatch, 50 * GB)
    with speaking("en"):
        yield home


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def scheduled(monkeypatch: pytest.MonkeyPatch, *tasks: TaskState, problem: NoAnswer | None = None) -> None:
    """The operating system has these tasks."""
    found = State("systemd", tasks or (TASK,), problem=problem)
    monkeypatch.setattr(state, "state", lambda _settings, _within: found)


def free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """So much room is left on every disk."""
    usage = shutil._ntuple_diskusage(100 * GB, 100 * GB - count, count)  # type: ignore[attr-defined]
    monkeypatch.setattr(place.shutil, "disk_usage", lambda _folder: usage)


def looked(offline: bool = False) -> dict[str, Finding]:
    return {one.check: one for one in examine.examine(load(), offline=offline)}


def turned(found: dict[str, Finding]) -> dict[str, str]:
    """The lines that are not ok; each of them says what to do, and the others do not."""
    assert all((one.advice is None) == (one.state == "ok") for one in found.values())
    return {name: one.state for name, one in found.items() if one.state != "ok"}


def damage(file: Path) -> None:
    """Rubbish where SQLite or DuckDB expect their pages."""
    with file.open("r+b") as handle:
        handle.write(b"not a database at all" * 400)


# ---------------------------------------------------------------- all is well


def test_a_home_where_all_is_well_turns_no_line(well: Path) -> None:
    found = looked()
    assert turned(found) == {}
    assert list(found) == CHECKS
    assert " rows in " in found["store"].message and "agrees with" in found["clock"].message
    assert found["week.crypto"].message.startswith("· · · · · · ✓ from ")


def test_offline_no_upstream_is_asked_and_nothing_is_written(well: Path, up: FakeUpstream) -> None:
    def marks() -> dict[str, tuple[int, int]]:
        files = (file for file in well.rglob("*") if file.is_file() and not file.name.endswith("-shm"))
        return {str(file): (file.stat().st_size, file.stat().st_mtime_ns) for file in files}

    before, began = marks(), time.monotonic()
    found = looked(offline=True)
    assert time.monotonic() - began < 2
    assert list(found) == [*HERE, "upstreams", "clock"]
    assert (turned(found), up.requests, marks()) == ({}, [], before)


def test_each_upstream_is_asked_once_and_little(well: Path, up: FakeUpstream) -> None:
    looked()
    asked = sorted(seen.host for seen in up.requests)
    assert asked == sorted(
        ["alternative_me", "coingecko", "defillama", "fed", "feeds", "fred", "ofr", "yahoo"]
    )


def test_sentences_come_in_the_language_of_whoever_looks(well: Path) -> None:
    with speaking("ko"):
        assert "월" in looked(offline=True)["export"].message


# ---------------------------------------------------------------- one thing breaks


def test_without_a_key_of_fred_it_says_what_that_costs(well: Path, up: FakeUpstream) -> None:
    del os.environ["FRED_API_KEY"]
    found = looked()
    assert turned(found) == {"keys": "warn"}
    assert "23 series of FRED are skipped" in found["keys"].message
    assert "FRED_API_KEY=… into .env" in str(found["keys"].advice)
    assert found["upstream.fred"].message == "Not asked: FRED_API_KEY is not set."
    assert up.count("fred") == 0


def test_a_home_without_permission_is_told(well: Path) -> None:
    well.chmod(0o500)
    try:
        if os.access(well, os.W_OK):
            pytest.skip("NOT TRIED: whoever runs this may write everywhere")
        found = looked(offline=True)
    finally:
        well.chmod(0o700)
    assert turned(found) == {"home": "fail"}


def test_a_home_that_refuses_a_file_is_told(well: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(place, "_write_in", refused)
    found = looked()
    assert turned(found) == {"home": "fail"}
    assert found["home"].message == f"{well} cannot be written (Permission denied)."
    assert "COLLECTOR_HOME" in str(found["home"].advice)


def test_a_home_that_cannot_even_be_made_is_told(well: Path, up: FakeUpstream, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    os.environ["COLLECTOR_HOME"] = str(tmp_path / "file" / "home")
    found = looked()
    assert turned(found) == {"home": "fail"}
    assert "cannot be written" in found["upstream.ofr"].message and up.requests == []


@pytest.mark.parametrize(("left", "state"), [(500_000_000, "warn"), (50_000_000, "fail")])
def test_a_disk_that_fills_up_is_told(
    well: Path, monkeypatch: pytest.MonkeyPatch, left: int, state: str
) -> None:
    free(monkeypatch, left)
    found = looked(offline=True)
    assert turned(found) == {"disk": state}
    assert found["disk"].message.startswith(f"{left // 1_000_000} MB free")


HOLDING = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@linux
def test_a_lock_that_somebody_holds_without_a_run_is_told_with_its_process(well: Path) -> None:
    lock = ledger.lock_path(load(), "run")
    with child.python(HOLDING, str(lock)) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        found = looked(offline=True)
        other.kill()
    assert turned(found) == {"run": "warn"}
    assert f"end process {other.pid}" in str(found["run"].advice)
    assert locks.holder(lock) is None


@contextmanager
def run_on(state: str = "held") -> Iterator[str]:
    """A run of this process, which holds its lock unless it is `gone`."""
    settings = load()
    run_id = ledger.new_run_id(clock.now())
    with FileLock(ledger.lock_path(settings, run_id)):
        ledger.reserve(settings, run_id, ["crypto"], "schedule")
        ledger.claim(settings, run_id, os.getpid())
        if state == "held":
            yield run_id
    if state == "gone":
        yield run_id
    ledger.finish(settings, run_id, "ok", 0, {"crypto": "ok"})


def test_while_a_run_is_on_no_turn_of_it_is_taken(well: Path, up: FakeUpstream) -> None:
    with run_on() as run_id:
        found = looked()
        assert turned(found) == {}
        assert run_id in found["run"].message and "the scheduler" in found["run"].message
    assert up.requests == []


def test_a_run_past_its_deadline_is_told_with_its_process(well: Path) -> None:
    with run_on() as run_id:
        child.turn_back(run_id, "started_at", 3600)
        found = looked(offline=True)
    assert turned(found) == {"run": "warn"}
    assert f"end process {os.getpid()}" in str(found["run"].advice)


def test_a_run_whose_process_is_gone_is_told_and_left_as_it_is(well: Path) -> None:
    with run_on("gone") as run_id:
        found = looked(offline=True)
        assert turned(found) == {"ledger": "warn"}
        assert run_id in found["ledger"].message and "collect.py status" in str(found["ledger"].advice)
        noted = ledger.run(load(), run_id)
        assert noted is not None and noted.state == "running"


def test_a_damaged_store_is_told_once_with_the_way_back(well: Path) -> None:
    damage(well / "console.duckdb")
    found = looked()
    assert turned(found) == {"store": "fail"}
    assert "Move it aside" in str(found["store"].advice)
    assert "collect.py replay" in str(found["store"].advice)
    assert found["receipts"].message == "Not known: the store cannot be read."


def test_a_store_that_another_program_has_open_is_told(well: Path) -> None:
    with child.store_open_elsewhere():
        found = looked(offline=True)
    assert turned(found) == {"store": "warn"}
    assert "Close it there" in str(found["store"].advice)


def test_a_store_of_the_other_kind_is_told(well: Path) -> None:
    with closing(duckdb.connect(str(well / "console.duckdb"))) as connection:
        connection.execute("UPDATE meta SET demo = true")
    assert turned(looked(offline=True)) == {"store": "fail"}


def test_a_receipt_that_is_lost_is_told_with_the_batch_that_brings_it_back(well: Path) -> None:
    with closing(duckdb.connect(str(well / "console.duckdb"))) as connection:
        connection.execute("DELETE FROM receipt WHERE step = 'coingecko.markets'")
    found = looked(offline=True)
    assert turned(found) == {"receipts": "fail", "landing": "warn"}
    assert "coingecko.markets" in found["receipts"].message
    assert "collect.py replay" in str(found["receipts"].advice)
    done = child.collect(None, "replay")
    assert (done.code, turned(looked(offline=True))) == (0, {}), done.out


@pytest.mark.parametrize("content", [b"", b"not a database at all, and longer than its header" * 99])
def test_a_damaged_ledger_is_told_once(well: Path, up: FakeUpstream, content: bytes) -> None:
    for end in ("-wal", "-shm"):
        (well / f"ledger.sqlite{end}").unlink(missing_ok=True)
    (well / "ledger.sqlite").write_bytes(content)
    found = looked()
    assert turned(found) == {"ledger": "fail"}
    assert "Move ledger.sqlite aside" in str(found["ledger"].advice)
    assert found["week.crypto"].message == "Not known: the ledger cannot be read."
    assert up.requests == []


def test_a_ledger_with_one_bad_page_is_told(well: Path) -> None:
    file = well / "ledger.sqlite"
    with closing(ledger.connect(load())) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(file.read_bytes())
    content[-3000:] = os.urandom(3000)
    file.write_bytes(bytes(content))
    assert turned(looked(offline=True))["ledger"] == "fail"


@pytest.mark.parametrize(
    ("off", "state", "says"),
    [
        (timedelta(minutes=-5), "warn", "5 minutes ahead"),
        (timedelta(minutes=5), "warn", "5 minutes behind"),
        (timedelta(hours=3), "fail", "3 hours behind"),
    ],
)
def test_a_clock_that_is_wrong_is_told_by_the_upstreams(
    well: Path, up: FakeUpstream, off: timedelta, state: str, says: str
) -> None:
    up.clock = datetime.now(UTC) + off
    found = looked()
    assert turned(found) == {"clock": state}
    assert says in found["clock"].message and "synchronisation" in str(found["clock"].advice)


def test_a_port_that_another_program_took_is_told_with_the_command(well: Path, up: FakeUpstream) -> None:
    os.environ["COLLECTOR_PORT"] = str(up.port)
    found = looked(offline=True)
    assert turned(found) == {"console": "fail"}
    assert "python scripts/start.py --port " in str(found["console"].advice)
    assert not str(found["console"].advice).endswith(str(up.port))


def test_an_upstream_that_is_down_costs_its_own_line(well: Path, up: FakeUpstream) -> None:
    up.fault("defillama", "*", Fault.status(503))
    found = looked()
    assert turned(found) == {"upstream.defillama": "fail"}
    assert "answered 503" in found["upstream.defillama"].message
    assert found["upstream.defillama"].advice == "Wait: the next run tries again."


def test_an_upstream_that_hangs_costs_seconds_and_its_own_line(well: Path, up: FakeUpstream) -> None:
    up.fault("yahoo", "*", Fault.hang(30))
    began = time.monotonic()
    assert turned(looked()) == {"upstream.yahoo": "fail"}
    assert time.monotonic() - began < 6


def test_a_wait_that_an_upstream_asks_for_is_kept_by_all(well: Path, up: FakeUpstream) -> None:
    up.fault("coingecko", "*", Fault.retry_after(30))
    for _again in range(2):
        found = looked()
        assert turned(found) == {"upstream.coingecko": "warn"}
    assert up.count("coingecko") == 1


def test_a_key_that_is_refused_is_told_without_it(well: Path) -> None:
    os.environ["FRED_API_KEY"] = "f" * 32
    for _again in range(2):
        # The second time it is not even asked.
        found = looked()
        assert turned(found) == {"upstream.fred": "fail"}
        assert "Check FRED_API_KEY" in str(found["upstream.fred"].advice)
        assert "f" * 32 not in str(found)


def test_packages_of_another_version_and_missing_ones_are_told(
    well: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = program.installed
    monkeypatch.setattr(program, "installed", lambda name: "1.0" if name == "pandas" else real(name))
    found = looked(offline=True)
    assert turned(found) == {"packages": "warn"}
    assert f"pandas 1.0 instead of {program.pins()['pandas']}" in found["packages"].message
    monkeypatch.setattr(program, "installed", lambda name: None if name == "plotly" else real(name))
    found = looked(offline=True)
    assert turned(found) == {"packages": "fail"}
    assert found["packages"].advice == "Run python -m pip install -r requirements.txt."


@pytest.mark.parametrize("name", ["OneDrive - Firma", "Dropbox", "Nextcloud", "GoogleDrive-me@x.kr"])
def test_a_home_in_a_synchronised_folder_is_told(well: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "home"
    shutil.copytree(well, folder)
    os.environ["COLLECTOR_HOME"] = str(folder)
    found = looked(offline=True)
    assert turned(found) == {"synced_folder": "warn"}
    assert "COLLECTOR_HOME" in str(found["synced_folder"].advice)


@linux
def test_a_home_on_a_network_disk_is_told(
    well: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mounts"
    spaced = str(well.parent.resolve()).replace(" ", "\\040")
    table.write_text(f"disk / ext4 rw 0 0\nnas:/data {spaced} nfs4 rw 0 0\n")
    monkeypatch.setattr(mounts, "MOUNTS", table)
    found = looked(offline=True)
    assert turned(found) == {"file_system": "warn"} and "nfs4" in found["file_system"].message
    monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "none")
    assert looked(offline=True)["file_system"].message == "Not known on this operating system."


# ---------------------------------------------------------------- the export


def test_an_export_that_is_gone_or_half_is_told(well: Path) -> None:
    file = well / "exports" / "crypto_trends.json"
    file.write_text('{"schema": 1')
    assert turned(looked(offline=True)) == {"export": "fail"}
    file.unlink()
    found = looked(offline=True)
    assert turned(found) == {"export": "warn"}
    assert found["export"].advice == "Run python collect.py export."


# ---------------------------------------------------------------- the schedule


@pytest.mark.parametrize(
    ("task", "says"),
    [
        ({"installed": False}, "Not installed"),
        ({"drift": (Drift(ARGUMENTS, "a", "b"),)}, "It differs from the settings: arguments"),
        ({"wanted": False}, "No longer in the settings"),
    ],
)
def test_a_schedule_that_is_not_as_wanted_is_told_with_the_command(
    well: Path, monkeypatch: pytest.MonkeyPatch, task: dict[str, Any], says: str
) -> None:
    given = {name: getattr(TASK, name) for name in TaskState.__dataclass_fields__}
    scheduled(monkeypatch, TaskState(**{**given, **task}))
    found = looked(offline=True)
    assert turned(found) == {"scheduler": "warn"}
    assert says in found["scheduler"].message
    assert found["scheduler"].advice == "Run python collect.py schedule install."


def test_a_scheduled_start_that_failed_is_told(well: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {name: getattr(TASK, name) for name in TaskState.__dataclass_fields__}
    scheduled(monkeypatch, TaskState(**{**given, "code": 3}))
    found = looked(offline=True)
    assert turned(found) == {"scheduler": "warn"} and "(failed)" in found["scheduler"].message


def test_a_system_without_a_scheduler_says_so(well: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduled(monkeypatch, problem=NoAnswer("{tool} was not found. Use cron.", tool="systemctl"))
    found = looked(offline=True)
    assert turned(found) == {"scheduler": "warn"}
    assert found["scheduler"].message == "systemctl was not found."
    assert str(found["scheduler"].advice).startswith("Use cron. Until then")


# ---------------------------------------------------------------- the last seven days


def test_a_pipeline_that_brought_nothing_for_three_days_fails(well: Path) -> None:
    settings = load()
    for run in ledger.runs(settings):
        child.turn_back(run.run_id, "queued_at", 4 * 86_400)
    found = looked(offline=True)
    assert turned(found) == {"week.crypto": "fail", "week.news": "fail"}
    assert found["week.crypto"].message.startswith("Nothing for 4 days.")
    assert "python collect.py crypto" in str(found["week.crypto"].advice)
    # A scheduled start that found all fresh is a day that was looked after.
    ledger.record_skip(settings, ledger.new_run_id(clock.now()), ["crypto", "news"], "schedule", "fresh", 0)
    assert turned(looked(offline=True)) == {}


def test_the_best_start_of_a_day_stands_for_it(home: Path) -> None:
    settings = load()
    now = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
    starts = [
        Day(now - timedelta(days=2), "failed"),
        Day(now - timedelta(days=2, minutes=5), "partial"),
        Day(now - timedelta(days=1), "skipped", "fresh"),
        # Half an hour before midnight in Seoul.
        Day(datetime(2026, 11, 20, 14, 30, tzinfo=UTC), "interrupted"),
    ]
    told = history.days_of(case.Case(settings, now=now), starts)
    assert told[0][0] == date(2026, 11, 18) and told[-1][0] == date(2026, 11, 24)
    assert [outcome for _day, outcome in told] == ["", "", "interrupted", "", "partial", "ok", ""]


# ---------------------------------------------------------------- an empty home, the command line


def test_an_empty_home_says_what_has_not_happened_yet_and_stays_empty(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.environ["COLLECTOR_PORT"] = str(free_port())
    scheduled(monkeypatch)
    free(monkeypatch, 50 * GB)
    with speaking("en"):
        found = looked(offline=True)
    assert turned(found) == {"keys": "warn"}
    assert found["store"].message == "Nothing has been collected yet."
    assert found["week.news"].message == "It has not run yet: python collect.py news"
    assert "the first run makes it" in found["home"].message
    assert not home.exists()


def test_an_empty_home_may_ask_the_upstreams_too(
    home: Path, up: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.environ.update(up.env())
    os.environ.update(COLLECTOR_PACE_S="0", FRED_API_KEY=FRED_KEY, COLLECTOR_PORT=str(free_port()))
    scheduled(monkeypatch)
    free(monkeypatch, 50 * GB)
    for _again in range(2):
        assert turned(looked()) == {}


def test_it_is_described_check_by_check() -> None:
    told = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    rows = "".join(line.split("|")[1] for line in told.splitlines() if line.startswith("| `"))
    named = set(re.findall(r"`([a-z_.…]+)`", rows))
    assert named == {name for name in CHECKS if not name.startswith("upstream.")} | {"upstream.…"}


def test_as_json_it_is_one_object_of_fixed_names_and_no_key_is_in_it(well: Path, up: FakeUpstream) -> None:
    done = child.collect(
        up, "doctor", "--json", FRED_API_KEY=FRED_KEY, COLLECTOR_API_TOKEN="TOKEN-" + "x" * 20
    )
    said = json.loads(done.out)
    assert set(said) == {"schema", "generated_at", "state", "checks"} and said["schema"] == 1
    assert datetime.fromisoformat(said["generated_at"]).tzinfo is not None
    assert [one["check"] for one in said["checks"]] == CHECKS
    assert all(set(one) == {"check", "state", "message", "advice"} for one in said["checks"])
    assert said["state"] == max((one["state"] for one in said["checks"]), key=["ok", "warn", "fail"].index)
    assert (done.code, done.err) == (3 if said["state"] == "fail" else 0, "")
    child.assert_no_canary(done)
    assert FRED_KEY not in done.out and "TOKEN-" not in done.out


def test_a_key_inside_an_address_is_not_shown_either(well: Path, up: FakeUpstream) -> None:
    address = f"{up.url}/{child.CANARY}"
    lines = child.collect(up, "doctor", COLLECTOR_DEFILLAMA_URL=address)
    assert lines.code == 3 and "upstream.defillama" in lines.out
    child.assert_no_canary(lines)


def test_it_ends_with_3_where_something_fails_and_with_2_for_wrong_use(well: Path) -> None:
    assert child.collect(None, "doctor", "--offline").code == 0
    damage(well / "console.duckdb")
    failed = child.collect(None, "doctor", "--offline")
    assert failed.code == 3 and "fail   store " in failed.out and "1 fail" in failed.out
    assert len(failed.out.splitlines()) == len(HERE) + 3
    assert child.collect(None, "doctor", "--nothing").code == 2
    assert child.collect(None, "doctor", COLLECTOR_PORT="x").code == 2


def test_a_run_is_not_disturbed_by_who_looks_all_the_time(well: Path, up: FakeUpstream) -> None:
    run = child.start(up, "crypto")
    codes = []
    while run.poll() is None:
        codes.append(child.collect(up, "doctor", "--offline").code)
    done = child.ended(run)
    assert (done.code, done.err) == (0, "")
    assert codes and set(codes) == {0}
    child.assert_whole()


# ---------------------------------------------------------------- whatever a check does


def group(act: Callable[[Any], Any]) -> tuple[tuple[tuple[str, Any], ...], ...]:
    return ((("first", act), ("second", lambda _case: Finding("second", "ok", "fine"))),)


def test_a_check_that_stumbles_costs_its_own_line(home: Path) -> None:
    def stumble(_case: object) -> Finding:
        raise ZeroDivisionError

    with speaking("en"):
        first, second = examine.looked(case.Case(load()), group(stumble))
    assert (first.state, second.state) == ("fail", "ok")
    assert first.message == "This check stumbled over ZeroDivisionError."


def test_a_check_that_hangs_is_left_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine, "LIMIT_S", 0.2)
    began = time.monotonic()
    found = examine.looked(case.Case(load()), group(lambda _case: time.sleep(5)))
    assert time.monotonic() - began < 2
    assert [one.state for one in found] == ["warn", "warn"]


def test_no_secret_leaves_with_a_message(home: Path) -> None:
    os.environ["FRED_API_KEY"] = child.CANARY
    told = Finding("first", "warn", f"it said {child.CANARY}", f"look at {child.CANARY}")
    (found, _second) = examine.looked(case.Case(load()), group(lambda _case: told))
    assert child.CANARY not in f"{found}"


# ---------------------------------------------------------------- figures and words


def test_every_pipeline_has_its_week() -> None:
    assert [f"week.{name}" for name in PIPELINES] == [name for name in CHECKS if name.startswith("week.")]


def test_sizes_and_spans_are_told_short() -> None:
    with speaking("en"):
        assert [size(n) for n in (7, 412_345, 18_886_656, 210e9)] == ["7 B", "412 kB", "18.9 MB", "210 GB"]
        assert [span(n) for n in (1, 40, 300, 7200, 4 * 86_400)] == [
            "1 second",
            "40 seconds",
            "5 minutes",
            "2 hours",
            "4 days",
        ]
    assert parted("It is so. Do this. Then that.") == ("It is so.", "Do this. Then that.")
    assert parted("It is so") == ("It is so", "")


def test_a_cache_is_no_wrong_clock() -> None:
    ours = datetime(2026, 11, 24, 12, 10, tzinfo=UTC)
    ten_to = "Tue, 24 Nov 2026 12:00:00 GMT"
    assert ahead_s(ten_to, "", ours) == 600
    # The `Date` of the first answer, ten minutes ago.
    assert ahead_s(ten_to, "600", ours) == 0
    # The `Date` of now, of an answer that is ten minutes old.
    assert ahead_s("Tue, 24 Nov 2026 12:10:00 GMT", "600", ours) == 0
    assert ahead_s("", "600", ours) is None


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        *((code, False) for code in (None, 0, 1, 75, 130, 0x41300, 0x41303)),
        # systemd: interpreter gone, folder gone, killed; Windows: file not found.
        *((code, True) for code in (2, 3, 127, 137, 143, 200, 203, 0x80070002)),
    ],
)
def test_a_start_that_did_not_do_its_work_is_told(code: int | None, wrong: bool) -> None:
    assert scheduler.went_wrong(replace(TASK, code=code)) is wrong
    assert scheduler.went_wrong(replace(TASK, code=0, said=results.TIMEOUT))
