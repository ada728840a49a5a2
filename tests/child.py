"""Runs collect.py as a process of its own, and looks afterwards at what it left behind.

Children inherit the environment of the test (its `home` fixture has emptied it of settings). The
store is read here only after they have ended.
"""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from storage import clock, db, ledger
from storage.settings import Settings, load
from storage.tables import OBSERVED, SERIES
from tests.upstream import FakeUpstream

ROOT = Path(__file__).resolve().parent.parent
# The key that must turn up nowhere; the fake takes it for that of a demo plan.
CANARY = "CANARY-5f0d2c91ab7e44d3"
LIMIT_S = 90.0

Content = dict[str, list[tuple[Any, ...]]]


def lately() -> datetime:
    """An hour ago, but of today: a market of yesterday would be closed by the second run that sees it, and in
    the first minutes of a day coins are of both."""
    now = datetime.now(UTC)
    then = now - timedelta(hours=1)
    return then if (then - timedelta(minutes=10)).date() == now.date() else now


def frozen_upstream() -> FakeUpstream:
    """A market that stands still: every run is told the same, of the same instant."""
    return FakeUpstream(clock=lately(), demo_key=CANARY)


@dataclass(frozen=True, slots=True)
class Done:
    """How a child ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines of --json."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def finished(self) -> dict[str, Any] | None:
        """The `run_finished` event; None where the run never got there."""
        return next((event for event in self.events if event["event"] == "run_finished"), None)

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        """The `step_finished` events by step."""
        return {event["step"]: event for event in self.events if event["event"] == "step_finished"}


def environment(up: FakeUpstream | None, **more: str) -> dict[str, str]:
    """What a child sees: no pause between requests, the canary as key."""
    base = {"COLLECTOR_PACE_S": "0", "COINGECKO_API_KEY": CANARY}
    return {**os.environ, **base, **(up.env() if up else {}), **more}


def _heeding() -> None:
    """In a child before it starts: what runs these tests in the background may ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def start(up: FakeUpstream | None, *words: str, **env: str) -> "subprocess.Popen[str]":
    """`collect.py WORDS --json` where the words name a pipeline; returns at once."""
    command = [sys.executable, str(ROOT / "collect.py"), *words]
    if {"crypto", "liquidity", "news", "all"} & set(words):
        command.append("--json")
    return subprocess.Popen(
        command,
        env=environment(up, **env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        preexec_fn=_heeding if os.name == "posix" else None,
    )


def ended(process: "subprocess.Popen[str]", within_s: float = LIMIT_S) -> Done:
    """Waits for a child."""
    try:
        out, err = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Done(process.returncode, out, err)


def collect(up: FakeUpstream | None, *words: str, **env: str) -> Done:
    """`start` and `ended`."""
    return ended(start(up, *(words or ("crypto",)), **env))


def python(code: str, *words: str, up: FakeUpstream | None = None, **env: str) -> "subprocess.Popen[str]":
    """A child that runs `code` in the project's folder."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        env=environment(up, **env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heeding if os.name == "posix" else None,
    )


def eventually(true: Callable[[], Any], within_s: float = 45.0) -> Any:
    """Waits until `true()` is, and gives what it gave."""
    give_up = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < give_up, "it did not come to that"
        time.sleep(0.02)
    return found


def live() -> ledger.RunRecord | None:
    """The run that the ledger holds for running."""
    return next((run for run in ledger.runs(load(), 5) if run.state == "running"), None)


LOCKER = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reader")
print("open", flush=True)
time.sleep(float(sys.argv[3]))
"""


@contextmanager
def store_open_elsewhere(
    seconds: float = 600, kind: str = "writer", database: Path | None = None
) -> Iterator[None]:
    """Another program has the store open, for so long or until the block ends."""
    with python(LOCKER, str(database or load().database), kind, str(seconds)) as other:
        assert other.stdout is not None and other.stdout.readline() == "open\n"
        try:
            yield
        finally:
            other.kill()


# ---------------------------------------------------------------- what is left behind


def content(settings: Settings | None = None) -> Content:
    """Every stored row, without which run brought it and when."""
    found: Content = {}
    with db.reader(settings or load(), wait_s=10) as connection:
        for table in (*OBSERVED, SERIES):
            names = ", ".join(
                f'"{name}"' for name, _ in table.all_columns if name not in ("run_id", "observed_at")
            )
            found[table.name] = connection.execute(
                f"SELECT {names} FROM {table.name} ORDER BY ALL"
            ).fetchall()
        found["revision"] = connection.execute("SELECT table_name, key, replaced FROM revision").fetchall()
    return found


def receipts(settings: Settings | None = None) -> set[tuple[str, str]]:
    """(run_id, step) of every receipt."""
    with db.reader(settings or load(), wait_s=10) as connection:
        return set(connection.execute("SELECT run_id, step FROM receipt").fetchall())


def assert_whole(settings: Settings | None = None) -> None:
    """The store opens; of every batch all rows are there or none, and a receipt for every row."""
    settings = settings or load()
    try:
        with db.reader(settings, wait_s=10) as connection:
            promised = dict(
                connection.execute("SELECT table_name, sum(inserted) FROM receipt GROUP BY ALL").fetchall()
            )
            for table in OBSERVED:
                rows = connection.execute(f"SELECT * FROM {table.name}").fetchall()
                assert len(rows) == promised.get(table.name, 0), table.name
                numbers = [value for row in rows for value in row if isinstance(value, float)]
                assert all(map(math.isfinite, numbers)), table.name
                strangers = connection.execute(
                    f"SELECT run_id FROM {table.name} WHERE run_id NOT IN (SELECT run_id FROM receipt)"
                ).fetchall()
                assert strangers == [], table.name
    except db.StoreMissing:
        # Killed before the store was made: then nothing may be promised either.
        assert not any(run.state == "ok" for run in ledger.runs(settings))


def assert_settled(settings: Settings | None = None) -> None:
    """After the next look no row is `running` and no lock of a run is left."""
    settings = settings or load()
    assert ledger.running(settings) is None
    left = sorted(lock.name for lock in (settings.home / "locks").glob("*.lock"))
    assert [name for name in left if name[0].isdigit()] == []


def assert_kept_promises(done: Done, settings: Settings | None = None) -> None:
    """What a run said it has merged has its receipt."""
    said = {
        (event["run_id"], step)
        for step, event in done.steps.items()
        if event["state"] == "ok" and event["counts"]["fetched"]
    }
    assert said and said <= receipts(settings)


def export(settings: Settings | None = None) -> dict[str, Any] | None:
    """The last export, None where there is none yet; JSON and JS both have to parse."""
    folder = (settings or load()).home / "exports"
    for script in folder.glob("*trends.js"):
        text = script.read_text(encoding="ascii")
        json.loads(text.removeprefix("window.CRYPTO_TRENDS = ").removesuffix(";\n"))
    file = folder / "crypto_trends.json"
    if not file.exists():
        return None
    parsed: dict[str, Any] = json.loads(file.read_bytes(), parse_constant=_refuse)
    return parsed


def _refuse(word: str) -> float:
    raise AssertionError(f"{word} is no JSON")


def halves(settings: Settings | None = None) -> list[str]:
    """Files that somebody began and did not finish."""
    home = (settings or load()).home
    return sorted(str(file.relative_to(home)) for file in home.rglob("*") if ".part" in file.name)


def assert_no_canary(*said: Done) -> None:
    """The key is in no file of the home and in nothing that was said."""
    files = [file for file in load().home.rglob("*") if file.is_file()]
    assert [file for file in files if CANARY.encode() in file.read_bytes()] == []
    assert not [done for done in said if CANARY in done.out + done.err]


def assert_good_end(done: Done, expected: Content) -> None:
    """A run that put everything right."""
    assert done.code == 0, (done.out, done.err)
    assert content() == expected
    assert_whole()
    assert_settled()
    assert_kept_promises(done)
    assert halves() == []
    exported = export()
    assert exported is not None and done.finished is not None
    assert exported["run_id"] == done.finished["run_id"]


def log_text() -> str:
    """What was written to the log."""
    return (load().home / "logs" / "collector.log").read_text(encoding="utf-8")


def turn_back(run_id: str, column: str, seconds: float) -> None:
    """Makes an instant of a run that much older."""
    then = clock.stamp(clock.now() - timedelta(seconds=seconds))
    with ledger.connect(load()) as connection:
        connection.execute(f"UPDATE run SET {column}=? WHERE run_id=?", (then, run_id))
    connection.close()
