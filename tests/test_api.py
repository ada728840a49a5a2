"""The HTTP API: every status code, every route, what it starts and what it hands out."""

import csv
import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi.routing import APIRoute
from starlette.applications import Starlette

import console_api
from collectors.registry import PIPELINES
from console import routes as console_routes
from console.docs import PAGE, policy
from storage import clock, db, ledger
from storage.settings import Settings, load
from storage.tables import (
    BY_NAME,
    CHECK_RESULT,
    CRYPTO_PRICE,
    NEWS_ITEM,
    OBSERVATION,
    PROTOCOL_TVL,
    STRESS_INDEX,
    STRESS_REPLAY,
    Table,
)
from tests import child
from tests.api_client import Answer, Console, ask, conforms, document, made, served
from tests.upstream import Fault

DAY = date(2026, 11, 22)
SEEN = datetime(2026, 11, 22, 21, 0, 3, 120_000, tzinfo=UTC)
ROOT = Path(__file__).resolve().parent.parent
TRIGGERS = [f"collector/{name}" for name in PIPELINES] + ["collector/run-all"]
TRIGGERS += ["news-intel/fetch"] if "news" in PIPELINES else []
RUN = "20261123-210000-abcdef"
Row = dict[str, Any]


@pytest.fixture
def settings(home: Path) -> Settings:
    return load()


@pytest.fixture
def app(settings: Settings) -> Starlette:
    return made(settings)


def put(settings: Settings, table: Table, *rows: dict[str, Any]) -> None:
    """Rows as they would stand in the store."""
    db.migrate(settings)
    base = {"source": "test", "run_id": RUN, "observed_at": SEEN, "provisional": False}
    with db.writer(settings) as connection:
        for row in rows:
            full = {**base, **row}
            names = ", ".join(f'"{name}"' for name in full)
            marks = ", ".join("?" * len(full))
            connection.execute(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(full.values()))


def price(
    coin: str = "bitcoin", day: date = DAY, value: float | None = 97_000.5, **more: Any
) -> dict[str, Any]:
    return {"coin": coin, "date": day, "symbol": coin[:3], "name": coin, "rank": 1, "price": value, **more}


def over(settings: Settings, run_id: str, pipelines: Sequence[str] = ("crypto",), state: str = "ok") -> None:
    """A run that is over."""
    ledger.reserve(settings, run_id, pipelines, "cli")
    ledger.finish(settings, run_id, state, 0, dict.fromkeys(pipelines, state))


# ---------------------------------------------------------------- starting


def test_there_is_a_trigger_for_each_pipeline_and_one_for_all(app: Starlette) -> None:
    assert {path.removeprefix("/") for path in console_routes.starts()} == set(TRIGGERS)
    assert console_routes.starts()["/collector/run-all"] == tuple(PIPELINES)
    assert ask(app, "collector/nothing", "POST").status == 404


