"""CoinGecko: the twenty largest coins, Bitcoin's share of the market, and yesterday's closes.

Prices, caps and volumes in USD, changes in percent. Keyed on `id`: symbols repeat. The plan of a key
cannot be told from the key; keyless calls are shared by everybody behind one address.
https://docs.coingecko.com (limits and fields as of 2026-11).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from collectors.checks.compare import TOGETHER, peer, within
from collectors.checks.kinds import Check, Facts, Measured
from collectors.model import (
    Answer,
    Ask,
    Batch,
    Changed,
    Plan,
    Probe,
    Rejected,
    Request,
    Row,
    Series,
    Source,
    Upstream,
)
from collectors.payload import (
    Unfit,
    each,
    given,
    instant,
    json_of,
    list_of,
    member,
    named_somewhere,
    number,
    text,
)
from storage.tables import CRYPTO_PRICE, OBSERVATION
from storage.texts import N_

TOP = 20
STALE = timedelta(hours=24)
# `vs_currency` is not echoed: only a coin that is worth one dollar shows another currency.
DOLLAR_COINS = frozenset({"tether", "usd-coin", "dai", "usds", "ethena-usde"})
DOLLAR_NEAR, DOLLAR_TOLERANCE = 0.01, 0.03
# Percent between two quotes of Bitcoin minutes apart, and percentage points between two shares of the market.
BITCOIN_NEAR, BITCOIN_FAR = 3.0, 10.0
SHARE_NEAR, SHARE_FAR = 2.0, 10.0
# Null in any one coin, absent in none; the changes come where they were asked for.
NULLABLE = ("market_cap", "market_cap_rank", "total_volume", "price_change_percentage_24h")
CHANGES = ("price_change_percentage_7d_in_currency", "price_change_percentage_30d_in_currency")

UPSTREAM = Upstream(
    name="coingecko",
    title="CoinGecko",
    home="https://www.coingecko.com",
    credit=N_("Data provided by CoinGecko"),
    licence=N_("CoinGecko API terms: attribution beside the data"),
    url="coingecko_url",
    key="COINGECKO_API_KEY",
    probe=Probe("/ping"),
    plans=(
        Plan("keyless", pace_s=2.0, per_minute=5),
        Plan("demo", secrets={"x-cg-demo-api-key": "COINGECKO_API_KEY"}, pace_s=2.0, per_minute=30),
        Plan(
            "pro",
            base="https://pro-api.coingecko.com/api/v3",
            secrets={"x-cg-pro-api-key": "COINGECKO_API_KEY"},
            pace_s=2.0,
            per_minute=30,
        ),
    ),
)


def markets(ask: Ask) -> Sequence[Request]:
    """One call for price, cap, volume, rank and changes."""
    params = {
        "vs_currency": "usd",
        "order": "market_cap_desc",
        "per_page": str(TOP),
        "page": "1",
        "sparkline": "true",
        "price_change_percentage": "7d,30d",
    }
    return [Request(f"{ask.base}/coins/markets", params, ask.plan.secrets)]


def parse_markets(answers: Sequence[Answer], ask: Ask) -> Batch:
    """Rows of `crypto_price`. Raises Changed when the shape differs."""
    answer = answers[0]
    items = list_of(json_of(answer.body), "/coins/markets")
    asked = CHANGES if "price_change_percentage" in answer.request.params else ()
    named_somewhere(items, NULLABLE + asked, "/coins/markets")
    # Ranks can be null and can disagree with the order of the list.
    place = {id(item): n for n, item in enumerate(items, 1)}
    return each(items, lambda item: _coin(item, place[id(item)], answer.at))


def _coin(item: Mapping[str, Any], place: int, at: datetime) -> Row:
    updated = instant(given(item, "last_updated"), at)
    if at - updated > STALE:
        raise Unfit("stale")
    rank = number(item.get("market_cap_rank"), least=1, most=1e6)
    return {
        "coin": text(given(item, "id")),
        "date": updated.date(),
        "symbol": text(given(item, "symbol"), 20),
        "name": text(given(item, "name")),
        "rank": int(rank) if rank is not None else place,
        "price": number(given(item, "current_price"), least=1e-18, most=1e12),
        # A cap of 0 is how CoinGecko says that it does not know.
        "market_cap": number(item.get("market_cap"), least=0) or None,
        "volume": number(item.get("total_volume"), least=0),
        "change_24h": number(item.get("price_change_percentage_24h")),
        "change_7d": number(item.get("price_change_percentage_7d_in_currency")),
        "change_30d": number(item.get("price_change_percentage_30d_in_currency")),
    }


def _dollar(batch: Batch, facts: Facts) -> Iterable[Measured]:
    prices = [float(str(row["price"])) for row in batch.rows if row["coin"] in DOLLAR_COINS]
    if prices:
        # The nearest, not the middle one: in March 2023 several lost their peg on one day.
        nearest = min(prices, key=lambda price: abs(price - 1))
        yield Measured(nearest, values={"price": f"{nearest:.3f}"})


def _bitcoin(row: Row) -> float | None:
    return float(str(row["price"])) if row["coin"] == "bitcoin" else None


def _share(batch: Batch, facts: Facts) -> Iterable[Measured]:
    """Bitcoin's cap of the same hour, as a share of the total that the answer names, against its share."""
    cap = facts.told.get("bitcoin.market_cap")
    if cap is None or facts.at is None or abs(facts.at - cap.at) > TOGETHER or not facts.answers:
        return
    data = json_of(facts.answers[0].body)["data"]
    caps = data.get("total_market_cap")
    total = caps.get("usd") if isinstance(caps, dict) else None
    if isinstance(total, int | float) and total > 0:
        for row in batch.rows:
            yield Measured(float(str(row["value"])) - 100 * cap.value / total, row)


