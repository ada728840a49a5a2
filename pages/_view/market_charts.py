"""The crypto market of one day in areas and bars: coins by market cap, TVL by category."""

from zoneinfo import ZoneInfo

import pandas as pd
import plotly.graph_objects as go

from pages._view import crypto_words, formats
from pages._view.charts import figure, nothing, safe
from pages._view.currency import USD, Currency
from pages._view.palette import Palette, mix
from pages._view.price_charts import origin
from pages._view.tables import change
from storage.texts import _

# A change of this many percent in a day is as deep as the treemap's colours go.
FULL_COLOR = 6.0


def heat(value: object, palette: Palette) -> str:
    """The ground of a treemap tile by its change in percent: neutral at 0, full at ±6."""
    neutral = mix(palette.line, palette.ground, 0.1)
    if not isinstance(value, int | float) or value != value:
        return neutral
    strong = {1: palette.up, -1: palette.down}.get(formats.direction(value, 2), neutral)
    toned = mix(strong, palette.ground, 0.35 if palette.dark else 0.12)
    return mix(neutral, toned, min(1.0, (abs(value) / FULL_COLOR) ** 0.6))


def treemap(
    coins: pd.DataFrame, palette: Palette, *, credit: str, zone: ZoneInfo, money: Currency = USD
) -> go.Figure:
    """Coins of one day by market cap, coloured by their 24 h change; without a cap there is no tile."""
    drawn = coins[coins["market_cap"] > 0]
    if drawn.empty:
        return nothing(palette, _("No market caps on this day"))
    changes = [change(value) for value in drawn["change_24h"]]
    share = drawn["market_cap"].iloc[0] / drawn["market_cap"].sum() * 100
    title = _("{name} is {share} of these coins' market cap").format(
        name=drawn["name"].iloc[0], share=formats.percent(share, 0, signed=False)
    )
    tiles = {
        "type": "treemap",
        "labels": [safe(symbol).upper() for symbol in drawn["symbol"]],
        "parents": [""] * len(drawn),
        "ids": drawn["coin"].tolist(),
        "values": drawn["market_cap"].tolist(),
        "text": changes,
        "texttemplate": "<b>%{label}</b><br>%{text}",
        "marker": {
            "colors": [heat(float(value), palette) for value in drawn["change_24h"]],
            "line": {"width": 1.5, "color": palette.ground},
            "pad": {"t": 0, "l": 0, "r": 0, "b": 0},
        },
        "tiling": {"packing": "squarify", "pad": 1},
        "pathbar": {"visible": False},
        "root": {"color": "rgba(0,0,0,0)"},
        "customdata": _tile_words(drawn, zone, money),
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    subtitle = crypto_words.sourced(coins, credit, _("colour: change in 24 h"))
    layout = {"margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "uniformtext": {"minsize": 9, "mode": "hide"}}
    return figure([tiles], layout, palette, title, subtitle)


def _tile_words(coins: pd.DataFrame, zone: ZoneInfo, money: Currency) -> list[str]:
    said = _("market cap {cap}, 24 h {change}")
    return [
        f"<b>{safe(row.name_)}</b><br>"
        + said.format(cap=money.show(row.market_cap), change=formats.percent(row.change_24h))
        + f"<br>{row.where}"
        for row in coins.rename(columns={"name": "name_"}).assign(where=origin(coins, zone)).itertuples()
    ]


def bars(protocols: pd.DataFrame, palette: Palette, *, credit: str, money: Currency = USD) -> go.Figure:
    """TVL of one day's largest protocols summed by category, in `money`, largest on top."""
    sums = protocols.dropna(subset=["tvl"]).groupby("category")["tvl"].sum().sort_values()
    sums = sums[sums > 0]
    if sums.empty:
        return nothing(palette, _("No protocols on this day"))
    whole = sums.sum()
    title = _("{category} holds {share} of the {n} largest protocols' TVL").format(
        category=sums.index[-1],
        share=formats.percent(sums.iloc[-1] / whole * 100, 0, False),
        n=len(protocols),
    )
    texts = [money.show(value) for value in sums]
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": sums.tolist(),
        "y": [safe(name) for name in sums.index],
        "text": texts,
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": palette.accent},
        "hovertemplate": "<b>%{y}</b><br>%{text}<br>" + safe(credit) + "<extra></extra>",
    }
    axis = {"visible": False, "range": [0, float(sums.max()) * 1.28], "fixedrange": True}
    layout = {
        "xaxis": axis,
        "yaxis": {"showgrid": False, "fixedrange": True, "ticksuffix": "  "},
        "bargap": 0.35,
    }
    return figure([bar], layout, palette, title, crypto_words.sourced(protocols, credit, money.code))
