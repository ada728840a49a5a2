"""What the newest numbers say of the market: its word, its changes, what moved most. Reckons, draws
nothing."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

import pandas as pd

from pages._view import crypto_words, formats
from pages._view.once import once
from storage.texts import N_, _

MOVERS = 8
DAY = pd.Timedelta(days=1)
# What share of the newest day's coins another day must hold to be compared with it.
_NEARLY = 0.9
# How many of the largest coins are the market.
TOP = 20
MOODS = {
    -2: N_("Crypto fell hard in a day"),
    -1: N_("Crypto slipped in a day"),
    0: N_("Crypto hardly moved in a day"),
    1: N_("Crypto rose in a day"),
    2: N_("Crypto jumped in a day"),
}


class Frames(Protocol):
    """The part of the record that is looked at here: coins by day, and series of observations."""

    @property
    def prices(self) -> pd.DataFrame: ...

    @property
    def observations(self) -> pd.DataFrame: ...


@once
def newest(prices: pd.DataFrame) -> pd.DataFrame:
    """The coins as they stand: each on its newest day of the last two, since shortly after midnight
    UTC the upstream still dates some by the day before. One that fell out of the list since then has a
    successor in its rank."""
    if prices.empty:
        return prices
    recent = prices[prices["date"] >= prices["date"].max() - DAY].sort_values(["date", "observed_at"])
    coins = recent.drop_duplicates("coin", keep="last")
    return coins[~coins.duplicated("rank", keep="last") | coins["rank"].isna()]


@once
def largest(prices: pd.DataFrame) -> pd.DataFrame:
    """The coins that are the market, as they stand, by rank."""
    return newest(prices).sort_values(["rank", "coin"], na_position="last").head(TOP)


def caps(prices: pd.DataFrame) -> "pd.Series[float]":
    """The market cap of the largest coins together, by day. Only days that hold nearly as many coins as
    the newest one; a coin that is dated the day before counts as it was then, if its rank is free."""
    held = prices[prices["market_cap"].notna()]
    if held.empty:
        return pd.Series(dtype=float)
    carried = held.assign(date=held["date"] + DAY, late=True)
    both = pd.concat([held.assign(late=False), carried[carried["date"].isin(held["date"])]])
    both = both.sort_values(["date", "late", "observed_at"], ascending=[True, True, False])
    both = both.drop_duplicates(["coin", "date"])
    both = both[~both.duplicated(["date", "rank"]) | both["rank"].isna()]
    largest_of_day = both.sort_values("rank").groupby("date").head(TOP)
    days = largest_of_day.groupby("date")["market_cap"].agg(["sum", "count"])
    return days.loc[days["count"] >= days["count"].iloc[-1] * _NEARLY, "sum"]


def recent(values: "pd.Series[float]", days: int) -> list[float]:
    """The values (by day) of the last `days` days, for a sparkline; nothing where they make no line."""
    known = values.dropna()
    if known.empty:
        return []
    found = [float(value) for value in known[known.index > values.index.max() - days * DAY]]
    return found if len(found) > 1 else []


def mood(move: float) -> str:
    """The word for a move of the market."""
    return _(MOODS[crypto_words.market_turn(move)])


@once
def series(frames: Frames, name: str) -> pd.DataFrame:
    """One series of observations, oldest first, without missing values."""
    rows = frames.observations
    return rows if rows.empty else rows[rows["series"] == name].dropna(subset=["value"])


def against(rows: pd.DataFrame, days: int) -> tuple[float, float] | None:
    """The newest value and the one `days` earlier; None where that very day is not stored."""
    if rows.empty:
        return None
    last = rows.iloc[-1]
    before = rows[rows["date"] == last["date"] - timedelta(days=days)]
    return None if before.empty else (float(last["value"]), float(before["value"].iloc[-1]))


def relative(rows: pd.DataFrame, days: int) -> float | None:
    """Change in percent over `days`."""
    pair = against(rows, days)
    return (pair[0] / pair[1] - 1) * 100 if pair and pair[1] else None


def absolute(rows: pd.DataFrame, days: int) -> float | None:
    """Change in the series' own unit over `days`."""
    pair = against(rows, days)
    return pair[0] - pair[1] if pair else None


def headline(frames: Frames) -> str:
    """One sentence on the newest day: the market's word, Bitcoin, DeFi TVL."""
    coins = largest(frames.prices)
    move = crypto_words.market_change(coins)
    bitcoin = coins[coins["coin"] == "bitcoin"] if not coins.empty else coins
    parts = []
    if not bitcoin.empty:
        parts.append(_("Bitcoin {change}").format(change=formats.percent(bitcoin["change_24h"].iloc[-1])))
    tvl = relative(series(frames, "defillama.total_tvl"), 1)
    if tvl is not None:
        parts.append(_("DeFi TVL {change}").format(change=formats.percent(tvl)))
    start = mood(move) if move is not None else _("The market in a line")
    return f"{start}: {', '.join(parts)}." if parts else f"{start}."


def is_provisional(frames: Frames) -> bool:
    """Whether the newest prices are of a day that is not over."""
    coins = newest(frames.prices)
    return not coins.empty and bool(coins["provisional"].any())


@once
def movers(frames: Frames) -> pd.DataFrame:
    """The coins that moved most in 24 hours, stablecoins last by nature."""
    coins = newest(frames.prices).dropna(subset=["change_24h"])
    order = coins["change_24h"].abs().sort_values(ascending=False).index
    return coins.loc[order].head(MOVERS)


def weeks(frames: Frames, coins: Iterable[str]) -> dict[str, "pd.Series[float]"]:
    """The prices of coins in the last seven days of the record, by day."""
    rows = frames.prices
    days = rows[rows["date"] > rows["date"].max() - 7 * DAY]
    wanted = set(coins)
    found = days[days["coin"].isin(wanted)].set_index("date").groupby("coin")["price"]
    return {
        coin: found.get_group(coin) if coin in found.groups else pd.Series(dtype=float) for coin in wanted
    }
