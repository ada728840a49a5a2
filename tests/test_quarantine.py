"""`collect.py quarantine` through the command line against the fake upstreams: what was refused is listed,
shown, stored after all with what was known of it, or dropped.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

import collect
from collectors import registry
from collectors.doctor import examine
from collectors.model import Ask, Batch, Source
from collectors.quarantine import words
from storage import clock, landing, ledger, quarantine, typed
from storage.ledger_movement import movements
from storage.quarantine import Origin
from storage.settings import load
from storage.tables import CRYPTO_PRICE
from tests import child
from tests.test_isolation import (  # noqa: F401
    MARKETS,
    MOOD,
    NOW,
    STEPS,
    World,
    morning,
    seeded,
    up,
    world,
)
from tests.upstream import DEMO_KEY, FRED_KEY, FakeUpstream, Fault

CANARY = "CANARY-77b0e1f2"
RUN = "20261101-060000-abcdef"
HOSTILE = "\x1b[2J\x1b]0;gone\x07\u202eevil\r\nrm -rf\x00\ud800"

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Say:
    """`collect.py quarantine …`: exit code, and everything that it printed."""

    def ask(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        try:
            code = collect.main(["quarantine", *words])
        except SystemExit as end:
            code = int(str(end.code))
        told = capsys.readouterr()
        return code, told.out + told.err

    return ask


def things() -> list[quarantine.Thing]:
    return quarantine.things(load())


def the_id() -> str:
    (thing,) = things()
    return thing.id


def price(world: World, coin: str) -> dict[str, Any]:
    (row,) = world.ask(f"SELECT * FROM crypto_price WHERE coin = '{coin}' AND date = DATE '2026-11-23'")
    return row


def jumped(world: World, *coins: str) -> str:
    """A run in which these coins cost 25 times as much; its id."""
    for coin in coins:
        world.up.set_price(coin, price(world, coin)["price"] * 25)
    assert world.run() == 0
    return world.last().run_id


def keep(rows: list[dict[str, object]], source: str = MARKETS, at: datetime = NOW, run_id: str = RUN) -> str:
    """Rows as a run would have set them aside."""
    entries = [{"row": row, "reason": "jump:price"} for row in rows]
    quarantine.keep_rows(load(), Origin(run_id, source, source, at), entries)
    return f"{run_id}.{source}"


def coin(which: str = "solana", **more: object) -> dict[str, object]:
    return {column: None for column, _kind in CRYPTO_PRICE.columns} | {
        "coin": which, "date": date(2026, 11, 23), "price": 99.5, "before": 4.0, **more,
    }  # fmt: skip


@contextmanager
def changed(monkeypatch: pytest.MonkeyPatch, source: Source, **fields: Any) -> Iterator[None]:
    """The registry with another version of a source."""
    with monkeypatch.context() as patch:
        other = replace(source, **fields)
        patch.setitem(registry.SOURCES, source.name, other)
        for name, sources in registry.PIPELINES.items():
            patched = tuple(other if one.name == source.name else one for one in sources)
            patch.setitem(registry.PIPELINES, name, patched)
        yield


# ---------------------------------------------------------------- rows


def test_a_row_that_was_set_aside_is_listed_shown_and_stored_with_what_was_known_of_it(
    seeded: World, said: Say
) -> None:
    before = price(seeded, "solana")
    refused = jumped(seeded, "solana")
    other = price(seeded, "bitcoin")
    thing = f"{refused}.{MARKETS}"
    code, told = said()
    assert code == 0
    assert told.startswith(thing)
    assert "1 row" in told and "price is too far from the value before it" in told
    one = json.loads(said("--json")[1])["things"][0]
    assert (one["id"], one["kind"], one["source"], one["rows"]) == (thing, "rows", MARKETS, 1)
    code, told = said("show", thing)
    assert code == 0
    assert "1  price is too far" in told and "coin=solana" in told and "before=" in told
    assert said("accept", thing)[0] == 0
    stored = price(seeded, "solana")
    assert stored["price"] == pytest.approx(before["price"] * 25)
    run = seeded.last()
    assert (stored["run_id"], stored["source"]) == (run.run_id, MARKETS)
    assert (stored["observed_at"], stored["provisional"]) == (other["observed_at"], True)
    assert (run.pipelines, run.trigger, run.state, run.exit_code) == (("quarantine",), "cli", "ok", 0)
    (step,) = ledger.steps(load(), run.run_id)
    assert (step.step, step.source, step.table, step.counts.updated) == (MARKETS, MARKETS, "crypto_price", 1)
    assert seeded.ask(f"SELECT step FROM receipt WHERE run_id = '{run.run_id}'") == [{"step": MARKETS}]
    assert stored["price"] in {one["price"] for one in seeded.export()["coins"]}
    log = (seeded.home / "logs" / "collector.log").read_text()
    assert f"[START] quarantine accept {thing}" in log and f"[OK] quarantine accept {thing}" in log
    seeded.sound()
    assert "Nothing is in quarantine" in said()[1]
    code, told = said("accept", thing)
    assert code == 0 and f"accepted by run {run.run_id}" in told
    assert "Accepted" in said("show", thing)[1]
    assert len(ledger.runs(load())) == 3


def test_single_rows_are_accepted_by_number_and_the_numbers_stay(seeded: World, said: Say) -> None:
    before = price(seeded, "solana"), price(seeded, "bitcoin")
    thing = f"{jumped(seeded, 'solana', 'bitcoin')}.{MARKETS}"
    entries = quarantine.entries(quarantine.about(load(), things()[0]))
    n = 1 + [one["row"]["coin"] for one in entries].index("solana")
    assert said("accept", thing, "--row", str(n))[0] == 0
    first = seeded.last().run_id
    assert price(seeded, "solana")["price"] == pytest.approx(before[0]["price"] * 25)
    assert price(seeded, "bitcoin")["price"] == before[1]["price"]
    assert "1 row" in said()[1]
    assert f"accepted by run {first}" in said("show", thing)[1]
    code, told = said("accept", thing, "--row", str(n))
    assert (code, seeded.last().run_id) == (0, first)
    assert "accepted already" in told
    code, told = said("accept", thing, "--row", "9")
    assert code == 1 and "no such row; it has 2" in told
    assert said("accept", thing)[0] == 0
    assert price(seeded, "bitcoin")["price"] == pytest.approx(before[1]["price"] * 25)
    assert things() == []


def test_a_value_that_is_newer_stays_and_the_accepted_one_goes_to_its_past(seeded: World, said: Say) -> None:
    before = price(seeded, "solana")["price"]
    thing = f"{jumped(seeded, 'solana')}.{MARKETS}"
    seeded.up.set_price("solana", before * 1.01)
    assert seeded.run() == 0
    newer = price(seeded, "solana")
    code, told = said("accept", thing)
    assert code == 0 and "something newer" in told
    assert price(seeded, "solana") == newer
    (past,) = seeded.ask(
        "SELECT replaced FROM revision WHERE key LIKE '%solana%' ORDER BY known_at DESC LIMIT 1"
    )
    assert json.loads(past["replaced"])["price"] == pytest.approx(before * 25)
    assert things() == []


def test_a_row_that_never_was_one_of_the_table_stays_and_says_why(seeded: World, said: Say) -> None:
    def change(body: bytes) -> bytes:
        at = body.index(b'"current_price":') + len(b'"current_price":')
        return body[:at] + b"NaN" + body[body.index(b",", at) :]

    seeded.up.fault(*STEPS[MARKETS], Fault.rewrite(change))
    assert seeded.run() == 0
    before, runs = seeded.stored(), len(ledger.runs(load()))
    assert "not a finite number" in said()[1]
    code, told = said("accept", the_id())
    assert code == 1 and "row 1 stays: it lacks coin, date" in told
    log = (seeded.home / "logs" / "collector.log").read_text()
    assert f"[FAIL] quarantine accept {the_id()} row 1" in log and "[OK] quarantine" not in log
    assert (seeded.stored(), len(ledger.runs(load())), len(things())) == (before, runs, 1)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (coin(price=float("nan")), "price"),
        (coin(price=float("inf")), "price"),
        (coin(price="1e999"), "price"),
        (coin(price=True), "price"),
        (coin(coin=None), "coin"),
        (coin(coin=""), "coin"),
        (coin(date=None), "date"),
        (coin(date="soon"), "date"),
        (coin(rank=1 << 40), "rank"),
        (coin(rank=1.5), "rank"),
        (coin(name="\ud800"), "name"),
        ({"coin": "solana", "date": date(2026, 11, 23)}, "price"),
    ],
)
def test_what_the_table_cannot_hold_is_never_accepted(
    seeded: World, said: Say, row: dict[str, object], why: str
) -> None:
    before = seeded.stored()
    thing = keep([row, coin("bitcoin", price=1.5)])
    code, told = said("accept", thing, "--row", "1")
    assert code == 1 and why in told
    assert seeded.stored() == before
    # The other row is none the worse for it.
    assert said("accept", thing)[0] == 1
    assert price(seeded, "bitcoin")["price"] != 1.5, "older than what is stored"
    assert seeded.ask("SELECT * FROM crypto_price WHERE NOT isfinite(price)") == []
    assert "1 row" in said()[1]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), True, "1", 10**400])
def test_a_number_that_is_none_has_no_type(value: object) -> None:
    with pytest.raises(typed.Untyped) as why:
        typed.row(CRYPTO_PRICE, coin(price=value, date="2026-11-23"))
    assert (why.value.missing, why.value.wrong) == ([], ["price"])


def test_rows_of_a_series_that_is_none_of_its_source_stay(seeded: World, said: Say) -> None:
    row: dict[str, object] = {"series": "fred.DGS10", "date": date(2026, 11, 20), "value": 4.0, "note": None}
    code, told = said("accept", keep([row], MOOD))
    assert code == 1 and "has no series fred.DGS10" in told


def test_the_days_between_two_accepted_rows_are_not_taken_for_days_without_a_value(
    seeded: World, said: Say
) -> None:
    rows: list[dict[str, object]] = [
        {"series": "fred.DGS10", "date": date(2026, 11, day), "value": 4.0 + day, "note": None}
        for day in (2, 20)
    ]
    assert said("accept", keep(rows, "fred.DGS10"))[0] == 0
    assert seeded.ask("SELECT count(*) AS n FROM observation WHERE series = 'fred.DGS10'") == [{"n": 2}]
    assert seeded.ask("SELECT count(*) AS n FROM series WHERE series = 'fred.DGS10'") == [{"n": 1}]
    assert seeded.ask("SELECT count(*) AS n FROM absent WHERE series = 'fred.DGS10'") == [{"n": 0}]


def test_accepting_says_nothing_of_the_upstream_and_is_no_run_of_its_pipeline(
    seeded: World, said: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    thing = f"{jumped(seeded, 'solana')}.{MARKETS}"
    run, moved = seeded.last().run_id, movements(load(), clock.now())[MARKETS]
    seeded.turn(NOW + timedelta(hours=3))
    assert said("accept", thing)[0] == 0
    assert seeded.last().run_id != run
    assert movements(load(), clock.now())[MARKETS] == moved
    assert seeded.told(capsys)["pipelines"]["crypto"]["last_run"]["run_id"] == run
    # The next run finds nothing to complain of, and the receipts agree with the ledger.
    seeded.run()
    log = (seeded.home / "logs" / "collector.log").read_text()
    assert "no receipt" not in log


# ---------------------------------------------------------------- answers


def test_a_refused_answer_is_stored_once_the_parser_reads_it(
    world: World, said: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "SELECT * EXCLUDE (run_id) FROM crypto_price ORDER BY ALL"
    world.up.fault(*STEPS[MARKETS], Fault.rename("*.current_price", "price_usd"))
    assert world.run() == 1
    then, thing = world.at, the_id()
    told = said()[1]
    assert "answer, " in told and "current_price" in told
    assert "bitcoin" in said("show", thing)[1]
    code, told = said("accept", thing)
    assert code == 1 and "current_price" in told
    assert (the_id(), world.ask(query)) == (thing, [])
    source = registry.SOURCES[MARKETS]

    def parse(answers: Any, ask: Ask) -> Batch:
        assert source.parse is not None
        known = [replace(one, body=one.body.replace(b"price_usd", b"current_price")) for one in answers]
        return source.parse(known, ask)

    world.turn(then + timedelta(days=1))
    with changed(monkeypatch, source, parse=parse):
        code, told = said("accept", thing)
    assert code == 0 and "20 inserted" in told
    after = world.ask(query)
    assert {row["run_id"] for row in world.ask("SELECT run_id FROM crypto_price")} == {world.last().run_id}
    assert things() == []
    assert "accepted" in said("accept", thing)[1]
    # As if it had been read on that day.
    monkeypatch.setenv("COLLECTOR_HOME", str(tmp_path / "control"))
    world.up.clear_faults()
    world.turn(then - timedelta(minutes=1))
    assert world.run() == 0
    assert after == world.ask(query)


def test_what_a_stumbling_parser_was_given_is_kept_and_can_be_read_again(
    seeded: World, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(answers: Any, ask: Ask) -> Batch:
        raise KeyError("price")

    with changed(monkeypatch, registry.SOURCES[MARKETS], parse=parse):
        assert seeded.run() == 1
        code, told = said("accept", the_id())
    assert code == 1 and "KeyError" in told
    assert said("accept", the_id())[0] == 0
    assert {row["run_id"] for row in seeded.stored()[MARKETS]} == {seeded.last().run_id}


def test_of_an_answer_that_is_read_again_the_checks_set_aside_what_they_would_have(
    seeded: World, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = price(seeded, "solana")
    seeded.up.set_price("solana", before["price"] * 25)
    with changed(monkeypatch, registry.SOURCES[MARKETS], rows=(500, 600)):
        assert seeded.run() == 1
    thing = the_id()
    code, told = said("accept", thing)
    assert code == 0 and "19 updated" in told and "1 row of it was set aside again" in told
    assert price(seeded, "solana") == before
    # Under the name of the run that did it.
    assert the_id() == f"{seeded.last().run_id}.{MARKETS}"
    assert "1 row" in said()[1]


def test_every_answer_of_a_step_is_kept_and_read_again(
    seeded: World, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COINGECKO_API_KEY", DEMO_KEY)
    seeded.turn(NOW + timedelta(hours=18))
    seeded.up.fault("coingecko", "/coins/*/market_chart", Fault.rename("prices", "price"))
    seeded.run()
    thing = next(one for one in things() if one.step == "coingecko.closes")
    kept = quarantine.answers(thing, quarantine.about(load(), thing))
    assert len(kept) == 20 and len({said["item"] for said, _body in kept}) == 20
    assert "20 answers, " in said()[1]
    assert "and 15 more" in said("show", thing.id)[1]
    source = registry.SOURCES["coingecko.closes"]

    def parse(answers: Any, ask: Ask) -> Batch:
        assert source.parse is not None
        return source.parse(
            [replace(one, body=one.body.replace(b'"price":', b'"prices":')) for one in answers], ask
        )

    seeded.turn(NOW + timedelta(days=2))
    with changed(monkeypatch, source, parse=parse):
        assert said("accept", thing.id)[0] == 0
    closed = seeded.ask("SELECT * FROM crypto_price WHERE date = DATE '2026-11-23'")
    assert {(row["source"], row["run_id"]) for row in closed} == {("coingecko.closes", seeded.last().run_id)}
    assert len(closed) == 20 and not any(row["provisional"] for row in closed)


@pytest.mark.parametrize("name", ["fred.DGS10", "yahoo.SPY", "yahoo.^VIX", "feeds.headlines"])
def test_a_source_with_a_library_of_its_own_reads_what_was_kept(
    world: World, said: Say, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRED_API_KEY", FRED_KEY)
    source = registry.SOURCES[name]
    # A check that nothing passes, as one that was too narrow.
    with changed(monkeypatch, source, rows=(500_000, 600_000)):
        assert collect.main(["liquidity", "--source", name]) != 0
    thing = the_id()
    shutil.copytree(world.home, tmp_path / "control")
    asked = len(world.up.requests)
    world.turn(world.at + timedelta(days=1))
    code, told = said("accept", thing)
    assert code == 0, told
    assert len(world.up.requests) == asked, "nobody is asked"
    query = f"SELECT * EXCLUDE (run_id) FROM {source.table.name} ORDER BY ALL"
    after = world.ask(query)
    assert after and {row["source"] for row in after} == {name}
    world.turn(world.at - timedelta(days=1))
    monkeypatch.setenv("COLLECTOR_HOME", str(tmp_path / "control"))
    assert collect.main(["liquidity", "--source", name]) != 3
    assert after == world.ask(query)


def test_what_was_not_kept_is_told(world: World, said: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRED_API_KEY", FRED_KEY)
    world.up.fault("fred", "/series", Fault.rewrite(lambda body: body.replace(b"Percent", b"Furlongs")))
    assert collect.main(["liquidity", "--source", "fred.DGS10"]) != 0
    assert "Furlongs" in said()[1]
    monkeypatch.setattr("collectors.sources.fred._same_unit", lambda line, info: None)
    code, told = said("accept", the_id())
    assert code == 1 and "/series/observations was not kept" in told
    assert len(things()) == 1


# ---------------------------------------------------------------- batches


def test_a_damaged_batch_is_never_believed_but_one_that_was_restored_is_merged(
    seeded: World, said: Say
) -> None:
    settings = load()
    row = {**coin("newcoin"), "source": MARKETS, "run_id": RUN, "observed_at": NOW, "provisional": True}
    row.pop("before")
    batch = landing.land(
        settings, CRYPTO_PRICE, [row], run_id=RUN, step=MARKETS, source=MARKETS, observed_at=NOW
    )
    whole = batch.path.read_bytes()
    batch.path.write_bytes(whole[:-1])
    assert collect.main(["replay"]) == 0
    (thing,) = things()
    assert (thing.kind, thing.run_id, thing.step) == ("batch", RUN, MARKETS)
    assert "damaged batch" in said()[1] and "damaged on the disk" in said("show", thing.id)[1]
    code, told = said("accept", thing.id)
    assert code == 1 and "never believed" in told
    thing.path.write_bytes(whole)
    code, told = said("accept", thing.id)
    assert code == 0 and "1 inserted" in told
    assert [row["run_id"] for row in seeded.ask("SELECT run_id FROM crypto_price WHERE coin='newcoin'")] == [
        RUN
    ]
    assert things() == []


def test_rows_and_a_damaged_batch_of_one_step_are_two_things(seeded: World, said: Say) -> None:
    thing = keep([coin()])
    (quarantine.folder(load()) / f"{RUN}.{MARKETS}.0a1b2c3d.parquet").write_bytes(b"PAR1")
    assert {one.id for one in things()} == {thing, f"{thing}.0a1b2c3d"}
    assert "coin=solana" in said("show", thing)[1]
    assert said("drop", f"{thing}.0a1b")[0] == 0
    assert the_id() == thing


# ---------------------------------------------------------------- killed, busy, locked


@pytest.mark.parametrize("point", ["after_landing", "before_commit:3", "after_commit:3", "after_receipt"])
def test_an_acceptance_that_was_killed_is_put_right_by_the_next(home: Path, point: str) -> None:
    # Both runs within one day, whatever the time is here; without a key nobody closes it in between.
    noon = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12)
    with FakeUpstream(clock=noon) as up:
        assert child.collect(up, "crypto", COINGECKO_API_KEY="").code == 0
        # Half an hour later: the one that is observed later counts.
        up.clock += timedelta(minutes=30)
        up.set_price("solana", 4000.0)
        assert child.collect(up, "crypto", COINGECKO_API_KEY="").code == 0
        thing = the_id()
        killed = child.collect(None, "quarantine", "accept", thing, FAULT_POINT=point)
        assert killed.code == -9, (killed.out, killed.err)
        again = child.collect(None, "quarantine", "accept", thing)
        assert (again.code, again.err) == (0, ""), again.out
    assert things() == []
    child.assert_whole()
    child.assert_settled()
    stored = child.content()["crypto_price"]
    assert [row[5] for row in stored if row[0] == "solana"] == [4000.0]
    assert {step.state for run in ledger.runs(load()) for step in ledger.steps(load(), run.run_id)} <= {
        "ok", "failed", "skipped",
    }  # fmt: skip
    assert child.halves() == []


def test_while_a_run_is_under_way_nothing_is_accepted(seeded: World, said: Say) -> None:
    thing = keep([coin()])
    before = seeded.stored()
    with FileLock(ledger.lock_path(load(), "run")):
        code, told = said("accept", thing)
    assert code == 75 and "under way" in told
    reserved = ledger.new_run_id(clock.now())
    ledger.reserve(load(), reserved, ["crypto"], "console")
    code, told = said("accept", thing)
    assert code == 75 and "under way" in told
    ledger.finish(load(), reserved, "cancelled", 130, {})
    assert (seeded.stored(), the_id()) == (before, thing)
    assert list((seeded.home / "landing").glob(f"*{MARKETS}*.part")) == []


def test_with_the_store_open_elsewhere_nothing_is_accepted(seeded: World, said: Say) -> None:
    thing = keep([coin()])
    runs = len(ledger.runs(load()))
    with child.store_open_elsewhere():
        code, told = said("accept", thing)
    assert code == 3 and "open" in told
    assert (the_id(), len(ledger.runs(load()))) == (thing, runs)
    assert said("accept", thing)[0] == 0


# ---------------------------------------------------------------- what upstreams may send


def payload(body: bytes, run_id: str = RUN, reason: str = "no", **values: object) -> str:
    settings = load()
    why = {"reason": reason, "message": reason, "values": values}
    asked = {"url": "https://host/path", "params": {"q": HOSTILE}, "at": NOW.isoformat()}
    quarantine.keep_payload(settings, Origin(run_id, MARKETS, MARKETS, NOW), why, {}, [(asked, body)])
    return f"{run_id}.{MARKETS}"


def printable(text: str) -> bool:
    return all(letter == "\n" or words._plain(letter) for letter in text)


def test_hostile_names_values_and_answers_can_do_nothing_to_a_terminal(seeded: World, said: Say) -> None:
    keep([coin(name=HOSTILE) | {HOSTILE: HOSTILE}])
    entries = [{"row": {HOSTILE: HOSTILE}, "reason": HOSTILE}]
    quarantine.keep_rows(load(), Origin("20261102-060000-abcdef", HOSTILE, HOSTILE, NOW), entries)
    payload(HOSTILE.encode("utf-8", "surrogatepass"), "20261103-060000-abcdef", HOSTILE)
    (quarantine.folder(load()) / f"x{HOSTILE[:6]}.y.json").write_text("[" * 100_000)
    for thing in things():
        for words_ in (["show", thing.id], ["accept", thing.id], ["accept", HOSTILE]):
            _code, told = said(*words_)
            assert told and printable(told), told
    code, told = said()
    assert code == 0 and printable(told) and len(told.splitlines()) == 4
    assert printable(said("--json")[1])


def test_no_secret_is_kept_or_shown(seeded: World, said: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = 'CANARY-"quoted\\slash-77b0'
    monkeypatch.setenv("COINGECKO_API_KEY", secret)
    keep([coin(name=f"x{secret}") | {secret: 1}])
    payload(b"a" * 1990 + secret.encode() + b"b", "20261103-060000-abcdef", f"no {secret}", key=secret)
    body = b"".join(file.read_bytes() for file in quarantine.folder(load()).iterdir() if file.is_file())
    assert b"quoted" not in body and b"***" in body
    # One that became a secret later, in files of an earlier version.
    monkeypatch.setenv("COINGECKO_API_KEY", CANARY)
    old(rows=[{"row": {"coin": CANARY, CANARY: "x" * 110 + CANARY}, "reason": f"missing:{CANARY}"}])
    old(run_id="20261104-060000-abcdef", body=b"c" * 1995 + CANARY.encode())
    told = said()[1] + said("--json")[1]
    for thing in things():
        told += said("show", thing.id)[1] + said("accept", thing.id)[1]
    assert "CANARY" not in told and "CANA" not in told.replace(CANARY[:3], "")


def test_a_huge_answer_is_listed_and_its_head_shown(seeded: World, said: Say) -> None:
    thing = payload(b"[" + b'{"a":1},' * 3_000_000 + b"{}]")
    assert "24 MB" in said()[1]
    code, told = said("show", thing)
    assert code == 0 and len(told) < 5000 and "… 24 MB" in told
    code, told = said("accept", thing)
    assert code == 1 and "no field" in told


def test_answers_that_are_not_as_long_as_is_said_are_shown_and_not_believed(seeded: World, said: Say) -> None:
    thing = payload(b"[]" * 10)
    (quarantine.folder(load()) / f"{thing}.payload").write_bytes(b"[]")
    assert "[]" in said("show", thing)[1]
    code, _told = said("accept", thing)
    assert code == 1
    (quarantine.folder(load()) / f"{thing}.payload").unlink()
    assert things() == []


# ---------------------------------------------------------------- demo


def test_the_demo_has_a_quarantine_of_its_own_and_the_two_never_meet(
    home: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    assert collect.main(["crypto", "--demo"]) == 0
    demo = load(COLLECTOR_DEMO=True)
    entries = [{"row": coin("bitcoin", price=12345.0), "reason": "jump:price"}]
    quarantine.keep_rows(demo, Origin(RUN, MARKETS, MARKETS, NOW + timedelta(hours=1)), entries)
    # `--demo` is for the rest of its process.
    del os.environ["COLLECTOR_DEMO"]
    assert "Nothing is in quarantine" in said()[1]
    shutil.copytree(quarantine.folder(demo), quarantine.folder(load()))
    code, told = said("accept", RUN)
    assert code == 1 and "other store" in told
    assert "1 row" in said("--demo")[1]
    code, told = said("accept", RUN, "--demo")
    assert code == 0 and "1 updated" in told
    assert "Nothing is in quarantine" in said("--demo")[1]


# ---------------------------------------------------------------- an earlier version's files


def old(
    run_id: str = RUN,
    step: str = MARKETS,
    rows: list[dict[str, object]] | None = None,
    body: bytes = b"",
    reason: str = "it was so",
) -> str:
    folder = quarantine.folder(load())
    folder.mkdir(parents=True, exist_ok=True)
    base = folder / f"{run_id}.{step}"
    if rows is not None:
        text = json.dumps({"reason": "rows", "rows": rows}, default=str)
        base.with_name(base.name + ".json").write_text(text)
    else:
        base.with_name(base.name + ".payload").write_bytes(body)
        base.with_name(base.name + ".reason.json").write_text(json.dumps({"reason": reason}))
    return f"{run_id}.{step}"


def test_rows_of_an_earlier_version_are_listed_shown_accepted_and_dropped(seeded: World, said: Say) -> None:
    run_id = seeded.last().run_id
    began = ledger.steps(load(), run_id)[0].started_at
    thing = old(run_id, rows=[{"row": coin("oldcoin"), "reason": "jump:price"}])
    assert "1 row" in said()[1]
    assert "coin=oldcoin" in said("show", thing)[1]
    assert said("accept", thing)[0] == 0
    row = price(seeded, "oldcoin")
    assert (row["price"], row["source"], row["observed_at"]) == (99.5, MARKETS, began)
    thing = old(rows=[{"row": {"date": "2026-11-20", "close": float("nan")}, "reason": "unsettled"}])
    assert "settled day" in said()[1]
    assert said("accept", thing)[0] == 1
    assert said("drop", thing)[0] == 0
    assert things() == []


def test_answers_of_an_earlier_version_are_read_again_where_one_thing_was_asked(
    seeded: World, said: Say
) -> None:
    run_id = seeded.last().run_id
    body = json.dumps({"data": [{"value": "41", "value_classification": "Fear",
                                 "timestamp": str(int(datetime(2018, 1, 10, tzinfo=UTC).timestamp()))}]
                      }).encode()  # fmt: skip
    thing = old(run_id, MOOD, body=body, reason="the format changed")
    told = said()[1]
    assert "the format changed" in told and "answer, " in told
    assert '"value": "41"' in said("show", thing)[1]
    assert said("accept", thing)[0] in (0, 1)
    other = old(run_id, "fred.DGS10", body=b"<observations/>")
    code, told = said("accept", other)
    assert code == 1 and "earlier version" in told
    assert said("drop", other)[0] == 0
    assert not list(quarantine.folder(load()).glob("*DGS10*"))


# ---------------------------------------------------------------- naming and dropping


def test_what_is_named_wrongly_is_told_on_one_line(seeded: World, said: Say) -> None:
    keep([coin()])
    keep([coin()], run_id="20261101-070000-abcdef")
    for verb in ("show", "accept", "drop"):
        code, told = said(verb, "20990101")
        assert code == 2 and "Nothing in quarantine is called 20990101" in told and told.count("\n") == 1
        code, told = said(verb, "20261101")
        assert code == 2 and "Several begin with" in told and told.count("\n") == 1
    assert said("show", "20261101-07")[0] == 0
    assert len(things()) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["show"], ["accept"], ["drop"], ["list", "x"], ["show", "a", "b"], ["show", "a", "--row", "1"],
        ["drop", "a", "--all"], ["list", "--all"], ["show", "a", "--json"], ["drop", "--older-than", "-1"],
        ["burn"], ["accept", "a", "--row", "x"],
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(home: Path, said: Say, words: list[str]) -> None:
    assert said(*words)[0] == 2


def test_things_are_dropped_by_name_by_age_or_all(seeded: World, said: Say) -> None:
    ids = [keep([coin()], run_id=f"202611{day:02}-060000-abcdef") for day in (1, 10, 22)]
    payload(b"{}", "20261102-060000-abcdef")
    code, told = said("drop", ids[0], ids[0])
    assert code == 0 and told == f"Removed: {ids[0]}\n"
    code, told = said("drop", "--older-than", "7")
    assert code == 0 and told.count("Removed: ") == 2
    assert the_id() == ids[2]
    assert said("accept", ids[2])[0] == 0
    keep([coin()])
    folder = quarantine.folder(load())
    (folder / "left.part").write_bytes(b"")
    (folder / f"{RUN}.alone.reason.json").write_text("{}")
    code, told = said("drop", "--all")
    assert code == 0 and told.count("Removed: ") == 2
    assert [file for file in folder.rglob("*") if file.is_file()] == []
    assert "nothing to do" in said("drop", "--all")[1]


def test_the_name_of_a_file_is_one_on_every_system(home: Path) -> None:
    steps = ["yahoo.^VIX", "yahoo.KRW=X", "a:b", "a/b", "../up", "a\\b", 'a"b|c?d*e<f>', "end "]
    for step in steps:
        quarantine.keep_rows(load(), Origin(RUN, step, step, NOW), [])
    names = [thing.path.name for thing in things()]
    assert len(names) == len(steps) == len({name.lower() for name in names})
    assert not set('<>:"/\\|?* ') & set("".join(names))
    assert {thing.step for thing in things()} == set(steps)
    assert f"{RUN}.yahoo.^VIX.json" in names
    # The command line of Windows takes the ^ away.
    assert [one.step for one in quarantine.find(load(), f"{RUN}.yahoo.VIX")] == ["yahoo.^VIX"]


def test_a_full_disk_costs_the_evidence_and_not_the_run(
    seeded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(quarantine, "_put", full)
    jumped(seeded, "solana")
    assert seeded.steps()[MARKETS].counts.updated == 19
    assert things() == []


def test_the_doctor_tells_what_lies_there_and_since_when(seeded: World) -> None:
    keep([coin()])
    keep([coin()], run_id="20261105-060000-abcdef")
    found = {one.check: one for one in examine.examine(load(), offline=True)}["quarantine"]
    assert found.state == "ok"
    assert "2 things in quarantine" in found.message and "1 Nov" in found.message
    assert "python collect.py quarantine" in found.message


def test_the_pages_name_its_run_and_do_not_offer_to_collect_it(seeded: World, said: Say) -> None:
    from pages._view import badges, run_parts, run_words

    assert said("accept", keep([coin("othercoin")]))[0] == 0
    run = seeded.last()
    assert "Quarantine" in run_words.headline(load(), run)
    (step,) = ledger.steps(load(), run.run_id)
    failed = replace(step, state="failed", kind="store", code="full")
    assert badges.needs_a_hand([failed]) == [failed]
    assert run_parts.again([failed], registry.SOURCES) == []
    assert run_parts.again([replace(failed, pipeline="crypto")], registry.SOURCES) != []


def test_it_says_how_it_is_called(said: Say) -> None:
    code, told = said("--help")
    assert code == 0
    assert all(
        word in told for word in ("--row", "--older-than", "--all", "--json", "list, show, accept, drop")
    )
