"""What the crypto page says in sentences: the headline, as-of, what revised values were."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from pages._view import currency, formats
from pages._view.currency import USD, Currency
from storage.texts import N_, _

if TYPE_CHECKING:
    from storage.settings import Settings

_MARKET = {
    1: N_("The top {n} coins gained {size} in 24 hours"),
    -1: N_("The top {n} coins lost {size} in 24 hours"),
    0: N_("The top {n} coins hardly moved in 24 hours ({size})"),
}
# A move of the largest coins together, in percent: less is hardly any, from the other one on it is hard.
_STILL, _HARD = 0.5, 5.0


def market_change(coins: pd.DataFrame) -> float | None:
    """Change of the summed market cap in 24 h, in percent; None without caps and changes."""
    known = coins.dropna(subset=["market_cap", "change_24h"])
    known = known[(known["market_cap"] > 0) & (known["change_24h"] > -100)]
    before = (known["market_cap"] / (1 + known["change_24h"] / 100)).sum() if len(known) else 0.0
    return float((known["market_cap"].sum() / before - 1) * 100) if before > 0 else None


def market_turn(moved: float) -> int:
    """The one word for a move of the market, on every page: 0 hardly any, 1 and -1, 2 and -2 hard."""
    size = abs(round(moved, 1))
    turn = 0 if size < _STILL else 1 if size < _HARD else 2
    return turn if moved > 0 else -turn


def headline(coins: pd.DataFrame, greed: pd.DataFrame, money: Currency = USD) -> str:
    """One sentence from the newest rows: the market's day, Bitcoin, the mood."""
    clauses = []
    moved = market_change(coins)
    if moved is not None:
        turn = max(-1, min(1, market_turn(moved)))
        size = formats.percent(abs(moved) if turn else moved, signed=not turn)
        clauses.append(_(_MARKET[turn]).format(n=len(coins), size=size))
    bitcoin = coins[(coins["coin"] == "bitcoin") & coins["price"].notna()]
    if not bitcoin.empty:
        clauses.append(_("Bitcoin is at {price}").format(price=money.show(bitcoin["price"].iloc[0])))
    if not greed.empty:
        clauses.append(_("the mood is {label}").format(label=mood(greed)))
    said = "; ".join(clauses) or _("Crypto")
    return said[:1].upper() + said[1:]


def mood(greed: pd.DataFrame) -> str:
    """The provider's own label and value of the newest day: "Greed (57)"."""
    newest = greed.iloc[-1]
    label, value = newest["note"], formats.number(newest["value"])
    return f"{_(label)} ({value})" if isinstance(label, str) and label else value


def as_of(rows: pd.DataFrame) -> str:
    """The newest day of `rows`, and whether that day was over when it was seen."""
    if rows.empty:
        return formats.DASH
    newest = rows[rows["date"] == rows["date"].max()]
    said = formats.day(newest["date"].iloc[0])
    return _("{day} UTC, provisional").format(day=said) if newest["provisional"].any() else f"{said} UTC"


def sourced(rows: pd.DataFrame, credit: str, *before: str) -> str:
    """A chart's subtitle: what it shows, who provides it, and the newest day."""
    return " · ".join((*before, credit, _("as of {day}").format(day=as_of(rows))))


def origin(rows: pd.DataFrame, settings: "Settings") -> str:
    """Where the newest of `rows` comes from: source, as-of, when it was collected, which run, which rate."""
    newest = rows.iloc[-1]
    said = _("{source}, as of {day}, collected {time}, run {run}")
    time = formats.moment(settings, newest["observed_at"])
    where = said.format(source=newest["source"], day=as_of(rows), time=time, run=newest["run_id"])
    return ", ".join(filter(None, [where, currency.told(newest)]))


def day_ends(rows: pd.DataFrame) -> datetime | None:
    """When the newest, unfinished day of `rows` will be over, aware UTC; None if it is over."""
    newest = rows[rows["date"] == rows["date"].max()] if len(rows) else rows
    if newest.empty or not newest["provisional"].any():
        return None
    return datetime.combine(newest["date"].iloc[0].date() + timedelta(days=1), time(0), UTC)


def older(rows: pd.DataFrame, money: Currency = USD) -> Sequence[str]:
    """Of each revised value of `tables.revised_prices`, newest first: coin, day and what it was."""
    said = _("{coin}, {day}: was {price}")
    return [
        said.format(coin=row.coin, day=formats.day(row.date), price=money.show(row.price))
        for row in rows.sort_values("known_at", ascending=False).itertuples()
    ]