def test_a_trigger_appears_with_its_pipeline(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    only = {"crypto": PIPELINES["crypto"]}
    monkeypatch.setattr(console_routes, "PIPELINES", only)
    app = made(settings)
    ledger.reserve(settings, RUN, ["crypto"], "cli")
    assert ask(app, "collector/crypto", "POST").status == 409
    assert ask(app, "collector/news", "POST").status == ask(app, "news-intel/fetch", "POST").status == 404


@pytest.mark.parametrize("path", TRIGGERS)
def test_a_run_under_way_is_told_and_nothing_is_started(
    app: Starlette, settings: Settings, path: str
) -> None:
    ledger.reserve(settings, RUN, ["crypto"], "schedule")
    answer = ask(app, path, "POST")
    assert (answer.status, answer.code, answer.json["error"]["run_id"]) == (409, "busy", RUN)
    conforms(answer, f"/{path}", "POST")
    assert len(ledger.runs(settings)) == 1


@pytest.mark.parametrize("wait", ["-1", "301", "nan", "inf", "1e3", "x", "", "300.1", "%31%20"])
def test_a_wait_that_is_none_starts_nothing(app: Starlette, settings: Settings, wait: str) -> None:
    answer = ask(app, f"collector/crypto?wait={wait}", "POST")
    assert (answer.status, answer.code) == (422, "bad_parameter")
    assert "wait" in answer.json["error"]["message"] and "300" in answer.json["error"]["message"]
    assert ledger.runs(settings) == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_another_verb_starts_no_run_and_is_told_which_to_use(
    app: Starlette, settings: Settings, method: str
) -> None:
    for path in TRIGGERS:
        answer = ask(app, path, method)
        assert (answer.status, answer.headers["allow"]) == (405, "POST")
        assert answer.code == "method_not_allowed"
    answer = ask(app, f"collector/runs/{RUN}/cancel", method)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert ledger.runs(settings) == []


# ---------------------------------------------------------------- bodies

JSON = "application/json"
BODIES = [
    (b"", None, 409),
    (b"", JSON, 409),
    (b"", "application/x-www-form-urlencoded", 409),
    (b"{}", JSON, 409),
    (b'{"any": [1, 2.5, null, "\xc3\xa9"]}', "application/json; charset=utf-8", 409),
    (b"{}", "application/vnd.x+json", 409),
    (b"{}", None, 409),
    (b" " * 16_383 + b"1", JSON, 409),
    (b"{", JSON, 400),
    (b'{"x": NaN}', JSON, 400),
    (b'{"x": -Infinity}', JSON, 400),
    (b"\xff\xfe", JSON, 400),
    (b"[" * 16_000, JSON, 400),
    (b"1" * 5_000, JSON, 400),
    (b"x=1", None, 400),
    (b"x=1", "application/x-www-form-urlencoded", 415),
    (b"{}", "multipart/form-data; boundary=x", 415),
    (b"{}", "application/octet-stream", 415),
    (b"{}", "text/plain", 415),
    (b"", "text/plain", 415),
    (b"{}", "Text/Plain;charset=UTF-8", 415),
    (b" " * 16_384 + b"1", JSON, 413),
    (b"x" * 20_000, "application/octet-stream", 413),
]


@pytest.mark.parametrize(("body", "kind", "status"), BODIES)
def test_a_body_is_none_or_json(
    app: Starlette, settings: Settings, body: bytes, kind: str | None, status: int
) -> None:
    # Where the body passes, the run under way is what answers.
    ledger.reserve(settings, RUN, ["crypto"], "cli")
    headers = {"content_type": kind} if kind else {}
    answer = ask(app, "collector/crypto", "POST", body, **headers)
    assert answer.status == status
    codes = {400: "bad_json", 409: "busy", 413: "too_large", 415: "unsupported_media_type"}
    assert answer.code == codes[status]
    assert ask(
        app, f"collector/runs/{RUN}/cancel", "POST", body, **({"content_type": kind} if kind else {})
    ).status == (202 if status == 409 else status)


def test_a_body_without_an_end_is_answered_in_time(app: Starlette) -> None:
    began = time.monotonic()
    answer = ask(app, "collector/crypto", "POST", b"x" * 1000, chunks=-1, content_type=JSON)
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert time.monotonic() - began < 1


def test_a_body_that_is_announced_too_large_is_not_asked_for(app: Starlette) -> None:
    big = {"content_length": "999999999999999999999", "expect": "100-continue"}
    # Without a chunk to give, whoever reads would wait for ever.
    assert ask(app, "collector/crypto", "POST", b"", chunks=0, **big).status == 413


# ---------------------------------------------------------------- token

TOKEN = "s3cret-Token_of.the~desk+/="
WRONG = [
    {},
    {"authorization": ""},
    {"authorization": "Bearer"},
    {"authorization": "Bearer "},
    {"authorization": f"Bearer {TOKEN[:-1]}"},
    {"authorization": f"Bearer {TOKEN}x"},
    {"authorization": f"Bearer {TOKEN.upper()}"},
    {"authorization": f"Bearer {TOKEN},{TOKEN}"},
    {"authorization": f"Basic {TOKEN}"},
    {"authorization": TOKEN},
    {"authorization": "Bearer пароль-秘密"},
    {"authorization": "Bearer \x80"},
    {"x_api_key": TOKEN},
    {"cookie": f"token={TOKEN}"},
]
POSTS = [*TRIGGERS, f"collector/runs/{RUN}/cancel"]


@pytest.fixture
def guarded(home: Path, monkeypatch: pytest.MonkeyPatch) -> Starlette:
    monkeypatch.setenv("COLLECTOR_API_TOKEN", TOKEN)
    settings = load()
    ledger.reserve(settings, RUN, ["crypto"], "cli")
    return made(settings)


@pytest.mark.parametrize("headers", WRONG)
def test_without_the_token_no_post_does_anything(guarded: Starlette, headers: dict[str, str]) -> None:
    for path in POSTS:
        for query in ("", f"?token={TOKEN}&access_token={TOKEN}&authorization=Bearer%20{TOKEN}"):
            answer = ask(guarded, path + query, "POST", **headers)
            assert (answer.status, answer.code) == (401, "unauthorized")
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert TOKEN not in str(answer)
    assert not ledger.cancel_asked(load(), RUN)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_with_the_token_a_post_is_answered(guarded: Starlette, scheme: str) -> None:
    for path in POSTS:
        status = ask(guarded, path, "POST", authorization=f"{scheme} {TOKEN}").status
        assert status == (202 if path.endswith("cancel") else 409)


def test_a_get_needs_no_token(guarded: Starlette) -> None:
    assert ask(guarded, "collector/status").status == ask(guarded, "metrics").status == 200


def test_the_token_is_a_secret_of_the_settings(guarded: Starlette) -> None:
    settings = load()
    assert TOKEN in settings.secrets and TOKEN not in repr(settings)
    assert settings.redact(f"x {TOKEN}") == "x ***"


# ---------------------------------------------------------------- status, runs


def test_status_is_that_of_the_command_line(app: Starlette, settings: Settings) -> None:
    over(settings, RUN)
    put(settings, CRYPTO_PRICE, price())
    answer = ask(app, "collector/status")
    conforms(answer, "/collector/status")
    told = subprocess.run(
        [sys.executable, str(ROOT / "collect.py"), "status", "--json"], capture_output=True, check=True
    ).stdout
    theirs = json.loads(told)
    ours = answer.json
    assert ours.pop("generated_at") <= theirs.pop("generated_at")
    assert ours == theirs
    assert answer.headers["cache-control"] == "no-store"


def test_status_follows_what_happens_at_once(app: Starlette, settings: Settings) -> None:
    def state() -> Any:
        found = ask(app, "collector/status").json
        return found["pipelines"]["crypto"]["state"], (found["running"] or {}).get("run_id")

    assert state() == ("never", None)
    ledger.reserve(settings, RUN, ["crypto"], "cli")
    assert state() == ("queued", RUN)
    ledger.finish(settings, RUN, "partial", 1, {"crypto": "partial"})
    assert state() == ("partial", None)


def test_a_status_is_computed_once_for_all_who_ask(app: Starlette, monkeypatch: pytest.MonkeyPatch) -> None:
    from console import status as console_status

    asked: list[int] = []
    real = console_status._computed
    monkeypatch.setattr(console_status, "_computed", lambda settings: asked.append(1) or real(settings))
    assert len({ask(app, "collector/status").body for _ in range(5)}) == 1
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["ledger.sqlite", "console.duckdb"])
def test_a_status_of_which_nothing_is_known_is_503(app: Starlette, home: Path, name: str) -> None:
    home.mkdir(parents=True)
    (home / name).write_bytes(b"no database at all, and longer than a header " * 99)
    for _again in range(2):
        answer = ask(app, "collector/status")
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "corrupt", "30")
        conforms(answer, "/collector/status")


