"""Real bodies of the upstreams, as other people's programs received them, through our parsers.

Each is accepted with facts that were read off the file by hand, or refused for a named reason. The
files are not part of the project: without ../shared beside it, this module skips.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.check import check
from collectors.checks import judge as checks
from collectors.checks.kinds import Facts
from collectors.model import Answer, Ask, Batch, Changed, CollectError, Plan, Request, Source
from collectors.place import Place
from collectors.reply import Reply, judge
from collectors.sources import coingecko, defillama, fear_greed
from storage.read import Known, Seen

FOLDER = Path(__file__).resolve().parent.parent.parent / "shared" / "captures"
UPSTREAMS = ("coingecko", "defillama", "alternative_me")
LABELS = ("TRANSCRIBED", "DERIVED", "projection", "subset", "ELIDED", "headers", "specs")
RETOLD = ("notebook-output", "docs-example")

if not FOLDER.is_dir():
    pytest.skip(f"NO CAPTURES: {FOLDER} is missing, parsers are not checked against real bodies",
                allow_module_level=True)  # fmt: skip


def day(text: str) -> date:
    return date.fromisoformat(text)


# ---------------------------------------------------------------- what each file has to give


@dataclass(frozen=True)
class Rows:
    """Accepted: how many rows, and some of them as (what identifies it, column, value).

    `few`: a file that somebody asked for with less than twenty coins, which `check` calls suspect."""

    source: Source
    at: str
    rows: int
    facts: tuple[tuple[str, str, object], ...]
    few: bool = False


@dataclass(frozen=True)
class Closes:
    """A market_chart: price, market cap and volume of the last point of a day; None: none that day."""

    at: str
    closes: Mapping[str, tuple[float, float | None, float]] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Not:
    """Refused by each of these parsers as Changed with this code and this word in the message."""

    sources: tuple[Source, ...]
    at: str
    code: str
    word: str


@dataclass(frozen=True)
class Errors:
    """A list of error replies, judged by status and body; the codes in the order of the file."""

    codes: tuple[str, ...]


MARKETS, GLOBAL = coingecko.MARKETS, coingecko.GLOBAL
DOMINANCE, TVL, MOOD = "coingecko.btc_dominance", "defillama.total_tvl", "alternative_me.fear_greed_index"

COINGECKO: dict[str, Rows | Closes | Not | Errors] = {
    "coins_markets__2022-01-06.json": Rows(MARKETS, "2022-01-06T06:57:30.121Z", 57, (
        ("bitcoin", "price", 42981.0), ("bitcoin", "change_24h", -7.51203),
        ("bitcoin", "change_7d", None), ("poken", "market_cap", None), ("poken", "rank", 56),
    )),
    "coins_markets__2023-01-02.json": Rows(MARKETS, "2023-01-02T17:08:14.619Z", 5, (
        ("bitcoin", "price", 16730.75), ("bitcoin", "market_cap", 322053364166.0),
    ), few=True),
    "coins_markets__2023-10-08.json": Not((MARKETS,), "2023-10-08T00:00Z", "schema", "/coins/markets"),
    "coins_markets__2023-11-20.json": Rows(MARKETS, "2023-11-20T15:16:14.534Z", 31, (
        ("bitcoin", "price", 37483.0), ("bitcoin", "volume", 18202175142.0),
    )),
    "coins_markets__2026-03-18.json": Rows(MARKETS, "2026-03-18T05:43:51.223Z", 10, (
        ("bitcoin", "price", 74051.0), ("bitcoin", "date", day("2026-03-18")),
    ), few=True),
    "coins_markets__2026-04-09.json": Rows(MARKETS, "2026-04-09T11:21:56.970Z", 100, (
        ("bitcoin", "price", 71203.0), ("bitcoin", "market_cap", 1424788198112.0),
        ("figure-heloc", "rank", 9), ("hashnote-usyc", "date", day("2026-04-08")),
        ("bitcoin", "date", day("2026-04-09")),
    )),
    "coins_markets_category_1h__2025-12-29.json": Rows(MARKETS, "2025-12-29T23:15:19.027Z", 100, (
        ("bitcoin", "price", 87270.0), ("bitcoin", "change_24h", -0.47419),
    )),
    "coins_markets_sparkline__2025-07-05.json": Rows(MARKETS, "2025-07-05T22:24:52.630Z", 10, (
        ("bitcoin", "price", 108130.0), ("bitcoin", "change_7d", 0.7369044185112024),
        ("bitcoin", "change_30d", None),
    ), few=True),
    # Euros: nothing in the file says so but the dollar coins.
    "coins_markets_vs-eur__2025-03-04.json": Not((MARKETS,), "2025-03-04T14:45:51Z", "suspect", "not in USD"),
    "global__2021-05-10.json": Rows(GLOBAL, "2021-05-10T00:50:46Z", 1, (
        (DOMINANCE, "value", 42.56418169927073), (DOMINANCE, "date", day("2021-05-10")))),
    "global__2022-04-23.json": Rows(GLOBAL, "2022-04-23T20:12:35Z", 1, (
        (DOMINANCE, "value", 38.763387376987964),)),
    "global__2023-03-22.json": Rows(GLOBAL, "2023-03-22T19:23:42Z", 1, (
        (DOMINANCE, "value", 44.67229930376301),)),
    "global__2023-09-23.json": Rows(GLOBAL, "2023-09-23T13:46:32Z", 1, (
        (DOMINANCE, "value", 47.365062490523336),)),
    "global__2024-04-07.json": Rows(GLOBAL, "2024-04-07T18:00:55Z", 1, (
        (DOMINANCE, "value", 50.4465263233584),)),
    "global__2025-01-08.json": Rows(GLOBAL, "2025-01-08T15:09:42Z", 1, (
        (DOMINANCE, "value", 54.14714315722106),)),
    "global__2025-05-23.json": Rows(GLOBAL, "2025-05-23T17:57:17Z", 1, (
        (DOMINANCE, "value", 60.89314534639523),)),
    "vcr__global__2021-05-18.json": Rows(GLOBAL, "2021-05-18T13:55:59Z", 1, (
        (DOMINANCE, "value", 38.259132842486686),)),
    # Daily: the day before is its midnight point, the last day the one that was drawn last.
    "coins_aave_market_chart_days-365__2022-12-01.json": Closes("2022-12-01T19:52:01Z", {
        "2022-11-30": (61.65077201774913, 874909504.9528481, 68048071.13624334),
        "2022-12-01": (63.93179804221004, 907133192.2191514, 72463509.00904556)}),
    "coins_badger-dao_market_chart_days-365__2022-12-01.json": Closes("2022-12-01T19:19:55Z", {
        "2022-11-30": (2.692787292725032, 44910830.511449374, 6266776.072378781)}),
    "coins_balancer_market_chart_days-365__2022-12-01.json": Closes("2022-12-01T17:25:18Z", {
        "2022-11-30": (5.896916014144302, 222796081.91389543, 4721643.910522492)}),
    "coins_havven_market_chart_days-365__2022-12-01.json": Closes("2022-12-01T14:10:46Z", {
        "2022-11-30": (1.6444083183785574, 395472081.77827954, 17250976.80220302)}),
    "coins_kyber-network-crystal_market_chart_days-365__2022-12-01.json": Closes("2022-12-01T17:14:16Z", {
        "2022-11-30": (0.6254113473570491, 102811132.99546918, 11391085.26098937)}),
    "coins_loopring_market_chart_days-365__2022-12-01.json": Closes("2022-12-01T21:15:44Z", {
        "2022-11-30": (0.23789646151808652, 296783602.1913706, 24801063.798954975)}),
    "coins_maker_market_chart_days-365__2022-12-01.json": Closes("2022-12-01T12:10:31Z", {
        "2022-11-30": (645.9311341393503, 582234758.6897427, 17314165.870434433)}),
    "coins_sushi_market_chart_days-365__2022-12-01.json": Closes("2022-12-01T21:14:28Z", {
        "2022-11-30": (1.3885303248973522, 267815061.44165275, 108468208.0163434)}),
    "coins_yearn-finance_market_chart_days-365__2022-12-01.json": Closes("2022-12-01T21:08:12Z", {
        "2022-11-30": (6452.526265534452, 201142487.43651837, 19937227.571863223)}),
    "coins_bitcoin_market_chart_days-365__2025-04-22.json": Closes("2025-04-22T22:19:27Z", {
        "2025-04-21": (85073.16544858096, 1689008667806.3804, 12625843856.313684),
        "2025-04-22": (92898.05906560247, 1842394605114.5093, 50866907861.34192)}),
    # Its market cap was unknown for half a year, and told as 0.
    "coins_terra-luna_market_chart_days-max_interval-daily__2022-07-06.json": Closes("2022-07-06T19:32:40Z", {
        "2022-07-05": (0.00012886757152531263, None, 108923842.01667234)}),
    # Hourly, not on the hour: 23:… is the last one of a day.
    "coins_bitcoin_market_chart__2023-10-10.json": Closes("2023-10-10T18:41:43Z", {
        "2023-10-09": (27600.1025698656, 538272610840.33527, 8264176663.809249)}),
    "coins_bitcoin_market_chart_wrapped__2023-10-14.json": Closes("2023-10-14T00:26:44Z", error="prices"),
    "vcr__coins_bitcoin_market_chart_days=1_id=bitcoin_vs_currency=usd__2021-05-16.json": Closes(
        "2021-05-16T08:19:47Z", {"2021-05-15": (46780.902304688214, 875321252276.1078, 62896879696.14898)}),
    # The last point is cut to the second, and so older than the one before it.
    "vcr__coins_bitcoin_market_chart_days=1_vs_currency=usd__2021-05-15.json": Closes(
        "2021-05-15T14:39:54.955Z",
        {"2021-05-14": (49913.26314398822, 935962705739.4398, 56820196964.51265)}),
    "vcr__coins_bitcoin_market_chart_days=30_vs_currency=usd__2021-05-15.json": Closes(
        "2021-05-15T14:13:29Z", {"2021-05-14": (49950.26944122073, 934582328514.2168, 57748005590.37304)}),
    "vcr__coins_bitcoin_market_chart_days=90_interval=daily_vs_currency=usd__2021-05-15.json": Closes(
        "2021-05-15T14:39:54Z", {"2021-05-14": (49972.795398372444, 934964766185.9642, 104203551167.93765)}),
    "errors_vcr_422_500__2021-07-19.json": Errors(("http_422",) * 9 + ("http_500",) * 2 + ("http_422",) * 2),
}  # fmt: skip
OTHERS: dict[str, Rows | Closes | Not | Errors] = {
    "v2_chains__2026-05-29.json": Not(
        (defillama.TOTAL_TVL, defillama.PROTOCOLS), "2026-05-29T00:00Z", "schema", "format"
    ),
    "v2_historicalChainTvl__2023-09-09.json": Rows(defillama.TOTAL_TVL, "2023-09-09T00:00Z", 1899, (
        (f"{TVL}@2018-06-29", "value", 20541.94079040033), (f"{TVL}@2023-09-08", "value", 38202638216.30527),
        (f"{TVL}@2023-09-09", "value", 37864314758.64114),
    )),
    "fng_limit-0_data-array-only__2026-06-06.json": Not(
        (fear_greed.FEAR_GREED,), "2026-06-06T13:10Z", "schema", "data"
    ),
    "fng_limit-1__2025-04-23.json": Rows(fear_greed.FEAR_GREED, "2025-04-23T23:15:39Z", 1, (
        (MOOD, "value", 72.0), (MOOD, "note", "Greed"), (MOOD, "date", day("2025-04-23")),
    )),
    "fng_limit-365__2025-04-22.json": Rows(fear_greed.FEAR_GREED, "2025-04-22T22:19:37Z", 365, (
        (f"{MOOD}@2025-04-22", "value", 47.0), (f"{MOOD}@2025-04-22", "note", "Neutral"),
        # 365 rows reach back 366 days: there is no value of 26 October 2024.
        (f"{MOOD}@2024-04-22", "value", 73.0),
    )),
}  # fmt: skip
EXPECTED = {**COINGECKO, **OTHERS}


def files() -> Iterable[Path]:
    for upstream in UPSTREAMS:
        yield from sorted(path for path in (FOLDER / upstream).iterdir() if path.is_file())


UNLABELLED = [file for file in files() if not any(label in file.name for label in LABELS + RETOLD)]


def chosen(kind: type) -> Any:
    files = [file for file in UNLABELLED if isinstance(EXPECTED.get(file.name), kind)]
    return pytest.mark.parametrize("file", files, ids=lambda file: file.name)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def answer_of(body: bytes, at: datetime) -> Answer:
    return Answer(body, at, Request("https://up.example"))


def parse(source: Source, file: Path, at: datetime) -> Batch:
    ask = Ask("https://up.example", Plan("open"), at)
    return source.parse([Answer(file.read_bytes(), at, Request("https://up.example"))], ask)


# ---------------------------------------------------------------- tests


@pytest.mark.parametrize("file", UNLABELLED, ids=lambda file: file.name)
def test_every_unlabelled_capture_is_expected_to_do_something(file: Path) -> None:
    assert file.name in EXPECTED, f"say in EXPECTED what {file.name} has to give"


def test_the_captures_that_are_expected_are_there() -> None:
    assert EXPECTED.keys() - {file.name for file in UNLABELLED} == set()


def row_of(batch: Batch, wanted: str) -> Mapping[str, object]:
    """By coin or series, and by date where the name has one after an @."""
    name, _, when = wanted.partition("@")
    found = [
        row
        for row in batch.rows
        if row.get("coin", row.get("series")) == name and when in ("", str(row["date"]))
    ]
    assert len(found) == 1, f"{len(found)} rows of {wanted}"
    return found[0]


@chosen(Rows)
def test_a_capture_is_accepted_with_the_values_it_holds(file: Path) -> None:
    expected = EXPECTED[file.name]
    assert isinstance(expected, Rows)
    batch = parse(expected.source, file, instant(expected.at))
    assert (len(batch.rows), list(batch.rejected)) == (expected.rows, [])
    for name, column, value in expected.facts:
        assert row_of(batch, name)[column] == value, (name, column)


@chosen(Rows)
def test_a_capture_is_believed_unless_it_holds_too_few_coins(file: Path) -> None:
    expected = EXPECTED[file.name]
    assert isinstance(expected, Rows)
    batch = parse(expected.source, file, instant(expected.at))
    if not expected.few:
        assert len(check(expected.source, batch, Known()).rows) == expected.rows
        return
    with pytest.raises(Changed) as caught:
        check(expected.source, batch, Known())
    assert caught.value.code == "suspect"


@chosen(Rows)
def test_no_check_has_anything_to_say_of_a_capture(file: Path) -> None:
    expected = EXPECTED[file.name]
    assert isinstance(expected, Rows)
    at = instant(expected.at)
    body, source = file.read_bytes(), expected.source
    batch = parse(source, file, at)
    # Bitcoin as Yahoo had it within the hour, and its cap: what was mined by then, at the price that the
    # answer itself puts on it (a total in dollars and the same in bitcoins).
    told: dict[str, Seen] = {}
    bitcoin = [row for row in batch.rows if row.get("coin") == "bitcoin"]
    for row in bitcoin:
        told["yahoo.BTC-USD"] = Seen(at.date(), 1.01 * float(str(row["price"])), at)
    if source is GLOBAL:
        told["bitcoin.market_cap"] = Seen(at.date(), mined(at) * implied_price(body), at)
    judged = checks.judge(source, batch, Facts(at=at, answers=[answer_of(body, at)], told=told))
    silent = {"rows"} if expected.few else set()
    assert [
        result for result in judged.results if result.state != "pass" and result.check.name not in silent
    ] == []
    made = {result.check.name for result in judged.results}
    assert {"rows"} <= made and ("caps" in made) == (source is GLOBAL) and ("peer" in made) == bool(bitcoin)


def implied_price(body: bytes) -> float:
    data = json.loads(body)["data"]
    return float(data["total_market_cap"]["usd"] / data["total_market_cap"]["btc"])


def mined(at: datetime) -> float:
    """Bitcoins there were, roughly: 18.71 million in May 2021, 450 to 900 more a day."""
    days = (at.date() - date(2021, 5, 10)).days
    return 18.71e6 + 900 * min(days, 1076) + 450 * max(0, days - 1076)


def test_the_captured_chains_can_be_summed() -> None:
    body = (FOLDER / "defillama" / "v2_chains__2026-05-29.json").read_bytes()
    total = defillama.sum_of_chains([answer_of(body, instant("2026-05-29T00:00Z"))])
    assert total is not None and round(total / 1e9, 2) == 79.84


def test_the_labels_of_eight_years_are_of_their_values() -> None:
    items = json.loads(
        (FOLDER / "alternative_me" / "fng_limit-0_data-array-only__2026-06-06.json").read_bytes()
    )
    body, at = json.dumps({"data": items}).encode(), instant("2026-06-06T13:10Z")
    ask = Ask("https://up.example", Plan("open"), at)
    source = fear_greed.FEAR_GREED
    assert source.parse is not None
    judged = checks.judge(source, source.parse([answer_of(body, at)], ask), Facts(at=at))
    assert {result.state for result in judged.results} == {"pass"} and len(judged.batch.rows) > 3000


@chosen(Rows)
def test_a_capture_a_week_later_brings_no_row_of_today(file: Path) -> None:
    expected = EXPECTED[file.name]
    assert isinstance(expected, Rows)
    later = instant(expected.at) + timedelta(days=7)
    if expected.source.upstream is coingecko.UPSTREAM:
        with pytest.raises(Changed) as caught:
            parse(expected.source, file, later)
        assert caught.value.code == "stale"
    else:
        # These carry the day of every value: age changes nothing.
        assert max(str(row["date"]) for row in parse(expected.source, file, later).rows) == expected.at[:10]


@chosen(Closes)
def test_the_close_of_a_day_is_read_from_a_captured_chart(file: Path) -> None:
    expected = EXPECTED[file.name]
    assert isinstance(expected, Closes)
    payload, at = json.loads(file.read_bytes()), instant(expected.at)
    if expected.error:
        with pytest.raises(Changed) as caught:
            coingecko.last_of_day(payload, at.date(), at)
        assert (caught.value.code, caught.value.values["field"]) == ("schema", expected.error)
    for when, (price, cap, volume) in expected.closes.items():
        close = coingecko.last_of_day(payload, day(when), at)
        assert close == {"price": price, "market_cap": cap, "volume": volume}


@chosen(Not)
def test_a_capture_of_another_shape_is_refused_for_a_named_reason(file: Path) -> None:
    expected = EXPECTED[file.name]
    assert isinstance(expected, Not)
    for source in expected.sources:
        with pytest.raises(Changed) as caught:
            checks.judge(source, parse(source, file, instant(expected.at)), Facts()).believed()
        assert caught.value.code == expected.code
        assert expected.word in str(caught.value)


# ---------------------------------------------------------------- error replies

PLACE = Place("https://api.coingecko.com/api/v3/coins/markets")
# Status and provider's number of the replies that were retyped from quotations, in their order.
QUOTED = ("rate_limited", "rate_limited", "rate_limited", "rate_limited", "http_403", "http_403",
          "http_400", "http_400", "http_401", "http_401", "http_401")  # fmt: skip
NUMBERS = {8: "10002", 9: "10005", 10: "10012", 6: "10011"}


def judged(entry: Mapping[str, Any]) -> CollectError:
    headers = {name.lower(): text[0] if isinstance(text, list) else text
               for name, text in entry["headers"].items()}  # fmt: skip
    said = entry["body"]
    body = said.get("string", said) if isinstance(said, dict) and "string" in said else said
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    date_said = headers.get("date")
    at = parsedate_to_datetime(date_said) if date_said else datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(CollectError) as caught:
        judge(Reply(int(entry["status"]), content, headers, at), PLACE, keyed=False)
    return caught.value


@chosen(Errors)
def test_a_captured_error_body_is_an_error_of_its_status(file: Path) -> None:
    expected = EXPECTED[file.name]
    assert isinstance(expected, Errors)
    entries = json.loads(file.read_bytes())
    assert tuple(judged(entry).code for entry in entries) == expected.codes


@chosen(Errors)
def test_a_captured_error_body_under_200_is_still_refused_by_the_parser(file: Path) -> None:
    for entry in json.loads(file.read_bytes()):
        at = datetime(2021, 7, 19, 4, tzinfo=UTC)
        said = entry["body"]
        content = (said if isinstance(said, str) else json.dumps(said)).encode()
        for source in (MARKETS, GLOBAL):
            with pytest.raises(Changed):
                source.parse([Answer(content, at, Request("https://up.example"))],
                             Ask("https://up.example", Plan("open"), at))  # fmt: skip


def test_the_quoted_errors_of_five_years_are_told_apart() -> None:
    entries = json.loads((FOLDER / "coingecko" / "errors_TRANSCRIBED__2022-2026.json").read_bytes())
    found = [judged(entry) for entry in entries]
    assert tuple(error.code for error in found) == QUOTED
    assert {n: getattr(found[n], "detail", "") for n in NUMBERS} == NUMBERS
    # None of it repeats what the provider wrote.
    assert not any("coingecko.com/en/api/pricing" in str(error) for error in found)
