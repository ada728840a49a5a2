"""What the newest numbers say of the market: its word, its changes, what moved most. Reckons, draws
nothing."""

from datetime import timedelta
from typing import Protocol

import pandas as pd

from pages._view import formats
from storage.texts import N_, _

MOVERS = 8
DAY = pd.Timedelta(days=1)
# A move of the twenty largest together, in percent: from here on the word fits.
MOODS = (
    (-5.0, N_("Crypto fell hard in a day")),
    (-0.5, N_("Crypto slipped in a day")),
    (0.5, N_("Crypto hardly moved in a day")),
    (5.0, N_("Crypto rose in a day")),
)
JUMPED = N_("Crypto jumped in a day")


class Frames(Protocol):
    """The part of the record that is looked at here: coins by day, and series of observations."""

    @property
    def prices(self) -> pd.DataFrame: ...

    @property
    def observations(self) -> pd.DataFrame: ...


def newest(prices: pd.DataFrame) -> pd.DataFrame:
    """The coins as they stand: each on its newest day of the last two, since shortly after midnight
    UTC the upstream still dates some by the day before. One that fell out of the list since then has a
    successor in its rank."""
    if prices.empty:
        return prices
    recent = prices[prices["date"] >= prices["date"].max() - DAY].sort_values(["date", "observed_at"])
    coins = recent.drop_duplicates("coin", keep="last")
    return coins[~coins.duplicated("rank", keep="last") | coins["rank"].isna()]


def market_move(coins: pd.DataFrame) -> float | None:
    """The change of all coins of a day together, weighted by market cap, in percent."""
    known = coins.dropna(subset=["change_24h", "market_cap"])
    known = known[known["market_cap"] > 0]
    if known.empty:
        return None
    return float((known["change_24h"] * known["market_cap"]).sum() / known["market_cap"].sum())


def mood(move: float) -> str:
    """The word for a move of the market."""
    return _(next((text for limit, text in MOODS if move <= limit), JUMPED))


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
    coins = newest(frames.prices)
    move = market_move(coins) if not coins.empty else None
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


def movers(frames: Frames) -> pd.DataFrame:
    """The coins that moved most in 24 hours, stablecoins last by nature."""
    coins = newest(frames.prices).dropna(subset=["change_24h"])
    order = coins["change_24h"].abs().sort_values(ascending=False).index
    return coins.loc[order].head(MOVERS)


def week(frames: Frames, coin: str) -> list[float]:
    rows = frames.prices
    return rows[rows["coin"] == coin]["price"].dropna().tail(7).tolist()
