"""A store that is locked, damaged, full, newer or not ours: refused with advice, and nothing is lost."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from storage import check_results, db, ledger
from storage.ledger import Busy
from storage.settings import Settings, load
from tests import child
from tests.upstream import FakeUpstream

posix = pytest.mark.skipif(sys.platform == "win32", reason="limits, users and links of POSIX")
SOURCES = (
    "coingecko.markets",
    "coingecko.global",
    "defillama.total_tvl",
    "defillama.protocols",
    "alternative_me.fear_greed",
)


@pytest.fixture(scope="module")
def up() -> Iterator[FakeUpstream]:
    with child.frozen_upstream() as fake:
        yield fake


def settings_of(folder: Path) -> Settings:
    return Settings(COLLECTOR_HOME=str(folder), _env_file=None)  # type: ignore[call-arg]


@pytest.fixture(scope="module")
def stored(up: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after one run without any trouble."""
    folder = tmp_path_factory.mktemp("stored") / "home"
    done = child.collect(up, "crypto", COLLECTOR_HOME=str(folder))
    assert done.code == 0, done.err
    return folder


@pytest.fixture(scope="module")
def expected(stored: Path) -> child.Content:
    return child.content(settings_of(stored))


@pytest.fixture(scope="module")
def locked_out(up: FakeUpstream, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, child.Done]:
    """A home after one run during which another program had the (still empty) store open."""
    folder = tmp_path_factory.mktemp("locked") / "home"
    folder.mkdir()
    with child.store_open_elsewhere(database=folder / "console.duckdb"):
        return folder, child.collect(up, "crypto", COLLECTOR_HOME=str(folder))