def global_(ask: Ask) -> Sequence[Request]:
    """The snapshot of the whole market; there is no free history of it."""
    return [Request(f"{ask.base}/global", {}, ask.plan.secrets)]


def parse_global(answers: Sequence[Answer], ask: Ask) -> Batch:
    """One row of `observation`: Bitcoin's share of all market caps, in percent."""
    answer = answers[0]
    data = member(json_of(answer.body), "data", "/global")
    share = member(member(data, "market_cap_percentage", "data"), "btc", "market_cap_percentage")
    try:
        updated = instant(member(data, "updated_at", "data"), answer.at)
        value = number(share, least=1, most=99)
        if value is None:
            raise Unfit("missing:btc")
    except Unfit as unfit:
        raise Changed(
            "schema",
            N_("Bitcoin's share cannot be read ({reason}): the parser has to follow."),
            reason=str(unfit),
        ) from None
    if answer.at - updated > STALE:
        raise Changed("stale", N_("Every row of the answer is over a day old. Old values stay; wait."))
    row: Row = {"series": DOMINANCE.series, "date": updated.date(), "value": value, "note": None}
    return Batch([row])


def closes(ask: Ask) -> Sequence[Request]:
    """With a key: the last two days of every coin whose row of yesterday was only seen live."""
    yesterday = ask.now.date() - timedelta(days=1)
    coins = [str(row["coin"]) for row in ask.unsealed if row["date"] == yesterday]
    return [
        Request(
            f"{ask.base}/coins/{quote(coin, safe='')}/market_chart",
            {"vs_currency": "usd", "days": "2"},
            ask.plan.secrets,
            item=coin,
        )
        for coin in coins
    ]