@pytest.mark.parametrize("path", ["collector/runs", f"collector/runs/{RUN}", "badge/crypto.svg"])
def test_a_ledger_that_cannot_be_read_is_503(app: Starlette, home: Path, path: str) -> None:
    home.mkdir(parents=True)
    (home / "ledger.sqlite").write_bytes(b"")
    answer = ask(app, path)
    assert (answer.status, answer.code) == (503, "corrupt")
    assert ask(app, "collector/crypto", "POST").status == 503
    assert ask(app, f"collector/runs/{RUN}/cancel", "POST").status == 503


def test_runs_come_newest_first_page_by_page(app: Starlette, settings: Settings) -> None:
    ids = [f"20261123-21000{n}-abcdef" for n in range(5)]
    for n, run_id in enumerate(ids):
        over(
            settings, run_id, ("crypto",) if n % 2 else ("liquidity", "crypto"), "failed" if n == 2 else "ok"
        )
    found, cursor = [], ""
    for _page in range(3):
        answer = ask(app, f"collector/runs?limit=2{cursor}")
        conforms(answer, "/collector/runs")
        found += [run["run_id"] for run in answer.json["runs"]]
        cursor = f"&cursor={answer.json['next']}"
    assert found == ids[::-1] and answer.json["next"] is None
    chosen = ask(app, "collector/runs?pipeline=liquidity&state=ok").json["runs"]
    assert [run["run_id"] for run in chosen] == [ids[4], ids[0]]


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=-1", "limit=1001", "limit=x", "limit=1.0", "limit=1_0", "limit=", "limit=%2B5"),
        *("pipeline=bogus", "state=bogus", "pipeline=", "state=", "cursor=bogus", f"cursor={'x' * 101}"),
    ],
)
def test_a_parameter_of_runs_that_is_none_is_named(app: Starlette, settings: Settings, query: str) -> None:
    over(settings, RUN)
    answer = ask(app, f"collector/runs?{query}")
    assert (answer.status, answer.code) == (422, "bad_parameter")
    assert answer.json["error"]["message"].startswith(query.partition("=")[0])


def test_one_run_comes_with_its_steps(app: Starlette, settings: Settings) -> None:
    over(settings, RUN)
    answer = ask(app, f"collector/runs/{RUN}")
    conforms(answer, "/collector/runs/{run_id}")
    assert (answer.json["state"], answer.json["steps"]) == ("ok", [])
    for unknown in ("bogus", "20261123-210000-000000", "%00", "x" * 500, "한글"):
        assert ask(app, f"collector/runs/{unknown}").status in (400, 404)


def test_a_run_whose_process_is_gone_reads_interrupted(app: Starlette, settings: Settings) -> None:
    ledger.reserve(settings, RUN, ["crypto"], "cli")
    child.turn_back(RUN, "queued_at", 60)
    assert ask(app, f"collector/runs/{RUN}").json["state"] == "interrupted"
    assert ask(app, f"collector/runs/{RUN}/cancel", "POST").code == "over"
    ledger.reserve(settings, "20261123-210001-abcdef", ["crypto"], "cli")


def test_cancel_asks_a_live_run_and_no_other(app: Starlette, settings: Settings) -> None:
    path = "/collector/runs/{run_id}/cancel"
    missing = ask(app, f"collector/runs/{RUN}/cancel", "POST")
    assert (missing.status, missing.code) == (404, "not_found")
    ledger.reserve(settings, RUN, ["crypto"], "cli")
    asked = ask(app, f"collector/runs/{RUN}/cancel", "POST")
    assert (asked.status, asked.json["state"], ledger.cancel_asked(settings, RUN)) == (202, "queued", True)
    ledger.finish(settings, RUN, "cancelled", 130, {"crypto": "cancelled"})
    done = ask(app, f"collector/runs/{RUN}/cancel", "POST")
    assert (done.status, done.code, done.json["error"]["run_id"]) == (409, "over", RUN)
    for answer in (missing, asked, done):
        conforms(answer, path, "POST")


