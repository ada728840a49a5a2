"""The tables of the pages: what their rows are, how they are coloured, and how they leave as CSV.

Numbers stay numbers, so that a click on a column sorts them; how they read is said by a Styler.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages._view import formats, market
from pages._view.currency import USD, Currency
from pages._view.palette import Palette, sign_color
from storage.texts import _

TOP = 20
WEEK = pd.Timedelta(days=7)
ROW_HEIGHT = 30
# What a spreadsheet would take for the start of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ARROWS = {1: "▲", 0: "", -1: "▼"}


def height(rows: int) -> int:
    """Pixels of a table that shows all its rows, so that nothing below it moves."""
    return (rows + 1) * ROW_HEIGHT + 7


def csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 with a mark that Excel understands; a text cell never starts a formula. Numbers as stored."""

    def cell(value: object) -> object:
        return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value

    texts = [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])]
    plain = frame.assign(**{name: frame[name].map(cell) for name in texts})
    return plain.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def newest(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of the newest day."""
    return frame[frame["date"] == frame["date"].max()] if len(frame) else frame


def top_coins(prices: pd.DataFrame) -> pd.DataFrame:
    """The coins as they stand, by rank, 20 at most, each with `moved` (ranks gained in 7 days, NaN
    where it was not in the record then) and `week` (its prices of the last 8 days, missing ones left
    out)."""
    now = (
        market.newest(prices)
        .sort_values(["rank", "coin"], na_position="last")
        .head(TOP)
        .reset_index(drop=True)
    )
    if now.empty:
        return now.assign(moved=pd.Series(dtype=float), week=pd.Series(dtype=object))
    day = now["date"].max()
    then = prices[prices["date"] == day - WEEK].drop_duplicates("coin").set_index("coin")["rank"]
    found = weeks(prices[prices["date"] >= day - WEEK])
    return now.assign(
        moved=now["coin"].map(then).astype(float) - now["rank"].astype(float),
        compared=bool(len(then)),
        week=[found.get(coin, []) for coin in now["coin"]],
    )


def weeks(prices: pd.DataFrame) -> dict[str, list[float]]:
    """The known prices of each coin, oldest first."""
    known = prices[prices["price"].notna()].sort_values("date")
    return dict(known.groupby("coin")["price"].agg(list))


def stored(coins: pd.DataFrame) -> pd.DataFrame:
    """`top_coins` without what was computed: the rows as they are stored."""
    return coins.drop(columns=["week", "moved", "compared"], errors="ignore")


def revised_prices(revisions: pd.DataFrame) -> pd.DataFrame:
    """Final prices that were replaced: coin, date, price as it was, known_at, source, run_id."""
    columns = ["coin", "date", "price", "known_at", "source", "run_id"]
    if revisions.empty:
        return pd.DataFrame({name: [] for name in columns})
    rows = []
    for row in revisions[revisions["table_name"] == "crypto_price"].itertuples():
        key, replaced = json.loads(row.key), json.loads(row.replaced)
        if replaced.get("price") is not None:
            was = {"coin": key["coin"], "date": pd.Timestamp(key["date"]), "price": replaced["price"]}
            rows.append(was | {"known_at": row.known_at, "source": row.source, "run_id": row.run_id})
    return pd.DataFrame(rows, columns=columns)


def _rank_words(moved: float, compared: bool) -> str:
    if moved != moved:
        return _("new") if compared else formats.DASH
    return f"▲ {moved:.0f}" if moved > 0 else f"▼ {-moved:.0f}" if moved < 0 else "="


def change(value: Any, digits: int = 1) -> str:
    """A change in percent with its arrow: "▲ +0.4 %"."""
    return f"{_ARROWS[formats.direction(value, digits)]} {formats.percent(value, digits)}".strip()


def coin_table(
    coins: pd.DataFrame, revised: Sequence[str], palette: Palette, money: Currency = USD
) -> Styler:
    """`top_coins` as it is shown, its amounts in `money`. `revised`: coins of which a final value was
    replaced."""
    marks = [" ↺" if coin in revised else "" for coin in coins["coin"]]
    shown = pd.DataFrame(
        {
            "rank": coins["rank"],
            "coin": [
                f"{name}  {str(symbol).upper()}{mark}"
                for name, symbol, mark in zip(coins["name"], coins["symbol"], marks, strict=True)
            ],
            "price": coins["price"],
            "change_24h": coins["change_24h"],
            "change_7d": coins["change_7d"],
            "change_30d": coins["change_30d"],
            "week": coins["week"],
            "market_cap": coins["market_cap"],
            "volume": coins["volume"],
            "moved": coins["moved"],
        }
    )
    compared = bool(coins["compared"].any()) if len(coins) else False
    styler = shown.style.format(
        {
            "rank": formats.number,
            "moved": lambda moved: _rank_words(moved, compared),
            "price": money.show,
            "change_24h": change,
            "change_7d": change,
            "change_30d": change,
            "market_cap": money.show,
            "volume": money.show,
        }
    )
    signed = ["change_24h", "change_7d", "change_30d"]
    styler = styler.map(lambda value: _ink(value, palette, 1), subset=signed)
    return styler.map(lambda value: _ink(value, palette, 0), subset=["moved"])


def _ink(value: Any, palette: Palette, digits: int) -> str:
    return f"color: {sign_color(palette, formats.direction(value, digits))}"


def coin_columns(palette: Palette, money: Currency = USD) -> dict[str, Any]:
    """How `coin_table` is headed and set."""
    number = st.column_config.NumberColumn
    return {
        "rank": number("#", width=40, pinned=True, help=_("Rank by market cap")),
        "moved": number(_("7 d rank"), width=66, alignment="right", help=_("Ranks gained or lost in 7 days")),
        "coin": st.column_config.TextColumn(_("Coin"), width=150, pinned=True),
        "price": number(_("Price, {unit}").format(unit=money.code), width=92 if money is USD else 104),
        "change_24h": number(_("24 h"), width=82, alignment="right"),
        "change_7d": number(_("7 d"), width=82, alignment="right"),
        "change_30d": number(_("30 d"), width=82, alignment="right"),
        "week": st.column_config.LineChartColumn(_("Last 7 days"), width=130, color=palette.accent),
        "market_cap": number(_("Market cap"), width=96),
        "volume": number(_("Volume 24 h"), width=96),
    }


def protocol_table(
    protocols: pd.DataFrame, palette: Palette, revised: Collection[str] = (), money: Currency = USD
) -> Styler:
    """The protocols of one day, largest first, with their share of the sum of those shown. `revised`: those
    of which a final value was replaced."""
    rows = protocols.sort_values(["tvl", "protocol"], ascending=[False, True], na_position="last")
    whole = rows["tvl"].sum()
    shown = pd.DataFrame(
        {
            "name": [
                f"{name}{' ↺' if protocol in revised else ''}"
                for name, protocol in zip(rows["name"], rows["protocol"], strict=True)
            ],
            "category": rows["category"],
            "tvl": rows["tvl"],
            "share": rows["tvl"] / whole * 100 if whole else float("nan"),
            "change_1d": rows["change_1d"],
            "change_7d": rows["change_7d"],
        }
    ).reset_index(drop=True)
    blank = {"category": lambda value: value if isinstance(value, str) else formats.DASH}
    styler = shown.style.format({"tvl": money.show, "change_1d": change, "change_7d": change} | blank)
    return styler.map(lambda value: _ink(value, palette, 1), subset=["change_1d", "change_7d"])


def protocol_columns(most: float, money: Currency = USD) -> dict[str, Any]:
    """How `protocol_table` is headed; `most`: the largest share, which fills its bar."""
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    full = most if most > 0 else 1.0
    return {
        "name": text(_("Protocol"), width=150, pinned=True),
        "category": text(_("Category"), width=110),
        "tvl": number(_("TVL, {unit}").format(unit=money.code), width=90),
        "share": st.column_config.ProgressColumn(
            _("Share of these"), width=130, min_value=0.0, max_value=full, format="%.1f%%"
        ),
        "change_1d": number(_("1 d"), width=82, alignment="right"),
        "change_7d": number(_("7 d"), width=82, alignment="right"),
    }