def parse_closes(answers: Sequence[Answer], ask: Ask) -> Batch:
    """Yesterday's rows of `crypto_price` with the last price, cap and volume of that UTC day."""
    yesterday = ask.now.date() - timedelta(days=1)
    stored = {row["coin"]: row for row in ask.unsealed if row["date"] == yesterday}
    rows: list[Row] = []
    rejected: list[Rejected] = []
    refused: Changed | None = None
    for answer in answers:
        coin = str(answer.request.item)
        try:
            close = last_of_day(json_of(answer.body), yesterday, answer.at)
            if close["price"] is None or close["price"] <= 0:
                raise Unfit("implausible")
        except Unfit as unfit:
            rejected.append(Rejected({"coin": coin}, str(unfit)))
        except Changed as changed:
            rejected.append(Rejected({"coin": coin}, changed.code))
            refused = changed
        else:
            # An unknown cap must not take the place of one that was seen.
            rows.append(
                {**stored[coin], **{name: value for name, value in close.items() if value is not None}}
            )
    if refused is not None and not rows:
        raise refused
    return Batch(rows, rejected)


def last_of_day(payload: Any, day: date, at: datetime) -> dict[str, float | None]:
    """price, market_cap and volume of the last point within the UTC day. Points may come unsorted,
    and the last two may share a day. Raises Unfit `no_close`, Changed for another shape."""
    found: dict[str, float | None] = {}
    for name, column in (("prices", "price"), ("market_caps", "market_cap"), ("total_volumes", "volume")):
        newest: tuple[datetime, float | None] | None = None
        for point in list_of(member(payload, name, "market_chart"), name):
            if not isinstance(point, list) or len(point) != 2:
                raise Unfit("not_a_point")
            # A null in place of an instant is 1970, which `instant` refuses.
            when = instant((number(point[0]) or 0.0) / 1000, at)
            if when.date() == day and (newest is None or when >= newest[0]):
                newest = (when, number(point[1], least=0))
        if newest is None:
            raise Unfit("no_close")
        found[column] = newest[1] or None
    return found


DOMINANCE = Series(
    "coingecko.btc_dominance",
    N_("Bitcoin's share of all market caps"),
    N_("percent"),
    "daily",
    "https://www.coingecko.com/en/global-charts",
)

DOLLAR = Check(
    "dollar",
    "price",
    N_("The nearest of the dollar coins is quoted at {price} USD."),
    _dollar,
    warn=(1 - DOLLAR_NEAR, 1 + DOLLAR_NEAR),
    fail=(1 - DOLLAR_TOLERANCE, 1 + DOLLAR_TOLERANCE),
    fails="batch",
    refusal=N_("A dollar coin is quoted at {price}: these prices are not in USD. Old values stay."),
)
CAPS = Check(
    "caps",
    DOMINANCE.series,
    N_("{subject}: {value} percentage points away from Bitcoin's cap over the total."),
    _share,
    warn=(-SHARE_NEAR, SHARE_NEAR),
    fail=(-SHARE_FAR, SHARE_FAR),
)

MARKETS = Source(
    name="coingecko.markets",
    upstream=UPSTREAM,
    table=CRYPTO_PRICE,
    requests=markets,
    parse=parse_markets,
    rows=(TOP // 2 + 1, 250),
    jump=("price", 20.0),
    # Of prices, caps and volumes, without a paid plan.
    history=timedelta(days=365),
    usual=TOP,
    checks=(DOLLAR, peer("bitcoin", "yahoo.BTC-USD", _bitcoin, warn=BITCOIN_NEAR, fail=BITCOIN_FAR)),
)
GLOBAL = Source(
    name="coingecko.global",
    upstream=UPSTREAM,
    table=OBSERVATION,
    requests=global_,
    parse=parse_global,
    rows=(1, 1),
    series=(DOMINANCE,),
    checks=(
        within(DOMINANCE.series, "value", (1, 99), warn=(20, 90)),
        CAPS,
    ),
)
CLOSES = Source(
    name="coingecko.closes",
    upstream=UPSTREAM,
    table=CRYPTO_PRICE,
    requests=closes,
    parse=parse_closes,
    rows=(0, 250),
    jump=("price", 20.0),
    required=False,
    needs_key=True,
    closes=CRYPTO_PRICE,
)