def test_a_fault_of_ours_is_told_without_its_place(
    app: Starlette, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_arguments: object) -> None:
        raise RuntimeError(f"CANARY in {ROOT}")

    async def quiet(scope: Any, receive: Any, send: Any) -> None:
        # Raised again behind the answer, for the server's log.
        with pytest.raises(RuntimeError):
            await app(scope, receive, send)

    monkeypatch.setattr(console_routes.read_rows, "runs", stumble)
    answer = ask(quiet, "collector/runs")
    assert (answer.status, answer.code) == (500, "internal")
    assert answer.json == {"error": {"code": "internal", "message": "Internal Server Error"}}
    assert answer.headers["x-content-type-options"] == "nosniff"


# ---------------------------------------------------------------- rows


def observed(series: str, day: date) -> Row:
    return {"series": series, "date": day, "value": 3.91}


def verdict(run_id: str, step: str = "coingecko.markets", state: str = "pass") -> Row:
    return {
        "run_id": run_id, "step": step, "name": "peer", "subject": "bitcoin", "state": state, "value": 3.4,
        "low": -3.0, "high": None, "message": "{value} % away", "values": '{"value": "3.4"}',
    }  # fmt: skip


ROUTES: dict[str, tuple[Table, Callable[[date], Row]]] = {
    "crypto/prices": (CRYPTO_PRICE, lambda day: price(day=day)),
    "crypto/metrics": (OBSERVATION, lambda day: observed("coingecko.btc_dominance", day)),
    "crypto/protocols": (PROTOCOL_TVL, lambda day: {"protocol": "lido", "date": day, "tvl": 2e10}),
    "liquidity/index": (STRESS_INDEX, lambda day: {"date": day, "index": 41.5, "first_index": 40.0}),
    "liquidity/index?replay=1": (STRESS_REPLAY, lambda day: {"date": day, "index": 41.5}),
    "liquidity/observations": (OBSERVATION, lambda day: observed("fred.SOFR", day)),
    "collector/checks": (
        CHECK_RESULT,
        lambda day: {
            **verdict(RUN),
            "subject": f"{day}",
            "observed_at": datetime.combine(day, SEEN.timetz()),
        },
    ),
    "news": (
        NEWS_ITEM,
        lambda day: {
            "id": f"news-{day}",
            "published_at": datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC),
        },
    ),
}


def rows(app: Starlette, path: str, query: str = "") -> Answer:
    join = "&" if "?" in path else "?"
    answer = ask(app, f"{path}{join}{query}" if query else path)
    conforms(answer, f"/{path.partition('?')[0]}")
    return answer


@pytest.mark.parametrize("path", ROUTES)
def test_rows_come_oldest_first_and_the_newest_are_kept(
    app: Starlette, settings: Settings, path: str
) -> None:
    table, row = ROUTES[path]
    assert rows(app, path).json == {"rows": [], "count": 0, "truncated": False}
    days = [DAY + timedelta(days=n) for n in range(5)]
    put(settings, table, *(row(day) for day in days))

    def found(query: str) -> Any:
        told = rows(app, path, query).json
        assert told["count"] == len(told["rows"])
        return [
            (one.get("date") or one.get("published_at") or one["observed_at"])[:10] for one in told["rows"]
        ], told["truncated"]

    texts = [day.isoformat() for day in days]
    assert found("") == (texts, False)
    assert found("limit=5") == (texts, False)
    assert found("limit=2") == (texts[3:], True)
    assert found(f"from={texts[1]}&to={texts[3]}") == (texts[1:4], False)
    assert found(f"from={texts[1]}&to={texts[3]}&limit=1") == ([texts[3]], True)
    assert found(f"from={texts[3]}&to={texts[1]}") == ([], False)
    assert found("from=0001-01-01&to=9999-12-31") == (texts, False)


def test_a_row_says_where_it_comes_from_and_is_plain(app: Starlette, settings: Settings) -> None:
    put(settings, CRYPTO_PRICE, price(change_24h=float("nan"), volume=float("inf"), provisional=True))
    assert rows(app, "crypto/prices").json["rows"] == [
        {
            "coin": "bitcoin",
            "date": "2026-11-22",
            "symbol": "bit",
            "name": "bitcoin",
            "rank": 1,
            "price": 97000.5,
            "market_cap": None,
            "volume": None,
            "change_24h": None,
            "change_7d": None,
            "change_30d": None,
            "source": "test",
            "run_id": RUN,
            "observed_at": "2026-11-22T21:00:03.120Z",
            "provisional": True,
        }
    ]


@pytest.mark.parametrize("path", ROUTES)
def test_every_row_has_its_provenance(app: Starlette, settings: Settings, path: str) -> None:
    table, row = ROUTES[path]
    put(settings, table, row(DAY))
    (found,) = rows(app, path).json["rows"]
    assert (found["source"], found["run_id"], found["provisional"]) == ("test", RUN, False)
    assert found["observed_at"] == "2026-11-22T21:00:03.120Z"


def test_rows_are_chosen_by_name(app: Starlette, settings: Settings) -> None:
    coins = ("bitcoin", "ethereum", "solana")
    put(settings, CRYPTO_PRICE, *(price(coin) for coin in coins))

    def chosen(query: str) -> list[str]:
        return [row["coin"] for row in rows(app, "crypto/prices", query).json["rows"]]

    assert chosen("coin=solana,bitcoin") == chosen("coin=solana&coin=bitcoin") == ["bitcoin", "solana"]
    assert chosen("coin=") == chosen("coin=,%20") == list(coins)
    assert chosen("coin=x' OR 1=1 --".replace(" ", "%20")) == []
    assert chosen("coin=bitcoin%00") == []


