"""Whole runs in this process against the fake upstreams: what a failing source costs, and what not."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import collect
from collectors import housekeeping, pipeline
from collectors.http import Http
from storage import clock, db, landing, ledger, read
from storage.settings import load
from tests.upstream import FakeUpstream, Fault

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
CANARY = "CANARY-9d41b7c2"

STEPS = {
    "coingecko.markets": ("coingecko", "/coins/markets"),
    "coingecko.global": ("coingecko", "/global"),
    "defillama.total_tvl": ("defillama", "/v2/historicalChainTvl"),
    "defillama.protocols": ("defillama", "/protocols"),
    "alternative_me.fear_greed": ("alternative_me", "/fng/"),
}
ROWS_OF = {
    "coingecko.markets": "SELECT * FROM crypto_price ORDER BY ALL",
    "coingecko.global": "SELECT * FROM observation WHERE series = 'coingecko.btc_dominance' ORDER BY ALL",
    "defillama.total_tvl": "SELECT * FROM observation WHERE series = 'defillama.total_tvl' ORDER BY ALL",
    "defillama.protocols": "SELECT * FROM protocol_tvl ORDER BY ALL",
    "alternative_me.fear_greed": "SELECT * FROM observation WHERE series LIKE 'alternative_me%' ORDER BY ALL",
}
Rows = list[dict[str, Any]]


@dataclass
class World:
    """A home, the fake upstreams, and one clock for both."""

    home: Path
    up: FakeUpstream
    monkeypatch: pytest.MonkeyPatch
    at: datetime = NOW

    def turn(self, instant: datetime) -> None:
        self.at = self.up.clock = instant
        self.monkeypatch.setattr(clock, "now", lambda: self.at)

    def run(self, *options: str) -> int:
        """A run one minute after the last; its exit code."""
        self.turn(self.at + timedelta(minutes=1))
        return collect.main(["crypto", *options])

    def last(self) -> ledger.RunRecord:
        return ledger.runs(load())[0]

    def steps(self) -> dict[str, ledger.StepRecord]:
        return {step.step: step for step in ledger.steps(load(), self.last().run_id)}

    def ask(self, query: str) -> Rows:
        with db.reader(load()) as connection:
            return read.rows(connection, query)

    def stored(self) -> dict[str, Rows]:
        return {name: self.ask(query) for name, query in ROWS_OF.items()}

    def export(self) -> dict[str, Any]:
        text = (self.home / "exports" / "crypto_trends.json").read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
        return found

    def quarantined(self, step: str, ending: str) -> Path:
        return self.home / "quarantine" / f"{self.last().run_id}.{step}{ending}"

    def told(self, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
        """`status --json`."""
        capsys.readouterr()
        assert collect.main(["status", "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    def sound(self) -> None:
        """What has to hold after anything: nothing is left open, half or held."""
        assert ledger.running(load()) is None
        assert {step.state for step in self.steps().values()} <= {"ok", "failed", "skipped"}
        assert list((self.home / "landing").glob("*.part")) == []
        assert not ledger.lock_path(load(), self.last().run_id).exists()
        for table in ("crypto_price", "protocol_tvl", "observation"):
            orphans = (
                f"SELECT * FROM {table} t ANTI JOIN receipt r ON (t.run_id, t.source) = (r.run_id, r.step)"
            )
            assert self.ask(orphans) == []


def point_at(up: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (up.env() | {"COLLECTOR_PACE_S": "0"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(landing, "RESERVE_BYTES", 4096)
    # Retries are as many as ever and wait for nothing.
    monkeypatch.setattr(pipeline, "Http", partial(Http, random=lambda: 0.0))


@pytest.fixture
def up() -> Iterator[FakeUpstream]:
    with FakeUpstream(clock=NOW) as fake:
        yield fake


@pytest.fixture
def world(home: Path, up: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> World:
    """Nothing was ever collected."""
    point_at(up, monkeypatch)
    made = World(home, up, monkeypatch)
    made.turn(NOW)
    return made


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home after a good run at NOW."""
    folder = tmp_path_factory.mktemp("morning") / "home"
    with FakeUpstream(clock=NOW) as fake, pytest.MonkeyPatch.context() as monkeypatch:
        for name in [name for name in os.environ if name.startswith(("COLLECTOR_", "COINGECKO_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("COLLECTOR_HOME", str(folder))
        point_at(fake, monkeypatch)
        monkeypatch.setattr(clock, "now", lambda: NOW)
        assert collect.main(["crypto"]) == 0
    return folder


@pytest.fixture
def seeded(world: World, morning: Path) -> World:
    """An hour after a good run, in a market that has moved."""
    shutil.copytree(morning, world.home)
    world.up.moving = True
    world.turn(NOW + timedelta(hours=1))
    return world


# ---------------------------------------------------------------- a frozen market


def test_a_frozen_market_is_stored_once_and_the_second_run_writes_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run() == 0
    prices = world.ask("SELECT * FROM crypto_price")
    assert (len(prices), {row["date"] for row in prices}) == (20, {TODAY})
    metrics = world.ask("SELECT * FROM crypto_metric ORDER BY date")
    full = [row for row in metrics if row["btc_dominance"] is not None]
    assert [row["date"] for row in full] == [TODAY]
    assert None not in (full[0]["total_tvl"], full[0]["fear_greed_index"], full[0]["fear_greed_label"])
    # Earlier days come from the two that have a past; the older of them begins in February 2018.
    assert metrics[0]["date"] == date(2018, 2, 1)
    assert metrics[-2]["total_tvl"] is not None
    assert metrics[-2]["fear_greed_index"] is not None
    assert len(world.ask("SELECT * FROM protocol_tvl")) == 30
    before = world.stored()
    assert world.run() == 0
    counts = world.last().counts
    assert (counts.inserted, counts.updated, counts.rejected) == (0, 0, 0)
    assert world.stored() == before
    assert world.ask("SELECT count(*) AS n FROM revision") == [{"n": 0}]
    assert "0 inserted, 0 updated" in capsys.readouterr().out.splitlines()[-1]
    world.sound()


def test_what_a_run_says_as_json_is_one_object_a_line(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run("--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (events[0]["event"], events[-1]["event"]) == ("run_started", "run_finished")
    assert {event["run_id"] for event in events} == {world.last().run_id}
    ended = {event["step"]: event for event in events if event["event"] == "step_finished"}
    assert ended.keys() == {*STEPS, "coingecko.closes", "export"}
    assert (ended["coingecko.closes"]["state"], ended["coingecko.closes"]["reason"]) == ("skipped", "no_key")
    assert ended["coingecko.markets"]["counts"]["inserted"] == 20
    assert (events[-1]["state"], events[-1]["exit_code"], events[-1]["outcomes"]) == (
        "ok",
        0,
        {"crypto": "ok"},
    )


# ---------------------------------------------------------------- upstreams that are down


def test_with_defillama_down_from_the_start_the_others_are_stored(world: World) -> None:
    world.up.fault("defillama", "*", Fault.reset())
    assert world.run() == 1
    stored = world.stored()
    assert len(stored["coingecko.markets"]) == 20
    assert len(stored["alternative_me.fear_greed"]) > 3000
    assert stored["defillama.total_tvl"] == stored["defillama.protocols"] == []
    steps = world.steps()
    for name in ("defillama.total_tvl", "defillama.protocols"):
        assert (steps[name].state, steps[name].kind, steps[name].code) == ("failed", "unavailable", "connect")
    assert (len(world.export()["coins"]), world.export()["protocols"]) == (20, [])
    world.sound()


def test_with_defillama_down_the_tvl_of_an_earlier_run_is_still_there(seeded: World) -> None:
    before = seeded.stored()
    seeded.up.fault("defillama", "*", Fault.status(503))
    assert seeded.run() == 1
    after = seeded.stored()
    for name in ("defillama.total_tvl", "defillama.protocols"):
        assert after[name] == before[name]
    assert seeded.export()["metrics"][-1]["total_tvl"] == before["defillama.total_tvl"][-1]["value"]
    assert len(seeded.export()["protocols"]) == 30
    assert seeded.steps()["coingecko.markets"].counts.updated == 20
    assert seeded.last().outcomes == {"crypto": "partial"}


def test_with_all_down_the_run_fails_and_what_was_stored_stays(seeded: World) -> None:
    before, exported = seeded.stored(), seeded.export()
    seeded.up.down()
    assert seeded.run() == 3
    assert seeded.stored() == before
    assert seeded.export() == exported
    steps = seeded.steps()
    for name in STEPS:
        assert (steps[name].state, steps[name].kind, steps[name].code) == ("failed", "unavailable", "connect")
    assert (steps["export"].state, steps["export"].reason) == ("skipped", "upstream_failed")
    assert seeded.last().state == "failed"
    seeded.sound()


def test_with_all_down_from_the_start_the_run_fails_too(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.up.down()
    assert world.run() == 3
    assert set(map(len, world.stored().values())) == {0}
    pipeline_told = world.told(capsys)["pipelines"]["crypto"]
    assert (pipeline_told["state"], pipeline_told["freshness"]) == ("failed", "never")
    assert (pipeline_told["data_as_of"], pipeline_told["last_success"]) == (None, None)


def test_a_recovered_upstream_is_collected_by_the_next_run(world: World) -> None:
    world.up.fault("defillama", "*", Fault.status(503))
    assert world.run() == 1
    world.up.clear_faults()
    assert world.run() == 0
    assert len(world.stored()["defillama.protocols"]) == 30


def test_a_second_run_at_the_same_time_is_told_so(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.up.fault("coingecko", "/coins/markets", Fault.delay(4))
    first = subprocess.Popen(
        [sys.executable, str(ROOT / "collect.py"), "crypto"], stdout=subprocess.PIPE, text=True
    )
    try:
        give_up = time.monotonic() + 20
        while not world.up.requests:
            assert time.monotonic() < give_up, "the first run never asked for anything"
            time.sleep(0.05)
        # The real clock: a process that still lives is not taken for one that never came.
        world.monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC))
        assert collect.main(["crypto"]) == 75
        assert "under way" in capsys.readouterr().out
        busy = next(run for run in ledger.runs(load()) if run.state == "skipped")
        assert (busy.reason, busy.exit_code, busy.outcomes) == ("busy", 75, {"crypto": "skipped"})
        assert first.wait(timeout=30) == 0
    finally:
        first.kill()
        first.communicate()
    # The one that was turned away asked nobody.
    assert world.up.count("coingecko", "/coins/markets") == 1


# ---------------------------------------------------------------- one bad payload


def times(factor: float) -> Callable[[Rows], Rows]:
    return lambda rows: [row | {"current_price": row["current_price"] * factor} for row in rows]


def without(field: str, every: int) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        for row in rows[::every]:
            del row[field]
        return rows

    return change


def twice(body: bytes) -> bytes:
    return body.replace(b'"id":', b'"id":"x","id":', 1)


MARKETS, GLOBAL, TVL, PROTOCOLS, MOOD = STEPS
OLD = "2026-11-21T00:00:00.000Z"
# step, fault, kind, code, a word of the message.
BAD: list[tuple[str, Fault, str, str, str]] = [
    (MARKETS, Fault.html(), "changed", "html", "web page"),
    (MARKETS, Fault.empty(), "changed", "empty", "empty"),
    (MARKETS, Fault.json([]), "changed", "suspect", "nothing"),
    (MARKETS, Fault.json({"data": []}), "changed", "schema", "/coins/markets"),
    (MARKETS, Fault.rewrite(lambda body: body[:-9]), "changed", "parse", "JSON"),
    (MARKETS, Fault.rewrite(twice), "changed", "schema", "twice"),
    (MARKETS, Fault.edit("*.current_price", float("nan")), "changed", "schema", "non_finite"),
    (MARKETS, Fault.rename("*.current_price", "price_usd"), "changed", "schema", "current_price"),
    (MARKETS, Fault.mutate(without("current_price", 3)), "changed", "suspect", "missing:current_price"),
    (MARKETS, Fault.mutate(lambda rows: rows[::2]), "changed", "suspect", "10 rows"),
    (MARKETS, Fault.mutate(times(1000)), "changed", "suspect", "not in USD"),
    (MARKETS, Fault.edit("*.last_updated", OLD), "changed", "stale", "day old"),
    (MARKETS, Fault.coingecko("server_error"), "unavailable", "http_500", "500"),
    (GLOBAL, Fault.json({"error": "no"}), "refused", "http_422", "422"),
    (GLOBAL, Fault.edit("data.market_cap_percentage.btc", "56.1"), "changed", "schema", "not_a_number"),
    (TVL, Fault.json([[1, 2]]), "changed", "schema", "not_an_object"),
    (TVL, Fault.edit("*.date", 1_795_392_000_000), "changed", "schema", "timestamp"),
    (PROTOCOLS, Fault.gzip_truncated(), "unavailable", "truncated", "broke off"),
    (PROTOCOLS, Fault.edit("*.tvl", "1,234.5"), "changed", "schema", "not_a_number"),
    (MOOD, Fault.edit("data", []), "changed", "suspect", "nothing"),
    (MOOD, Fault.reset(after=20), "unavailable", "connect", "broke off"),
]
# What the network layer refuses has no payload to be kept.
UNREAD = ("html", "empty", "http_500", "http_422", "truncated", "connect")


@pytest.mark.parametrize(
    ("step", "fault", "kind", "code", "word"),
    BAD,
    ids=[f"{n:02}-{step}-{code}" for n, (step, _fault, _kind, code, _word) in enumerate(BAD)],
)
def test_a_bad_payload_costs_its_own_source_alone(
    seeded: World,
    capsys: pytest.CaptureFixture[str],
    step: str,
    fault: Fault,
    kind: str,
    code: str,
    word: str,
) -> None:
    before = seeded.stored()
    seeded.up.fault(*STEPS[step], fault)
    assert seeded.run() == 1
    after, steps = seeded.stored(), seeded.steps()
    failed = steps[step]
    assert (failed.state, failed.kind, failed.code) == ("failed", kind, code), failed.said()
    assert word in (failed.said() or "")
    assert after[step] == before[step]
    for name in STEPS.keys() - {step}:
        assert steps[name].state == "ok"
        assert len(after[name]) == len(before[name])
    moved = {MARKETS: 20, GLOBAL: 1, TVL: 1, PROTOCOLS: 30}
    assert {name: steps[name].counts.updated for name in moved if name != step} == {
        name: n for name, n in moved.items() if name != step
    }
    told = seeded.told(capsys)["pipelines"]["crypto"]
    assert told["state"] == "partial"
    assert {s["source"]: s["reason"] for s in told["sources"] if s["source"] in STEPS} == {
        name: code if name == step else None for name in STEPS
    }
    if code not in UNREAD:
        assert seeded.quarantined(step, ".payload").stat().st_size > 0
        reason = json.loads(seeded.quarantined(step, ".reason.json").read_text())["reason"]
        assert word in reason
    assert len(seeded.export()["coins"]) == 20
    seeded.sound()


# ---------------------------------------------------------------- one bad row


def test_one_price_times_a_thousand_is_quarantined_and_the_rest_stored(seeded: World) -> None:
    before = {row["coin"]: row["price"] for row in seeded.stored()[MARKETS]}
    seeded.up.set_price("solana", before["solana"] * 1000)
    assert seeded.run() == 0
    after = {row["coin"]: row["price"] for row in seeded.stored()[MARKETS]}
    assert after["solana"] == before["solana"]
    assert after["bitcoin"] != before["bitcoin"]
    counts = seeded.steps()[MARKETS].counts
    assert (counts.fetched, counts.updated, counts.rejected) == (20, 19, 1)
    kept = json.loads(seeded.quarantined(MARKETS, ".json").read_text())
    assert [entry["reason"] for entry in kept["rows"]] == ["jump:price"]
    assert kept["rows"][0]["row"]["coin"] == "solana"
    receipt = seeded.ask(
        f"SELECT * FROM receipt WHERE run_id = '{seeded.last().run_id}' AND step = '{MARKETS}'"
    )
    assert (receipt[0]["updated"], receipt[0]["rejected"]) == (19, 1)


@pytest.mark.parametrize("literal", ["NaN", "1e999", '"٣"'])
def test_one_price_that_is_no_number_is_quarantined_and_the_store_stays_finite(
    seeded: World, literal: str
) -> None:
    def change(body: bytes) -> bytes:
        at = body.index(b'"current_price":') + len(b'"current_price":')
        return body[:at] + literal.encode() + body[body.index(b",", at) :]

    seeded.up.fault(*STEPS[MARKETS], Fault.rewrite(change))
    assert seeded.run() == 0
    assert seeded.steps()[MARKETS].counts.rejected == 1
    json.loads(seeded.quarantined(MARKETS, ".json").read_text(), parse_constant=pytest.fail)
    assert seeded.ask("SELECT count(*) AS n FROM crypto_price WHERE NOT isfinite(price)") == [{"n": 0}]
    seeded.export()


def test_a_coin_that_comes_twice_is_one_row_the_last_and_is_counted(world: World) -> None:
    again = Fault.mutate(lambda rows: [*rows, rows[0] | {"current_price": 12345}])
    world.up.fault(*STEPS[MARKETS], again)
    assert world.run() == 0
    counts = world.steps()[MARKETS].counts
    assert (counts.fetched, counts.inserted, counts.duplicate) == (21, 20, 1)
    assert world.ask("SELECT price FROM crypto_price WHERE coin = 'bitcoin'") == [{"price": 12345.0}]


def test_hostile_names_are_stored_clean_and_exported_as_text(world: World) -> None:
    names = [
        "<img src=x onerror=alert(1)>",
        "Nul\0 and \u202eRTL",
        "\ud800half",
        "x" * 1_000_000,
        "=HYPERLINK(1)",
    ]

    def change(rows: Rows) -> Rows:
        for row, name in zip(rows, names, strict=False):
            row["name"] = name
        return rows

    world.up.fault(*STEPS[MARKETS], Fault.mutate(change))
    assert world.run() == 0
    stored = [row["name"] for row in world.ask("SELECT name FROM crypto_price ORDER BY rank LIMIT 5")]
    assert stored == [names[0], "Nul and RTL", "half", "x" * 120, "=HYPERLINK(1)"]
    assert [coin["name"] for coin in world.export()["coins"]][:5] == stored


# ---------------------------------------------------------------- keys


def holders(folder: Path, secret: str) -> list[str]:
    return [
        str(file) for file in folder.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()
    ]


@pytest.mark.parametrize("known", [True, False], ids=["accepted", "refused"])
def test_the_key_is_nowhere_but_in_the_header(
    world: World, capsys: pytest.CaptureFixture[str], known: bool
) -> None:
    world.monkeypatch.setenv("COINGECKO_API_KEY", CANARY)
    if known:
        world.up._gecko.demo_key = CANARY
    else:
        # An upstream that repeats what it was sent.
        body = json.dumps({"status": {"error_code": 10002, "error_message": f"{CANARY} is no key"}})
        world.up.fault("coingecko", "*", Fault.status(401, body))
    assert world.run("--json") == (0 if known else 1)
    assert world.steps()[MARKETS].kind == (None if known else "refused")
    assert CANARY in [seen.headers.get("x-cg-demo-api-key") for seen in world.up.requests]
    for verb in (["status"], ["status", "--json"], ["export"], ["replay"], ["crypto"]):
        collect.main(verb)
    said = capsys.readouterr()
    assert CANARY not in said.out + said.err
    assert len(list(world.home.rglob("*"))) > 10
    assert holders(world.home, CANARY) == []


def test_a_payload_that_repeats_the_key_is_kept_without_it(world: World) -> None:
    world.monkeypatch.setenv("COINGECKO_API_KEY", CANARY)
    world.up.fault(*STEPS[MARKETS], Fault.json({"you": {"sent": CANARY}}))
    world.up.fault(*STEPS[GLOBAL], Fault.json({"data": {"market_cap_percentage": {"btc": CANARY}}}))
    assert world.run() == 1
    assert world.quarantined(MARKETS, ".payload").exists()
    assert holders(world.home, CANARY) == []


# ---------------------------------------------------------------- settings and usage


BAD_SETTINGS = [
    ("COINGECKO_API_KEY", "CG-\x07bell"),
    ("COINGECKO_API_KEY", "two words"),
    ("COINGECKO_API_KEY", "CG-schlüssel"),
    ("COINGECKO_PLAN", "gold"),
    ("COLLECTOR_PACE_S", "-1"),
    ("COLLECTOR_PACE_S", "nan"),
    ("COLLECTOR_DEADLINE_S", "0"),
    ("COLLECTOR_REQUEST_TIMEOUT_S", "soon"),
    ("COLLECTOR_COINGECKO_URL", "ftp://example.org"),
    ("COLLECTOR_DEFILLAMA_URL", "api.llama.fi"),
    ("COLLECTOR_FEAR_GREED_URL", "http://user@host"),
    ("COLLECTOR_TIMEZONE", "Mars/Olympus"),
    ("COLLECTOR_SCHEDULE", "25:00 crypto"),
    ("COLLECTOR_LANG", "de"),
    ("COLLECTOR_BIND", "0.0.0.0"),
    ("COLLECTOR_PORT", "99999"),
    ("COLLECTOR_DEMO", "maybe"),
]


@pytest.mark.parametrize(("name", "value"), BAD_SETTINGS)
@pytest.mark.parametrize("words", [["crypto"], ["status"], ["replay"]], ids=lambda words: words[0])
def test_a_bad_setting_stops_everything_and_is_named(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    name: str,
    value: str,
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        collect.main(words)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert name in said
    assert "Allowed:" in said
    assert value not in said or not name.endswith("KEY")
    assert not home.exists()


def test_a_blank_key_is_no_key(world: World) -> None:
    world.monkeypatch.setenv("COINGECKO_API_KEY", " \t ")
    assert world.run() == 0
    assert world.steps()["coingecko.closes"].reason == "no_key"
    assert not [seen for seen in world.up.requests if "x-cg-demo-api-key" in seen.headers]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["crypto", "nonsense"],
        ["alerts"],
        ["news", "nonsense"],
        ["backup"],
        ["backfill", "crypto"],
        ["backfill", "--mode", "some"],
        ["backfill", "--since", "yesterday"],
        ["backfill", "--since", "2999-01-01"],
        ["backfill", "--source", "nobody"],
        ["backfill", "--since", "2026-02-02", "--until", "2026-02-01"],
        ["doctor", "crypto"],
        ["crypto", "--nope"],
        ["crypto", "--trigger", "cat"],
        ["crypto", "--wait", "soon"],
        ["crypto", "--wait", "-1"],
        ["crypto", "--wait", "nan"],
        ["crypto", "--tri", "cli"],
        ["status", "--nope"],
        ["status", "crypto"],
        ["--nope"],
    ],
    ids=" ".join,
)
def test_what_is_not_understood_gets_the_usage(
    home: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        collect.main(words)
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert said.err.startswith("usage: collect.py")
    assert not home.exists()


# ---------------------------------------------------------------- clocks that are wrong


@contextmanager
def dated(world: World, step: str, setting: str, ahead: timedelta) -> Iterator[None]:
    """That upstream answers as it does, on a server whose clock is ahead."""
    host, path = STEPS[step]
    with FakeUpstream(clock=world.at + ahead) as server:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        body = opener.open(world.up.env()[setting] + path).read()
        server.fault(host, path, Fault.status(200, body))
        world.monkeypatch.setenv(setting, server.env()[setting])
        yield


def test_an_upstream_whose_clock_is_a_day_ahead_ends_nobodys_day(seeded: World) -> None:
    with dated(seeded, "alternative_me.fear_greed", "COLLECTOR_FEAR_GREED_URL", timedelta(days=1)):
        assert seeded.run() == 0
    for table in ("crypto_price", "protocol_tvl"):
        assert seeded.ask(f"SELECT DISTINCT provisional FROM {table} WHERE date = '{TODAY}'") == [
            {"provisional": True}
        ]


def test_an_answer_of_a_far_day_is_not_believed_and_names_the_clock(seeded: World) -> None:
    before = seeded.stored()["defillama.protocols"]
    with dated(seeded, "defillama.protocols", "COLLECTOR_DEFILLAMA_URL", timedelta(days=300_000)):
        assert seeded.run() == 1
    step = seeded.steps()["defillama.protocols"]
    assert (step.state, step.kind, step.code) == ("failed", "unavailable", "suspect")
    assert "clock" in (step.said() or "")
    assert seeded.stored()["defillama.protocols"] == before


def test_a_coin_of_tomorrow_is_refused_and_the_others_are_shown(world: World) -> None:
    def tomorrow(rows: Rows) -> Rows:
        rows[3]["last_updated"] = (world.at + timedelta(days=1)).isoformat()
        return rows

    world.up.fault(*STEPS[MARKETS], Fault.mutate(tomorrow))
    assert world.run() == 0
    assert world.ask("SELECT DISTINCT date FROM crypto_price") == [{"date": TODAY}]
    assert world.steps()[MARKETS].counts.rejected == 1
    assert len(world.export()["coins"]) == 19


def test_a_page_that_was_drawn_before_the_days_were_sealed_is_drawn_again(
    seeded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def provisional() -> list[bool]:
        prices = read.frames(load()).prices
        return sorted(set(prices[prices["date"].dt.date == TODAY]["provisional"].tolist()))

    close = housekeeping.close_store
    seen: list[list[bool]] = []

    def watched(*arguments: Any) -> None:
        seen.append(provisional())
        close(*arguments)

    monkeypatch.setattr(housekeeping, "close_store", watched)
    seeded.turn(NOW + timedelta(days=1))
    assert seeded.run() == 0
    assert [*seen, provisional()] == [[True], [False]]


def test_threads_that_read_at_the_same_time_never_find_the_store_busy(seeded: World) -> None:
    over, told = threading.Event(), []

    def slowly() -> None:
        while not over.is_set():
            with db.reader(load()):
                time.sleep(0.3)

    readers = [threading.Thread(target=slowly) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(5):
            told.append((read.probe(load()), read.stored(load()).problem, read.frames(load()).problem))
            seeded.monkeypatch.setattr(read, "_stored", {})
            seeded.monkeypatch.setattr(read, "_kept", {})
    finally:
        over.set()
        for reader in readers:
            reader.join()
    assert told == [("ok", None, None)] * 5
