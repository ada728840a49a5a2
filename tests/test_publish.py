"""What the export and `status` tell: of the run that wrote it, of what was merged late, of a locked store."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage.settings import load
from tests import child
from tests.upstream import FakeUpstream, Fault

HOSTS = ("coingecko", "defillama", "alternative_me")


@pytest.fixture(scope="module")
def market() -> Iterator[FakeUpstream]:
    with child.frozen_upstream() as fake:
        yield fake


@pytest.fixture
def up(market: FakeUpstream) -> Iterator[FakeUpstream]:
    yield market
    market.clear_faults()


def crypto(told: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = told["pipelines"]["crypto"]
    return found


def status() -> dict[str, Any]:
    done = child.collect(None, "status", "--json")
    assert (done.code, done.err) == (0, "")
    return crypto(json.loads(done.out))


def exported() -> dict[str, Any]:
    found = child.export()
    assert found is not None
    return found


def bitcoin() -> float:
    return next(float(coin["price"]) for coin in exported()["coins"] if coin["coin"] == "bitcoin")


@pytest.mark.parametrize("word", ["ok", "partial"])
def test_the_export_tells_the_run_that_wrote_it_as_it_ends(word: str, home: Path, up: FakeUpstream) -> None:
    if word == "partial":
        up.fault("alternative_me", "*", Fault.status(503))
    done = child.collect(up, "crypto")
    assert done.finished is not None and done.finished["state"] == word
    told = crypto(exported()["status"])
    assert exported()["status"]["running"] is None
    same = ("run_id", "state", "outcomes", "exit_code", "started_at", "counts")
    for run in (told["last_run"], told["last_success"]):
        assert {name: run[name] for name in same} == {name: done.finished[name] for name in same}
        assert run["started_at"] <= run["finished_at"] <= done.finished["finished_at"]
    assert told["state"] == word


def test_what_was_replayed_is_exported_though_every_upstream_is_down(home: Path, up: FakeUpstream) -> None:
    assert child.collect(up, "crypto").code == 0
    up.set_price("bitcoin", 99_999.0)
    assert isinstance(up.clock, datetime)
    up.clock += timedelta(minutes=5)
    with child.store_open_elsewhere():
        assert child.collect(up, "crypto").code == 1
    assert bitcoin() != 99_999.0
    for host in HOSTS:
        up.fault(host, "*", Fault.status(404))
    done = child.collect(up, "crypto")
    assert (done.code, done.steps["export"]["state"]) == (3, "ok")
    assert bitcoin() == 99_999.0
    # And only once.
    again = child.collect(up, "crypto")
    assert (again.steps["export"]["state"], again.steps["export"]["reason"]) == ("skipped", "upstream_failed")


def test_what_the_replay_verb_merged_is_exported(home: Path, up: FakeUpstream) -> None:
    with child.store_open_elsewhere(database=made(home)):
        assert child.collect(up, "crypto").code == 1
    assert child.export() is None
    done = child.collect(None, "replay")
    assert (done.code, done.err) == (0, "")
    assert len(exported()["coins"]) == 20
    assert crypto(exported()["status"])["data_as_of"] is not None


def made(home: Path) -> Path:
    home.mkdir()
    return home / "console.duckdb"


def test_what_a_killed_run_merged_is_exported_by_the_next(home: Path, up: FakeUpstream) -> None:
    assert child.collect(up, "crypto", FAULT_POINT="before_export").code == -9
    for host in HOSTS:
        up.fault(host, "*", Fault.status(404))
    assert child.collect(up, "crypto").steps["export"]["state"] == "ok"
    assert len(exported()["coins"]) == 20


@pytest.mark.parametrize("how", ["run", "replay"])
def test_with_the_store_locked_the_days_of_the_last_run_are_told(
    how: str, home: Path, up: FakeUpstream
) -> None:
    if how == "replay":
        with child.store_open_elsewhere(database=made(home)):
            assert child.collect(up, "crypto").code == 1
        assert child.collect(None, "replay").code == 0
    else:
        assert child.collect(up, "crypto").code == 0
    before = status()
    assert before["freshness"] != "never"
    with child.store_open_elsewhere():
        assert status() == before
        told = child.collect(None, "status").out
        part = told.partition("crypto:")[2].partition("news:")[0]
        assert "Another program has the store" in told and part and "never" not in part
    elsewhere = child.collect(None, "status", "--json", COLLECTOR_DATABASE=str(home / "other.duckdb"))
    assert crypto(json.loads(elsewhere.out))["freshness"] == "never"
    assert load().database.name == "console.duckdb"