def test_news_are_those_of_the_news_pipeline(app: Starlette, settings: Settings) -> None:
    put(settings, NEWS_ITEM, *({"id": name, "published_at": SEEN} for name in ("stress-1", "news-1")))
    assert [row["id"] for row in rows(app, "news").json["rows"]] == ["news-1"]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "query",
    [
        *(
            "limit=-1",
            "limit=0",
            "limit=10001",
            "limit=x",
            "from=yesterday",
            "from=2026-02-30",
            "to=20261124",
        ),
        *("to=2026-11-24T00:00:00Z", "from=1700000000", "from=", "from=0000-01-01", "format=xml", "format="),
    ],
)
def test_a_parameter_of_rows_that_is_none_is_named(app: Starlette, path: str, query: str) -> None:
    answer = ask(app, f"{path}{'&' if '?' in path else '?'}{query}")
    assert (answer.status, answer.code) == (422, "bad_parameter")
    message = answer.json["error"]["message"]
    assert message.startswith(query.partition("=")[0]) and "Allowed" in message


def test_too_many_names_are_refused(app: Starlette) -> None:
    many = ",".join(f"c{n}" for n in range(101))
    for path, name in (
        ("crypto/prices", "coin"),
        ("crypto/protocols", "protocol"),
        ("liquidity/observations", "series"),
    ):
        assert ask(app, f"{path}?{name}={many}").code == "bad_parameter"
        assert ask(app, f"{path}?{'&'.join([f'{name}=x'] * 101)}").code == "bad_parameter"
    assert ask(app, "liquidity/index?replay=2").code == "bad_parameter"


def test_a_cell_of_text_never_starts_a_formula(app: Starlette, settings: Settings) -> None:
    names = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", 'plain "quoted", with\nlines', "한글"]
    put(
        settings,
        CRYPTO_PRICE,
        *(price(f"c{n}", name=name, change_24h=-1.5, value=None) for n, name in enumerate(names)),
    )
    answer = rows(app, "crypto/prices", "format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="crypto_prices.csv"'
    read = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8"), newline="")))
    assert [row["name"] for row in read] == [f"'{name}" for name in names[:6]] + names[6:]
    assert {row["change_24h"] for row in read} == {"-1.5"}
    assert {(row["price"], row["provisional"], row["date"]) for row in read} == {("", "false", "2026-11-22")}
    assert answer.body.startswith(b"coin,date,symbol,name,rank,price,")


def test_checks_are_chosen_by_run_source_and_state(app: Starlette, settings: Settings) -> None:
    tvl = "defillama.total_tvl"
    found = (("r1", "pass"), ("r1", "warn"), ("r2", "fail"), ("r2", "pass"))
    steps = ("coingecko.markets", tvl, tvl, "coingecko.markets")
    told = [verdict(run, step, state) for (run, state), step in zip(found, steps, strict=True)]
    put(settings, CHECK_RESULT, *told)

    def states(query: str) -> list[tuple[str, str]]:
        return [(row["run_id"], row["state"]) for row in rows(app, "collector/checks", query).json["rows"]]

    assert states("run_id=r1") == [("r1", "pass"), ("r1", "warn")]
    assert states(f"source={tvl}") == [("r1", "warn"), ("r2", "fail")]
    assert states("state=warn&state=fail") == [("r1", "warn"), ("r2", "fail")]
    assert states(f"run_id=r2&state=fail&source={tvl},x") == [("r2", "fail")]
    assert states("run_id=none") == []
    assert rows(app, "collector/checks", "limit=1").json["truncated"]
    assert ask(app, "collector/checks?state=bad").code == "bad_parameter"
    whole = rows(app, "collector/checks", "run_id=r1&state=warn").json["rows"][0]
    assert (whole["value"], whole["low"], whole["high"], whole["name"]) == (3.4, -3.0, None, "peer")


@pytest.mark.parametrize("path", ROUTES)
def test_csv_has_its_header_without_a_row_too(app: Starlette, path: str) -> None:
    answer = rows(app, path, "format=csv")
    assert answer.body.endswith(b"source,run_id,observed_at,provisional\r\n")


def test_a_store_of_the_first_version_has_no_index(app: Starlette, settings: Settings) -> None:
    put(settings, CRYPTO_PRICE, price())
    with db.writer(settings) as connection:
        for name in (STRESS_INDEX.name, STRESS_REPLAY.name, NEWS_ITEM.name):
            connection.execute(f"DROP TABLE {name}")
    for path in ("liquidity/index", "liquidity/index?replay=1", "news"):
        assert rows(app, path).json["count"] == 0
    assert rows(app, "crypto/prices").json["count"] == 1


def test_a_store_that_somebody_has_open_is_503_and_soon_again(app: Starlette, settings: Settings) -> None:
    put(settings, CRYPTO_PRICE, price())
    with child.store_open_elsewhere():
        answer = rows(app, "crypto/prices")
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "busy", "2")
    child.eventually(lambda: ask(app, "crypto/prices").status == 200, within_s=5)


