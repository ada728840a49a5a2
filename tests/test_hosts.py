"""Turns, waits and breaker of a host, as several processes share them."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.hosts import SCHEMA, Hosts, mark_of

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Wall:
    """A wall clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "ledger.sqlite"
    with closing(open_ledger(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(SCHEMA)
    return file


def open_ledger(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA busy_timeout = 5000")
    return connection


@pytest.fixture
def hosts(path: Path) -> Iterator[Hosts]:
    yield Hosts(lambda: open_ledger(path))


def test_the_second_turn_comes_one_pace_after_the_first(hosts: Hosts, wall: Wall) -> None:
    assert hosts.take_turn("a:443", wall, 2.0, None) == 0
    wall.move(0.5)
    assert hosts.take_turn("a:443", wall, 2.0, None) == pytest.approx(1.5)
    wall.move(1.5)
    assert hosts.take_turn("a:443", wall, 2.0, None) == 0


def test_hosts_do_not_wait_for_each_other(hosts: Hosts, wall: Wall) -> None:
    assert hosts.take_turn("a:443", wall, 2.0, None) == 0
    assert hosts.take_turn("b:443", wall, 2.0, None) == 0


def test_waiting_does_not_take_a_turn(hosts: Hosts, wall: Wall) -> None:
    hosts.take_turn("a:443", wall, 2.0, None)
    for _ in range(5):
        assert hosts.take_turn("a:443", wall, 2.0, None) == pytest.approx(2.0)


def test_five_a_minute_hold_in_any_window_of_sixty_seconds(hosts: Hosts, wall: Wall) -> None:
    for _ in range(5):
        assert hosts.take_turn("a:443", wall, 2.0, 5) == 0
        wall.move(2)
    # The first was at 0 s, now it is 10 s.
    assert hosts.take_turn("a:443", wall, 2.0, 5) == pytest.approx(50.0)
    wall.move(50.001)
    assert hosts.take_turn("a:443", wall, 2.0, 5) == 0
    assert hosts.take_turn("a:443", wall, 0.0, 5) == pytest.approx(1.999, abs=0.01)


def test_a_clock_set_back_costs_no_more_than_the_pace(hosts: Hosts, wall: Wall) -> None:
    hosts.take_turn("a:443", wall, 2.0, None)
    wall.move(-86_400)
    assert hosts.take_turn("a:443", wall, 2.0, None) <= 2.0
    wall.move(2)
    assert hosts.take_turn("a:443", wall, 2.0, None) == 0


def test_a_clock_set_back_costs_no_more_than_the_window(hosts: Hosts, wall: Wall) -> None:
    for _ in range(5):
        hosts.take_turn("a:443", wall, 0.0, 5)
    wall.move(-86_400)
    assert hosts.take_turn("a:443", wall, 0.0, 5) <= 60.0
    wall.move(60.5)
    assert hosts.take_turn("a:443", wall, 0.0, 5) == 0


def test_a_clock_set_back_does_not_lengthen_an_agreed_wait(hosts: Hosts, wall: Wall) -> None:
    hosts.defer("a:443", wall() + timedelta(seconds=100), wall)
    wall.move(-86_400)
    assert hosts.take_turn("a:443", wall, 0.0, None) == pytest.approx(100, abs=1)
    wall.move(101)
    assert hosts.take_turn("a:443", wall, 0.0, None) == 0


def test_a_clock_that_was_a_year_ahead_does_not_block(hosts: Hosts, wall: Wall) -> None:
    wall.move(365 * 86_400)
    hosts.take_turn("a:443", wall, 2.0, 5)
    wall.move(-365 * 86_400)
    assert hosts.take_turn("a:443", wall, 2.0, 5) <= 2.0


def test_a_deferred_host_is_left_alone_even_without_a_pace(hosts: Hosts, wall: Wall) -> None:
    hosts.defer("a:443", wall() + timedelta(seconds=30), wall)
    assert hosts.allowed_at("a:443") == START + timedelta(seconds=30)
    assert hosts.take_turn("a:443", wall, 0.0, None) == pytest.approx(30)
    wall.move(30)
    assert hosts.take_turn("a:443", wall, 0.0, None) == 0


def test_a_shorter_wait_does_not_replace_a_longer_one(hosts: Hosts, wall: Wall) -> None:
    hosts.defer("a:443", wall() + timedelta(seconds=90), wall)
    hosts.defer("a:443", wall() + timedelta(seconds=10), wall)
    assert hosts.allowed_at("a:443") == START + timedelta(seconds=90)


def test_nobody_knows_a_host_that_was_never_asked(hosts: Hosts) -> None:
    assert hosts.allowed_at("a:443") is None


def gate(hosts: Hosts, wall: Wall, *, eager: bool = False, key: str = "") -> str:
    return hosts.admit("a:443", wall, key, eager=eager, probe_s=30).state


def test_the_fifth_failure_in_a_row_opens_the_breaker_for_ten_minutes(hosts: Hosts, wall: Wall) -> None:
    for _ in range(4):
        assert not hosts.failed("a:443", wall)
    assert gate(hosts, wall) == "closed"
    assert hosts.failed("a:443", wall)
    assert gate(hosts, wall) == "open"
    wall.move(599)
    assert gate(hosts, wall) == "open"
    wall.move(2)
    assert gate(hosts, wall) == "probe"


def test_a_success_between_failures_starts_the_count_again(hosts: Hosts, wall: Wall) -> None:
    for _ in range(4):
        hosts.failed("a:443", wall)
    hosts.succeeded("a:443", wall)
    assert not hosts.failed("a:443", wall)
    assert gate(hosts, wall) == "closed"


def test_only_one_probe_is_under_way(hosts: Hosts, wall: Wall) -> None:
    for _ in range(5):
        hosts.failed("a:443", wall)
    wall.move(601)
    assert [gate(hosts, wall) for _ in range(3)] == ["probe", "open", "open"]
    hosts.failed("a:443", wall)
    assert gate(hosts, wall) == "open"
    wall.move(601)
    assert gate(hosts, wall) == "probe"
    hosts.succeeded("a:443", wall)
    assert gate(hosts, wall) == "closed"


def test_a_probe_whose_process_died_is_forgotten(hosts: Hosts, wall: Wall) -> None:
    for _ in range(5):
        hosts.failed("a:443", wall)
    wall.move(601)
    assert gate(hosts, wall) == "probe"
    wall.move(31)
    assert gate(hosts, wall) == "probe"


def test_a_probe_that_was_not_sent_is_given_back(hosts: Hosts, wall: Wall) -> None:
    for _ in range(5):
        hosts.failed("a:443", wall)
    assert gate(hosts, wall, eager=True) == "probe"
    hosts.released("a:443", wall)
    assert gate(hosts, wall, eager=True) == "probe"


def test_refused_credentials_shut_out_only_themselves(hosts: Hosts, wall: Wall) -> None:
    hosts.denied("a:443", wall, "x-key=old")
    assert gate(hosts, wall, key="x-key=old") == "open"
    assert gate(hosts, wall, key="x-key=new") == "closed"
    assert gate(hosts, wall, key="") == "closed"
    wall.move(601)
    assert gate(hosts, wall, key="x-key=old") == "probe"


def test_the_breaker_closes_in_time_although_the_clock_was_set_back(hosts: Hosts, wall: Wall) -> None:
    for _ in range(5):
        hosts.failed("a:443", wall)
    wall.move(-86_400)
    assert gate(hosts, wall) == "open"
    wall.move(601)
    assert gate(hosts, wall) == "probe"


def test_a_closed_breaker_stays_closed_when_the_clock_is_set_back(hosts: Hosts, wall: Wall) -> None:
    hosts.succeeded("a:443", wall)
    wall.move(-86_400)
    assert gate(hosts, wall) == "closed"
    assert hosts.allowed_at("a:443") is None


def test_the_key_itself_is_not_stored(hosts: Hosts, wall: Wall, path: Path) -> None:
    hosts.denied("a:443", wall, "x-key=CANARY-1")
    written = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"a:443" in written
    assert b"CANARY" not in written
    assert mark_of("x-key=CANARY-1") != mark_of("x-key=CANARY-1")


def test_a_failing_clock_leaves_the_row_as_it_was(hosts: Hosts, wall: Wall) -> None:
    def broken() -> datetime:
        raise RuntimeError

    hosts.defer("a:443", wall() + timedelta(seconds=5), wall)
    with pytest.raises(RuntimeError):
        hosts.succeeded("a:443", broken)
    assert hosts.take_turn("a:443", wall, 0.0, None) == pytest.approx(5)


def test_threads_share_the_pace(hosts: Hosts) -> None:
    taken: list[float] = []

    def work() -> None:
        for _ in range(3):
            while wait := hosts.take_turn("a:443", lambda: datetime.now(UTC), 0.05, None):
                time.sleep(wait)
            taken.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 12
    assert max(taken) - min(taken) >= 11 * 0.05 - 0.03


PROCESS = """
import sqlite3, sys, time
from datetime import UTC, datetime
from storage.hosts import Hosts
def connect():
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("PRAGMA busy_timeout = 5000")
    return connection
hosts = Hosts(connect)
for _ in range(5):
    while wait := hosts.take_turn("a:443", lambda: datetime.now(UTC), 0.1, None):
        time.sleep(wait)
    print(time.time())
"""


def test_processes_share_the_pace(path: Path) -> None:
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", PROCESS, str(path)]
    running = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    taken = sorted(float(line) for child in running for line in child.communicate(timeout=30)[0].split())
    assert len(taken) == 10
    assert taken[-1] - taken[0] >= 9 * 0.1 - 0.05