@pytest.fixture(scope="module")
def with_wal(locked_out: tuple[Path, child.Done], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose whole record is in the write-ahead log: killed after the commit, before the close."""
    folder = tmp_path_factory.mktemp("wal") / "home"
    copied(locked_out[0], folder)
    killed = child.collect(None, "replay", COLLECTOR_HOME=str(folder), FAULT_POINT="after_commit")
    assert killed.code == -9, (killed.out, killed.err)
    assert (folder / "console.duckdb.wal").stat().st_size > 100_000
    return folder


def copied(source: Path, target: Path) -> Path:
    """A copy of a home that nobody has open, without its reserve."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("reserve"))
    return target


def assert_pending(done: child.Done, code: str) -> None:
    """Everything was collected and landed, nothing was merged, and the run says what to do."""
    assert (done.code, done.err) == (1, "")
    for source in SOURCES:
        step = done.steps[source]
        assert (step["state"], step["kind"], step["code"]) == ("pending", "store", code), step
        assert step["message"].endswith(".")
    assert (done.steps["export"]["state"], done.steps["export"]["reason"]) == ("skipped", "upstream_failed")
    assert done.finished is not None and done.finished["state"] == "partial"


def landed(home: Path, run_id: str) -> set[str]:
    """The steps whose batches of a run are kept."""
    return {
        file.stem.partition(".")[2].rpartition(".")[0]
        for file in (home / "landing").glob(f"{run_id}.*.parquet")
    }


def step_states(run_id: str) -> dict[str, tuple[str, str | None]]:
    return {step.step: (step.state, step.reason) for step in ledger.steps(load(), run_id) if step.source}


# ---------------------------------------------------------------- locked


@pytest.mark.parametrize("kind", ["writer", "reader"])
def test_a_run_waits_for_a_store_that_is_open_elsewhere_for_a_moment(
    kind: str, home: Path, up: FakeUpstream, stored: Path, expected: child.Content
) -> None:
    copied(stored, home)
    began = time.monotonic()
    with child.store_open_elsewhere(3, kind):
        done = child.collect(up, "crypto")
    assert time.monotonic() - began > 2.9
    child.assert_good_end(done, expected)


def test_with_the_store_locked_for_good_everything_is_landed_and_the_run_says_so(
    locked_out: tuple[Path, child.Done],
) -> None:
    folder, done = locked_out
    assert_pending(done, "busy")
    assert done.finished is not None and done.finished["seconds"] < 30
    assert landed(folder, done.finished["run_id"]) == set(SOURCES)


def test_the_next_run_merges_what_waited_for_the_store(
    home: Path, up: FakeUpstream, locked_out: tuple[Path, child.Done], expected: child.Content
) -> None:
    copied(locked_out[0], home)
    child.assert_good_end(child.collect(up, "crypto"), expected)
    run_id = locked_out[1].finished["run_id"]  # type: ignore[index]
    states = step_states(run_id)
    assert {states[source] for source in SOURCES} == {("ok", "replayed")}
    told = [step for step in ledger.steps(load(), run_id) if step.source in SOURCES]
    assert {(step.kind, step.code, step.said()) for step in told} == {(None, None, None)}
    assert {(run_id, source) for source in SOURCES} <= child.receipts()


def test_replay_merges_what_waited_and_a_second_one_changes_nothing(
    home: Path, locked_out: tuple[Path, child.Done], expected: child.Content
) -> None:
    copied(locked_out[0], home)
    first = child.collect(None, "replay")
    assert (first.code, first.err, len(first.out.splitlines())) == (0, "", len(SOURCES))
    assert child.content() == expected
    # What the checks said of them waited with them.
    (run_id,) = {run_id for run_id, _step in child.receipts()}
    results = check_results.of_run(load(), run_id, 5.0)
    assert {one.step for one in results} == set(SOURCES) and {one.state for one in results} == {"pass"}
    receipts = child.receipts()
    second = child.collect(None, "replay")
    assert (second.code, second.out) == (0, "Nothing was waiting: every batch is merged.\n")
    assert (child.content(), child.receipts()) == (expected, receipts)
    child.assert_whole()


def test_a_replay_killed_before_it_told_the_ledger_is_told_by_the_next(
    home: Path, with_wal: Path, locked_out: tuple[Path, child.Done], expected: child.Content
) -> None:
    copied(with_wal, home)
    run_id = locked_out[1].finished["run_id"]  # type: ignore[index]
    assert {step_states(run_id)[source] for source in SOURCES} == {("pending", None)}
    assert child.collect(None, "replay").code == 0
    assert {step_states(run_id)[source] for source in SOURCES} == {("ok", "replayed")}
    assert child.content() == expected
    child.assert_whole()


WRITING = """
import sys
sys.path.insert(0, ".")
from pathlib import Path
from storage import db
from storage.settings import load
settings, until, n = load(), Path(sys.argv[1]), 0
print("writing", flush=True)
while not until.exists():
    n += 1
    with db.writer(settings, 30) as connection:
        connection.execute("UPDATE crypto_price SET price = ?", [n])
print(n)
"""


def test_ten_readers_beside_a_writer_see_only_whole_transactions(
    home: Path, stored: Path, tmp_path: Path
) -> None:
    copied(stored, home)
    settings, wrong, seen = load(), [], set()

    def read() -> None:
        for _ in range(50):
            with db.reader(settings, wait_s=30) as connection:
                found = connection.execute("SELECT count(*), min(price), max(price) FROM crypto_price")
                row = found.fetchone()
            if row is None or row[0] != 20 or row[1] != row[2]:
                wrong.append(row)
            else:
                seen.add(row[1])
            time.sleep(0.02)

    with child.python(WRITING, str(tmp_path / "over")) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "writing\n"
        child.eventually(lambda: written(settings))
        failed: list[threading.ExceptHookArgs] = []
        before, threading.excepthook = threading.excepthook, failed.append
        threads = [threading.Thread(target=read) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        threading.excepthook = before
        (tmp_path / "over").touch()
        done = child.ended(writer)
    assert (done.code, done.err, wrong, failed) == (0, "", [], [])
    assert len(seen) > 1 and max(seen) <= int(done.out)


def written(settings: Settings) -> bool:
    with db.reader(settings, wait_s=30) as connection:
        return connection.execute("SELECT count(DISTINCT price) FROM crypto_price").fetchone() == (1,)


# ---------------------------------------------------------------- damaged


def flip_every_block(file: Path) -> None:
    """One byte of each block; the three headers before them take 4096 bytes each."""
    content = bytearray(file.read_bytes())
    for at in range(3 * 4096 + 100, len(content), 262_144):
        content[at] ^= 0xFF
    file.write_bytes(content)


def only_a_log(file: Path) -> None:
    file.with_name(file.name + ".wal").write_bytes(b"\x01" * 500)
    file.unlink()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "0 bytes": lambda file: file.write_bytes(b""),
    "garbage": lambda file: file.write_bytes(b"garbage " * 10_000),
    "missing beside its log": only_a_log,
    "flipped blocks": flip_every_block,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_store_is_refused_with_advice_and_left_as_it_is(
    damage: str, home: Path, up: FakeUpstream, stored: Path, expected: child.Content
) -> None:
    file = copied(stored, home) / "console.duckdb"
    DAMAGES[damage](file)
    before = {part.name: part.read_bytes() for part in home.glob("console.duckdb*")}
    done = child.collect(up, "crypto")
    assert_pending(done, "corrupt")
    assert done.finished is not None
    assert landed(home, done.finished["run_id"]) == set(SOURCES)
    status, replay = child.collect(None, "status"), child.collect(None, "replay")
    assert (status.code, status.err, replay.code, replay.err) == (0, "", 3, "")
    assert "aside" in status.out and "aside" in replay.out
    assert {part.name: part.read_bytes() for part in home.glob("console.duckdb*")} == before
    assert child.export() is not None
    for part in before:
        (home / part).rename(home / f"aside-{part}")
    child.assert_good_end(child.collect(up, "crypto"), expected)


MANY = """
import json, sys
sys.path.insert(0, ".")
from collectors import housekeeping
from storage import db
from storage.settings import Settings
from tests import child
for home in sys.argv[1:]:
    settings = Settings(COLLECTOR_HOME=home, _env_file=None)
    try:
        housekeeping.replay(settings)
        child.assert_whole(settings)
        print(json.dumps([home, json.dumps(child.content(settings), default=str)]), flush=True)
    except db.StoreError as problem:
        print(json.dumps([home, problem.code]), flush=True)
"""


def outcomes(homes: list[Path]) -> list[str]:
    """`corrupt`, or the content as JSON, of each home after a replay; one process for all."""
    done = child.ended(child.python(MANY, *map(str, homes)))
    assert done.code == 0, done.err
    told = [json.loads(line) for line in done.out.splitlines()]
    assert [home for home, _outcome in told] == [str(home) for home in homes]
    return [outcome for _home, outcome in told]


def spread(size: int, n: int) -> list[int]:
    """`n` places from the first byte to the last, odd enough to fall on no boundary."""
    return sorted({*(97 * (at * size // (97 * n)) for at in range(n)), size - 1})


def test_a_log_that_was_cut_off_is_healed_from_the_landed_batches_or_reported(
    tmp_path: Path, home: Path, with_wal: Path, expected: child.Content
) -> None:
    wal, homes = with_wal / "console.duckdb.wal", []
    for size in spread(wal.stat().st_size, 10):
        homes.append(copied(with_wal, tmp_path / f"cut-{size}"))
        os.truncate(homes[-1] / wal.name, size)
    homes.append(copied(with_wal, tmp_path / "gone"))
    (homes[-1] / wal.name).unlink()
    whole = json.dumps(expected, default=str)
    found = outcomes(homes)
    assert set(found) <= {whole, "corrupt"}
    assert found[-1] == whole


def test_a_flipped_byte_in_the_log_is_healed_from_the_landed_batches_or_reported(
    tmp_path: Path, home: Path, with_wal: Path, expected: child.Content
) -> None:
    wal, homes = with_wal / "console.duckdb.wal", []
    for at in spread(wal.stat().st_size, 16):
        homes.append(copied(with_wal, tmp_path / f"flip-{at}"))
        content = bytearray(wal.read_bytes())
        content[at] ^= 0x10
        (homes[-1] / wal.name).write_bytes(content)
    assert set(outcomes(homes)) <= {json.dumps(expected, default=str), "corrupt"}


def test_a_store_that_lost_receipts_is_healed_from_landing_and_reported_where_it_cannot_be(
    home: Path, up: FakeUpstream, stored: Path, expected: child.Content
) -> None:
    copied(stored, home)
    (run,) = ledger.runs(load())
    (home / "console.duckdb").unlink()
    assert child.collect(None, "replay").code == 0
    assert child.content() == expected
    assert "no receipt" not in child.log_text()
    (home / "console.duckdb").unlink()
    for batch in (home / "landing").glob("*.parquet"):
        batch.unlink()
    assert child.collect(up, "crypto").code == 0
    for source in SOURCES:
        assert (
            f"[FAIL] {source} store corrupt the store has no receipt of run {run.run_id}" in child.log_text()
        )


# ---------------------------------------------------------------- not ours to write


def refused(done: child.Done, *words: str) -> None:
    """The run says why, ends as failed, and asked nobody."""
    assert (done.code, done.err) == (3, "")
    problem = done.events[-1]
    assert (problem["event"], problem["code"]) == ("error", "schema")
    assert all(word in problem["message"] for word in words)
    assert done.finished is not None and (done.finished["state"], done.finished["exit_code"]) == ("failed", 3)


def test_a_store_of_a_newer_program_is_refused_and_stays_as_it_is(
    home: Path, up: FakeUpstream, stored: Path, expected: child.Content
) -> None:
    copied(stored, home)
    with duckdb.connect(str(home / "console.duckdb")) as connection:
        connection.execute("UPDATE meta SET schema_version = 99")
        # What a newer program may do to it.
        connection.execute("ALTER TABLE protocol_tvl RENAME TO tvl")
    up.reset_counts()
    refused(child.collect(up, "crypto"), "99", "Update the program.")
    assert up.count() == 0
    for verb, code in (("replay", 3), ("export", 3), ("status", 0)):
        done = child.collect(None, verb)
        assert (done.code, done.err) == (code, "") and "Update the program." in done.out
    child.assert_settled()
    with duckdb.connect(str(home / "console.duckdb")) as connection:
        connection.execute("ALTER TABLE tvl RENAME TO protocol_tvl")
        connection.execute("UPDATE meta SET schema_version = 1")
    assert child.content() == expected


def test_demo_and_real_rows_never_meet(home: Path, up: FakeUpstream, stored: Path) -> None:
    (home / "demo").mkdir(parents=True)
    shutil.copy(stored / "console.duckdb", home / "demo")
    demo = Settings(COLLECTOR_DEMO=True)
    before = child.content(demo)
    refused(child.collect(up, "crypto", "--demo"), "real rows", "a demo never")
    assert child.content(demo) == before
    child.assert_settled(demo)


@posix
def test_every_spelling_of_the_home_leads_to_one_store_and_one_lock(
    home: Path, tmp_path: Path, up: FakeUpstream, stored: Path, expected: child.Content
) -> None:
    copied(stored, home)
    link = tmp_path / "link"
    link.symlink_to(home, target_is_directory=True)
    spellings = [settings_of(home), settings_of(link), settings_of(Path(os.path.relpath(home, child.ROOT)))]
    assert {settings.database for settings in spellings} == {home.resolve() / "console.duckdb"}
    for n, one in enumerate(spellings):
        other = spellings[n - 1]
        with db.writer(one), pytest.raises(db.StoreBusy), db.writer(other, wait_s=0.1):
            pytest.fail("two writers at once")
        ledger.reserve(one, f"2026010{n + 1}-000000-abcdef", ["crypto"], "cli")
        with pytest.raises(Busy):
            ledger.reserve(other, "another", ["crypto"], "cli")
        ledger.finish(one, f"2026010{n + 1}-000000-abcdef", "skipped", 0, {})
    relative = os.path.relpath(link, child.ROOT)
    child.assert_good_end(child.collect(up, "crypto", COLLECTOR_HOME=relative), expected)


# ---------------------------------------------------------------- full


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
import os
os.execv(sys.executable, [sys.executable, "collect.py", *sys.argv[2:]])
"""


@posix
def test_when_the_store_may_not_grow_the_rows_are_in_its_log_and_the_next_run_takes_them_in(
    home: Path, up: FakeUpstream, stored: Path
) -> None:
    copied(stored, home)
    size = (home / "console.duckdb").stat().st_size
    up.moving = True
    try:
        # The store is there and larger than this; its log and the batches are smaller.
        done = child.ended(child.python(LIMITED, "200000", "crypto", "--json", up=up))
    finally:
        up.moving = False
    assert (done.code, done.err) == (0, "")
    assert (home / "console.duckdb.wal").stat().st_size > 0
    assert (home / "console.duckdb").stat().st_size == size
    moved = child.content()
    assert "The disk is full" in (home / "logs" / "collector.log").read_text(encoding="utf-8")
    again = child.collect(up, "replay")
    assert (again.code, again.err) == (0, "")
    assert child.content() == moved
    child.assert_whole()


@posix
def test_when_a_new_store_may_not_grow_what_was_collected_waits(
    home: Path, up: FakeUpstream, expected: child.Content
) -> None:
    done = child.ended(child.python(LIMITED, "200000", "crypto", "--json", up=up))
    assert (done.code, done.err) == (1, "")
    waiting = {source for source in SOURCES if done.steps[source]["state"] == "pending"}
    assert {"defillama.total_tvl", "alternative_me.fear_greed"} <= waiting
    for source in SOURCES:
        step = done.steps[source]
        assert step["state"] == "ok" or (step["kind"], step["code"]) == ("store", "full"), step
    assert (
        done.steps["defillama.total_tvl"]["message"] == "The disk is full. Free some space, then run again."
    )
    # plotly.js is larger than the limit: told as what it is, and no half of it stays.
    assert (done.steps["export"]["state"], done.steps["export"]["code"]) == ("failed", "full")
    assert child.halves() == []
    again = child.collect(up, "crypto")
    child.assert_good_end(again, expected)
    assert done.finished is not None
    told = step_states(done.finished["run_id"])
    assert {told[source] for source in waiting} == {("ok", "replayed")}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MB."""
    mount, disk = shutil.which("mount"), tmp_path / "disk"
    disk.mkdir()
    if not mount or sys.platform != "linux" or os.geteuid():
        pytest.skip("a small disk needs mount and root")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], check=False)
    if made.returncode:
        pytest.skip("mount is not permitted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Takes every byte that is left."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as handle:
        for size in (1 << 20, 4096, 1):
            try:
                while handle.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    return filler


@posix
def test_on_a_full_disk_the_reserve_is_given_up_and_the_run_succeeds(
    small_disk: Path, home: Path, up: FakeUpstream, expected: child.Content
) -> None:
    os.environ["COLLECTOR_HOME"] = str(small_disk / "home")
    child.assert_good_end(child.collect(up, "crypto"), expected)
    fill(small_disk)
    child.assert_good_end(child.collect(up, "crypto"), expected)
    assert not (small_disk / "home" / "landing" / "reserve").exists()


@posix
def test_on_a_disk_without_a_byte_left_the_run_says_so_and_works_again_with_space(
    small_disk: Path, home: Path, up: FakeUpstream, expected: child.Content
) -> None:
    os.environ["COLLECTOR_HOME"] = str(small_disk / "home")
    assert child.collect(up, "crypto").code == 0
    (small_disk / "home" / "landing" / "reserve").unlink()
    filler = fill(small_disk)
    done = child.collect(up, "crypto")
    assert done.code in (1, 3)
    assert "disk is full" in done.out + done.err
    assert "Traceback" not in done.err
    assert child.content() == expected
    assert child.export() is not None
    filler.unlink()
    child.assert_good_end(child.collect(up, "crypto"), expected)


# ---------------------------------------------------------------- read-only


def without_privilege() -> list[str]:
    """What makes a child heed permissions even where the tests run as root."""
    if os.geteuid():
        return []
    setpriv = shutil.which("setpriv")
    prefix = [str(setpriv), "--bounding-set", "-dac_override,-dac_read_search"]
    if not setpriv or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("root heeds no permissions, and setpriv is not there to drop that privilege")
    return prefix


def unprivileged(up: FakeUpstream, *words: str) -> child.Done:
    """`collect.py WORDS` by somebody who may write only where permissions say so."""
    command = [*without_privilege(), sys.executable, str(child.ROOT / "collect.py"), *words]
    process = subprocess.Popen(
        command, env=child.environment(up), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return child.ended(process)


@posix
@pytest.mark.parametrize("what", ["never used", "used", "with a log"])
def test_a_home_that_may_not_be_written_is_told_with_advice_and_still_read(
    what: str, home: Path, up: FakeUpstream, stored: Path, with_wal: Path
) -> None:
    if what == "never used":
        home.mkdir()
    else:
        copied(stored if what == "used" else with_wal, home)
    for path in (home, *home.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        run = unprivileged(up, "crypto", "--json")
        assert (run.code, run.out) == (2, "")
        assert run.err.startswith("collect.py: ") and "COLLECTOR_HOME" in run.err
        assert "Traceback" not in run.err
        status = unprivileged(up, "status", "--json")
        assert (status.code, status.err) == (0, "")
        crypto = json.loads(status.out)["pipelines"]["crypto"]
        assert crypto["freshness"] == ("never" if what == "never used" else crypto["freshness"])
        if what == "used":
            assert (crypto["state"], crypto["freshness"]) == ("ok", "fresh")
    finally:
        for path in (home, *home.rglob("*")):
            path.chmod(0o755)


@posix
@pytest.mark.parametrize("beat_s", [5, 60])
def test_a_home_that_may_only_be_read_tells_a_dead_run_by_its_silence(
    beat_s: float, home: Path, up: FakeUpstream, stored: Path
) -> None:
    copied(stored, home)
    settings, run_id = load(), "20260101-000000-abcdef"
    ledger.reserve(settings, run_id, ["crypto"], "cli")
    ledger.lock_path(settings, run_id).touch()
    assert ledger.claim(settings, run_id, os.getpid())
    child.turn_back(run_id, "heartbeat_at", beat_s)
    for path in (home, *home.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        status = unprivileged(up, "status", "--json")
        assert (status.code, status.err) == (0, "")
        told = json.loads(status.out)
        dead = beat_s > 30
        assert (told["running"] is None) is dead
        assert told["pipelines"]["crypto"]["state"] == ("interrupted" if dead else "running")
        assert told["pipelines"]["crypto"]["last_run"]["state"] == ("interrupted" if dead else "running")
        exported = unprivileged(up, "export")
        assert (exported.code, exported.err) == (3, "")
        assert "could not be written" in exported.out and len(exported.out.splitlines()) == 1
    finally:
        for path in (home, *home.rglob("*")):
            path.chmod(0o755)
    assert ledger.running(settings) is None
    child.assert_settled()