def test_every_observed_table_has_its_columns_documented() -> None:
    told = document()["paths"]
    schema = told["/crypto/prices"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    columns = schema["properties"]["rows"]["items"]["properties"]
    assert list(columns) == [name for name, _kind in BY_NAME["crypto_price"].all_columns]


# ---------------------------------------------------------------- badges, metrics


def test_a_badge_tells_state_and_freshness(app: Starlette, settings: Settings) -> None:
    answer = ask(app, "badge/crypto.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["cache-control"] == "no-cache"
    assert _title(answer) == "Crypto: never collected"
    over(settings, RUN)
    assert _title(ask(app, "badge/crypto.svg")) == "Crypto: ok · never collected"
    assert _title(ask(app, "badge/crypto.svg?lang=ko")) == "암호화폐: 정상 · 수집 안 됨"
    for pipeline in PIPELINES:
        conforms(ask(app, f"badge/{pipeline}.svg"), "/badge/{pipeline}.svg")
    assert ask(app, "badge/nothing.svg").code == "not_found"
    assert ask(app, "badge/crypto.svg?lang=de").code == "bad_parameter"


def _title(answer: Answer) -> str:
    found = ElementTree.fromstring(answer.body).findtext("{http://www.w3.org/2000/svg}title")
    return str(found)


def test_a_badge_may_be_shown_by_other_sites_and_nothing_else(app: Starlette) -> None:
    image = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"}
    answer = ask(app, "badge/crypto.svg", **image)
    assert (answer.status, answer.headers["cross-origin-resource-policy"]) == (200, "cross-origin")
    assert ask(app, "badge/crypto.svg", host="evil.example", **image).status == 421
    assert ask(app, "badge/crypto.svg", "POST", **image).status == 403
    assert ask(app, "collector/status", **image).status == 403
    assert ask(app, "badge/%2e%2e/collector/status", **image).status == 400
    assert ask(app, "collector/status").headers["cross-origin-resource-policy"] == "same-origin"


_SAMPLE = re.compile(
    r'^collector_[a-z_]+(\{[a-z_]+="(\\.|[^"\\])*"(,[a-z_]+="(\\.|[^"\\])*")*\})? -?[0-9.e+]+$'
)


def test_metrics_are_in_the_text_format(app: Starlette, settings: Settings) -> None:
    over(settings, RUN)
    put(settings, CRYPTO_PRICE, price())
    answer = ask(app, "metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.body.decode().splitlines()
    assert [line for line in lines if not line.startswith("#") and not _SAMPLE.match(line)] == []
    names = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert names <= {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert 'collector_runs{state="ok"} 1' in lines
    assert "collector_running 0" in lines
    assert 'collector_store_up{state="ok"} 1' in lines
    assert 'collector_freshness{pipeline="crypto",freshness="never"} 1' in lines
    day = int(datetime(2026, 11, 22, tzinfo=UTC).timestamp())
    source = '{pipeline="crypto",source="coingecko.markets"}'
    assert f"collector_source_data_as_of_timestamp_seconds{source} {day}.0" in lines
    ended = ledger.run(settings, RUN)
    assert ended is not None and ended.finished_at is not None
    stamp = ended.finished_at.timestamp()
    assert f'collector_last_success_timestamp_seconds{{pipeline="crypto"}} {stamp}' in lines


def test_metrics_tell_of_a_ledger_and_a_store_that_are_damaged(app: Starlette, home: Path) -> None:
    home.mkdir(parents=True)
    for name in ("ledger.sqlite", "console.duckdb"):
        (home / name).write_bytes(b"")
    lines = ask(app, "metrics").body.decode().splitlines()
    assert 'collector_store_up{state="corrupt"} 0' in lines
    assert 'collector_ledger_up{state="corrupt"} 0' in lines


def test_a_label_is_escaped() -> None:
    from console import metrics as console_metrics

    (_help, _type, line) = console_metrics._family("x", "y", [({"a": 'q"\\\n'}, True)])
    assert line == 'collector_x{a="q\\"\\\\\\n"} 1' and _SAMPLE.match(line)


# ---------------------------------------------------------------- the document


def test_every_route_is_documented_and_no_other(app: Starlette, settings: Settings) -> None:
    routed = {
        (route.path, method.lower())
        for router in console_api.routers()
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    told = ask(app, "openapi.json").json
    assert {(path, verb) for path, verbs in told["paths"].items() for verb in verbs} == routed
    for verbs in told["paths"].values():
        for operation in verbs.values():
            assert operation["summary"] and operation["tags"]
            for status, one in operation["responses"].items():
                assert one["description"]
                if int(status) >= 400:
                    assert one["content"][JSON]["schema"] == {"$ref": "#/components/schemas/Error"}
            for parameter in operation.get("parameters", ()):
                assert parameter["in"] == "path" or parameter["description"]
            assert ("security" in operation) == ("post" in verbs)


def test_what_is_documented_in_words_is_what_the_manual_says() -> None:
    manual = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(?:GET|POST) (/\S+?)`", manual, re.M))
    assert named == set(document()["paths"])


def _answers(
    settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str, Answer]]:
    """One answer of every status that any route documents, but those of a run that really starts."""
    app = made(settings)
    told = document()["paths"]
    posts = [path for path, verbs in told.items() if "post" in verbs]
    gets = [path for path, verbs in told.items() if "get" in verbs]
    named = {"{run_id}": RUN, "{pipeline}": "crypto"}

    def at(path: str, **instead: str) -> str:
        for mark, value in {**named, **instead}.items():
            path = path.replace(mark, value)
        return f"/api/v1{path}"

    for method, paths in (("POST", posts), ("GET", gets)):
        for path in paths:
            yield path, method, ask(app, at(path), method, host="evil.example")
            yield path, method, ask(app, at(path), method, origin="http://evil.example")
            if "{" in path:
                yield path, method, ask(app, at(path, **{"{run_id}": "%2e%2e", "{pipeline}": "C:x"}), method)
                yield path, method, ask(app, at(path, **{"{run_id}": "no", "{pipeline}": "no"}), method)
    for path in gets:
        for parameter in told[path]["get"].get("parameters", ()):
            if parameter["in"] == "query":
                value = ",".join("x" * 101)
                yield path, "GET", ask(app, f"{at(path)}?{parameter['name']}={value}")
    ledger.reserve(settings, RUN, ["crypto"], "cli")
    put(settings, CRYPTO_PRICE, price())
    for path in gets:
        yield path, "GET", ask(app, at(path))
    for path in posts:
        yield path, "POST", ask(app, at(path), "POST")
        yield path, "POST", ask(app, at(path), "POST", b"{", content_type=JSON)
        yield path, "POST", ask(app, at(path), "POST", b"x" * 20_000)
        yield path, "POST", ask(app, at(path), "POST", b"x", content_type="text/plain")
        yield path, "POST", ask(app, f"{at(path)}?wait=-1", "POST")
        with monkeypatch.context() as patch:
            patch.setenv("COLLECTOR_API_TOKEN", TOKEN)
            yield path, "POST", ask(made(load()), at(path), "POST")
    ledger.finish(settings, RUN, "ok", 0, {"crypto": "ok"})
    yield posts[-1], "POST", ask(app, at(posts[-1]), "POST")
    for name in ("ledger.sqlite", "console.duckdb"):
        for file in home.glob(f"{name}*"):
            file.unlink()
        (home / name).write_bytes(b"")
    fresh = made(settings)
    for path in gets:
        yield path, "GET", ask(fresh, at(path))
    for path in posts:
        yield path, "POST", ask(fresh, at(path), "POST")


def test_every_documented_status_is_reached_and_no_other(
    settings: Settings, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: dict[tuple[str, str], set[str]] = {}
    for path, method, answer in _answers(settings, home, monkeypatch):
        conforms(answer, path, method)
        reached.setdefault((path, method), set()).add(str(answer.status))
    told = {
        (path, verb.upper()): set(operation["responses"])
        for path, verbs in document()["paths"].items()
        for verb, operation in verbs.items()
    }
    # A run that starts, and one that is waited for, are seen with a real console below.
    started = {key: {"200", "202"} for key in told if key[1] == "POST" and "{" not in key[0]}
    assert {key: found | started.get(key, set()) for key, found in reached.items()} == told


def test_the_page_of_the_document_asks_nobody_else(app: Starlette) -> None:
    answer = ask(app, "docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    html = answer.body.decode()
    assert re.findall(r"(?:https?:)?//[a-z]", html) == []
    assert answer.headers["content-security-policy"] == policy(PAGE.read_text(encoding="utf-8"))
    assert html.count("<script>") == 1 and "innerHTML" not in html


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/collector", "/collector/runs/", "/badge/crypto", "/docs/"]
)
def test_what_is_no_route_is_a_json_404(app: Starlette, path: str) -> None:
    answer = ask(app, f"/api/v1{path}")
    assert (answer.status, answer.code) == (404, "not_found")


# ---------------------------------------------------------------- as it is served


@pytest.fixture
def console(home: Path, tmp_path: Path) -> Iterator[tuple[Console, Any]]:
    """A console and its upstream."""
    with child.frozen_upstream() as up, served(tmp_path, **_environment(up)) as console:
        yield console, up


def _environment(up: Any, **more: str) -> dict[str, str]:
    env = child.environment(up, **more)
    return {name: env[name] for name in env if name.startswith(("COLLECTOR_", "COINGECKO_", "FRED_"))}


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_run_all_is_answered_with_the_finished_run_and_its_pipelines_in_order(
    console: tuple[Console, Any],
) -> None:
    served_, _up = console
    answer = served_.ask("collector/run-all?wait=300", "POST", timeout_s=310)
    conforms(answer, "/collector/run-all", "POST")
    assert answer.status == 200
    run = answer.json
    assert run["pipelines"] == list(PIPELINES) and set(run["outcomes"]) == set(PIPELINES)
    assert run["trigger"] == "api"
    seen = list(dict.fromkeys(step["pipeline"] for step in run["steps"] if step["pipeline"] in PIPELINES))
    assert seen == list(PIPELINES)
    assert (run["state"], run["outcomes"]) == ("ok", dict.fromkeys(PIPELINES, "ok"))
    assert served_.ask(f"collector/runs/{run['run_id']}").json == run
    conforms(served_.ask("collector/status"), "/collector/status")


def test_a_hundred_posts_at_once_start_one_run(console: tuple[Console, Any]) -> None:
    served_, up = console
    up.fault("*", "*", Fault.delay(2))
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _n: served_.ask("collector/crypto", "POST"), range(100)))
    started = [answer for answer in answers if answer.status == 202]
    assert len(started) == 1 and len(ledger.runs(load())) == 1
    run_id = started[0].json["run_id"]
    assert started[0].json["status_url"] == f"/api/v1/collector/runs/{run_id}"
    others = [answer for answer in answers if answer.status == 409]
    assert len(others) == 99 and {answer.json["error"]["run_id"] for answer in others} == {run_id}
    assert served_.ask(started[0].json["status_url"]).json["state"] in ("queued", "running")
    for answer in (started[0], others[0]):
        conforms(answer, "/collector/crypto", "POST")


def test_a_wait_that_is_too_short_says_that_it_still_runs_and_cancel_ends_it(
    console: tuple[Console, Any],
) -> None:
    served_, up = console
    up.fault("*", "*", Fault.hang(60))
    answer = served_.ask("collector/crypto?wait=1.5", "POST")
    assert (answer.status, answer.json["pipelines"]) == (202, ["crypto"])
    url = answer.json["status_url"]
    child.eventually(lambda: served_.ask(url).json["state"] == "running", within_s=10)
    asked = time.monotonic()
    assert served_.ask(f"{url}/cancel", "POST").status == 202
    child.eventually(lambda: served_.ask(url).json["state"] == "cancelled", within_s=5)
    assert time.monotonic() - asked < 5


def test_a_console_that_is_stopped_does_not_wait_for_who_waits(console: tuple[Console, Any]) -> None:
    served_, up = console
    up.fault("*", "*", Fault.hang(60))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(served_.ask, "collector/crypto?wait=60", "POST")
        live = child.eventually(child.live, within_s=15)
        began = time.monotonic()
        served_.process.terminate()
        assert waiting.result(timeout=10).status == 202
        served_.process.wait(10)
    assert time.monotonic() - began < 10
    ledger.cancel(load(), live.run_id)
    child.eventually(lambda: ledger.running(load()) is None, within_s=10)


def _endless() -> Iterator[bytes]:
    give_up = time.monotonic() + 5
    while time.monotonic() < give_up:
        yield b"x" * 1000


@pytest.mark.parametrize("size", [10_000_000, None])
def test_a_body_that_is_too_large_gets_its_answer(console: tuple[Console, Any], size: int | None) -> None:
    served_, _up = console
    began = time.monotonic()
    try:
        answer = served_.ask("collector/crypto", "POST", b"x" * size if size else _endless())
        assert (answer.status, answer.code) == (413, "too_large")
    except ConnectionError:
        # A client that sends without end learns it by its connection.
        assert size is None
    assert time.monotonic() - began < 1.5
    assert served_.ask("healthz").json["running"] is None


def test_the_token_turns_up_in_nothing(home: Path, tmp_path: Path) -> None:
    with (
        child.frozen_upstream() as up,
        served(tmp_path, **_environment(up, COLLECTOR_API_TOKEN=child.CANARY)) as console,
    ):
        assert console.ask(f"collector/crypto?token={child.CANARY}", "POST").status == 401
        bearer = f"Bearer {child.CANARY}"
        answer = console.ask("collector/crypto?wait=60", "POST", authorization=bearer)
        assert answer.status == 200
        shown = [
            console.ask(path) for path in ("collector/status", "metrics", "openapi.json", "collector/runs")
        ]
    assert not [one for one in (answer, *shown) if child.CANARY.encode() in one.body]
    assert child.CANARY.encode() not in console.said.read_bytes()
    child.assert_no_canary()


def test_clocks_of_answers_are_utc(app: Starlette, settings: Settings) -> None:
    over(settings, RUN)
    queued = ask(app, f"collector/runs/{RUN}").json["queued_at"]
    assert queued.endswith("Z") and abs(clock.parse(queued) - clock.now()) < timedelta(minutes=1)


# ---------------------------------------------------------------- as it was known


def test_rows_are_told_as_they_were_known(app: Starlette, settings: Settings) -> None:
    put(settings, CRYPTO_PRICE, price(value=97_000.5))
    with db.writer(settings) as connection:
        connection.execute(
            'INSERT INTO revision SELECT \'crypto_price\', \'{"coin":"bitcoin","date":"\' || date || \'"}\','
            " observed_at - INTERVAL 1 DAY, '{\"price\":96000,\"rank\":1}', FALSE, source, 'older',"
            " observed_at - INTERVAL 1 DAY, FALSE FROM crypto_price"
        )
    now = rows(app, "crypto/prices", "coin=bitcoin").json["rows"][0]
    since = now["observed_at"]
    before = clock.stamp(clock.parse(since) - timedelta(hours=1))
    long_ago = clock.stamp(clock.parse(since) - timedelta(days=2))

    def known(at: str) -> list[dict[str, Any]]:
        answer = rows(app, "crypto/prices", f"coin=bitcoin&known_at={at}")
        return list(answer.json["rows"])

    assert known(since) == [{**now}]
    assert [(row["price"], row["run_id"]) for row in known(before)] == [(96_000.0, "older")]
    assert known(long_ago) == []
    # Other spellings of an instant are the same instant; a plus has to be written as %2B.
    assert known(since.replace("Z", "%2B00:00")) == known(since)


@pytest.mark.parametrize("path", ["crypto/prices", "crypto/protocols", "liquidity/observations"])
@pytest.mark.parametrize(
    "at", ["2026-11-24", "2026-11-24T21:00:00", "yesterday", "", "1700000000", "2026-02-30T00:00Z"]
)
def test_an_instant_that_is_none_is_named(app: Starlette, path: str, at: str) -> None:
    answer = ask(app, f"{path}?known_at={at}")
    assert (answer.status, answer.code) == (422, "bad_parameter")
    assert answer.json["error"]["message"].startswith("known_at")
