"""One day's index taken apart: the way from the neutral 50 to the index by module, and the move since
the day before, market and coverage told apart. Pure functions."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pages._view import chart_marks as marks
from pages._view import formats, stress_words
from pages._view.charts import HEIGHT, figure, nothing, safe
from pages._view.palette import Palette
from pages._view.stress_record import ABSENCE, module_title
from storage.texts import _

NEUTRAL = 50.0


def waterfall(day: "pd.Series[Any]", modules: pd.DataFrame, palette: Palette, *, credit: str) -> go.Figure:
    """From 50 to the index of one day. `modules`: rows by module in their order; each bar begins where
    the one above it ends."""
    if day["index"] != day["index"]:
        return nothing(palette, _("Not enough data for an index on this day"))
    points = modules["contribution"].fillna(0.0).tolist()
    starts = [NEUTRAL + sum(points[:n]) for n in range(len(points))]
    names = [safe(module_title(name)) for name in modules.index]
    counted = (modules["status"] == "valid").tolist()
    said = [
        formats.change(value, 1) if there else _absent(status)
        for value, there, status in zip(points, counted, modules["status"], strict=True)
    ]
    words = [text for text, there in zip(said, counted, strict=True) if not there]
    total, level = _("Index"), float(day["index"])
    ends = [start + value for start, value in zip(starts, points, strict=True)]
    tones = [_tone(value, palette) for value in points]
    whole = [f"<b>{formats.fixed(level)}</b>"]
    bars = [
        _bars(names, points, starts, tones, said, _hovers(modules)),
        _bars([total], [level - NEUTRAL], [NEUTRAL], [palette.accent], whole, [stress_words.standing(day)]),
    ]
    low, high = min([NEUTRAL, *ends]), max([NEUTRAL, *ends])
    air = max(3.0, (high - low) * 0.22)
    layout = {
        "barmode": "overlay",
        "bargap": 0.35,
        "xaxis": {"range": [low - air, high + air], "fixedrange": True, "nticks": 6},
        "yaxis": {"categoryorder": "array", "categoryarray": [total, *reversed(names)], "fixedrange": True}
        | {"showgrid": False, "ticksuffix": "  "},
        "shapes": [_vertical(NEUTRAL, palette), *_steps(ends[:-1], names, palette)],
        "annotations": [marks.credit(credit, palette)],
        "showlegend": False,
        # A text stands where its bar ends, and may lead out of the plot.
        "margin": {"b": 34, "l": 8, "r": 8 + max(map(formats.width, words), default=0)},
    }
    return figure(bars, layout, palette, _title(modules), _subtitle(day, credit))


def _bars(
    names: list[str],
    sizes: list[float],
    bases: list[float],
    colors: list[str],
    said: list[str],
    hover: list[str],
) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "x": sizes,
        "base": bases,
        "text": said,
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": colors},
        "customdata": [safe(text) for text in hover],
        "hovertemplate": "<b>%{y}</b><br>%{customdata}<extra></extra>",
    }


def _tone(value: float, palette: Palette) -> str:
    return {1: palette.adds, -1: palette.takes}.get(formats.direction(value, 2), palette.flat)


def _absent(status: object) -> str:
    return _(ABSENCE.get(str(status), ABSENCE["missing"]))


def _hovers(modules: pd.DataFrame) -> list[str]:
    text = _("score {score} of 100, weight {weight}: {points} points")
    return [
        text.format(
            score=formats.fixed(score),
            weight=formats.percent(100 * weight, signed=False),
            points=formats.change(points, 1),
        )
        if status == "valid"
        else _absent(status)
        for score, weight, points, status in zip(
            modules["score"], modules["weight"], modules["contribution"], modules["status"], strict=True
        )
    ]


def _vertical(value: float, palette: Palette) -> dict[str, Any]:
    line = {"color": palette.muted, "width": 1}
    return {
        "type": "line",
        "x0": value,
        "x1": value,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": line,
        "layer": "below",
    }


def _steps(ends: list[float], names: list[str], palette: Palette) -> list[dict[str, Any]]:
    """A thin line from the end of each bar down to the next one."""
    line = {"color": palette.muted, "width": 0.75, "dash": "dot"}
    count = len(names)
    return [
        {
            "type": "line",
            "x0": end,
            "x1": end,
            "y0": count - n,
            "y1": count - n - 1,
            "line": line,
            "layer": "below",
        }
        for n, end in enumerate(ends)
    ]


def _title(modules: pd.DataFrame) -> str:
    points = modules["contribution"].dropna()
    if points.empty:
        return ""
    high, low = str(points.idxmax()), str(points.idxmin())
    most = high if points[high] >= -points[low] else low
    text = _("{name} adds most: {points}") if points[most] > 0 else _("{name} takes most: {points}")
    return text.format(name=module_title(most), points=formats.change(points[most], 1))


def _subtitle(day: "pd.Series[Any]", credit: str) -> str:
    return " · ".join((_("from the neutral 50, points"), credit, stress_words.as_of(day)))


# ---------------------------------------------------------------- the day's move


def day_move(day: "pd.Series[Any]", modules: pd.DataFrame, palette: Palette, *, credit: str) -> go.Figure:
    """The change since the day before by module, and apart from them the effect of the coverage."""
    if day["move"] != day["move"]:
        return nothing(palette, _("No day before to compare with"))
    moves = modules["move"].where(modules["status"] == "valid")
    effect = 0.0 if day["coverage_effect"] != day["coverage_effect"] else float(day["coverage_effect"])
    names = [safe(module_title(name)) for name in moves.index]
    other = _("Coverage effect")
    said = [
        formats.change(value, 2) if value == value else _absent(status)
        for value, status in zip(moves, modules["status"], strict=True)
    ]
    values = moves.fillna(0.0).tolist()
    tones = [_tone(value, palette) for value in values]
    market = _bars(names, values, [0.0] * len(values), tones, said, said)
    nobody = [_("no market's doing")]
    coverage = _bars([other], [effect], [0.0], [palette.flat], [formats.change(effect, 2)], nobody)
    coverage["marker"] |= {"pattern": {"shape": "/", "size": 5, "solidity": 0.35}}
    size = max(0.5, *(abs(value) for value in (*values, effect))) * 1.45
    layout = {
        "barmode": "overlay",
        "bargap": 0.35,
        "xaxis": {"range": [-size, size], "fixedrange": True, "nticks": 5},
        "yaxis": {"categoryorder": "array", "categoryarray": [other, *reversed(names)], "fixedrange": True}
        | {"showgrid": False, "ticksuffix": "  "},
        "shapes": [_vertical(0.0, palette)],
        "annotations": [marks.credit(credit, palette)],
        "showlegend": False,
        "height": HEIGHT,
        "margin": {"b": 34, "l": 8, "r": 8},
    }
    text = _("{move} in a day: market {market}, coverage {coverage}")
    title = text.format(
        move=formats.change(day["move"], 1),
        market=formats.change(sum(values), 1),
        coverage=formats.change(effect, 1),
    )
    subtitle = " · ".join((_("points since the day before"), credit, stress_words.as_of(day)))
    return figure([market, coverage], layout, palette, title, subtitle)
