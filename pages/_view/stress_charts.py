"""The StressIndex over trading days: the index or its percentile between fixed ends, with bands, events,
and what was published told from what was computed later.

Pure functions: frames and a palette in, `go.Figure` out.
"""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from collectors.stress.inputs import BANDS, CUT_OFFS
from pages._view import chart_marks as marks
from pages._view import formats, stress_axis, stress_words
from pages._view.charts import HEIGHT, Window, figure, nothing
from pages._view.palette import Palette, band
from pages._view.price_charts import origin
from pages._view.stress_record import BANDS as LOOKS
from storage.texts import _

# More days than this are drawn without the run of each under the pointer: it would double the page.
DETAILED = 400


def pointer() -> str:
    """What stands under the pointer: the day, then the customdata."""
    return f"<b>%{{x|{_('%a %-d %b %Y')}}}</b><br>%{{customdata}}<extra></extra>"


def history(
    days: pd.DataFrame,
    shown: Window,
    palette: Palette,
    *,
    measure: str,
    credit: str,
    zone: ZoneInfo,
    taken: pd.Timestamp | None = None,
) -> go.Figure:
    """Index or percentile (`measure`) of the days of a window, from 0 to 100 whatever there is. `taken`: a
    day that is marked because it is taken apart elsewhere."""
    rows = stress_axis.inside(days, shown)
    found = rows.dropna(subset=[measure])
    if found.empty:
        return nothing(palette, _("No values in this range"), HEIGHT)
    rows = stress_axis.broken(rows)
    hover = _hovers(rows, zone)
    shapes, notes = _marks(days, shown, measure, palette)
    end = _end(found.iloc[-1], measure, palette)
    share = stress_axis.STRIP_PX / (HEIGHT - 42)
    layout = {
        "height": HEIGHT,
        # A line is met from further away than a dot.
        "hoverdistance": 80,
        "xaxis": stress_axis.day_axis(shown, anchor="y3"),
        "yaxis": {"range": [0, 100], "tickvals": [0, 20, 40, 60, 80, 100], "domain": [share + 0.01, 1]}
        | {"fixedrange": True},
        "yaxis2": stress_axis.HATCH_AXIS,
        "yaxis3": stress_axis.STRIP_AXIS | {"domain": [0, share]},
        "shapes": shapes,
        "annotations": [*notes, end, marks.credit(credit, palette)],
        "showlegend": False,
        "margin": {"r": 14 + max(map(formats.width, end["text"].split("<br>"))), "b": 34},
    }
    hatched = marks.hatched(stress_axis.gaps(days, measure, shown), shown, palette)
    drawn = [hatched, stress_axis.strip(rows, palette, _bands(rows)), *_lines(rows, measure, hover, palette)]
    if taken is not None and taken != days["date"].iloc[-1]:
        drawn.append(_taken(rows, measure, taken, hover, palette))
    title, subtitle = _titles(found, measure, credit)
    return figure(drawn, layout, palette, title, subtitle)


def _marks(
    days: pd.DataFrame, shown: Window, measure: str, palette: Palette
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Event windows, where publishing began, and the cut-offs of the bands or the neutral 50."""
    shapes, notes = stress_axis.windows(shown, palette)
    begun, begun_notes = stress_axis.since_published(days, shown, palette)
    if measure != "percentile":
        return [*shapes, *begun, marks.rule(50, palette)], notes + begun_notes
    rules, rule_notes = _cut_offs(palette)
    return shapes + begun + rules, notes + begun_notes + rule_notes


def _taken(
    rows: pd.DataFrame, measure: str, day: pd.Timestamp, hover: list[str], palette: Palette
) -> dict[str, Any]:
    """The day that is taken apart beside the chart."""
    there = (rows["date"] == day).to_numpy()
    said = [text for text, one in zip(hover, there, strict=True) if one]
    mark = {"symbol": "diamond-open", "size": 11, "color": palette.ink, "line": {"width": 2}}
    spot = {"type": "scatter", "mode": "markers", "name": _("taken apart"), "marker": mark}
    spot |= {"x": rows["date"][there], "y": rows[measure][there], "customdata": said}
    return spot | {"hovertemplate": pointer(), "showlegend": False}


def _lines(rows: pd.DataFrame, measure: str, hover: list[str], palette: Palette) -> list[dict[str, Any]]:
    """Published days as a strong line, days computed later as a thin grey one up to where that begins."""
    published = stress_axis.yes(rows["published"])
    # The last day before a published one ends where that begins.
    later = ~published | published & ~published.shift(1, fill_value=True)
    common = {"type": "scatter", "x": rows["date"], "connectgaps": False, "cliponaxis": False}
    common |= {"hovertemplate": pointer(), "showlegend": False}
    # Each text once: they are most of what the page weighs.
    told = [(text, "") if one else ("", text) for text, one in zip(hover, published, strict=True)]
    computed = {"name": _("computed later"), "y": rows[measure].where(later), "mode": "lines"}
    computed |= {"line": {"color": palette.muted, "width": 1.5}}
    seen = {"name": _("published"), "y": rows[measure].where(published), "mode": "lines+markers"}
    seen |= {"line": {"color": palette.accent, "width": 2.5}}
    seen |= {"marker": _dots(rows, seen["y"], palette), "customdata": [text for text, _rest in told]}
    return [common | computed | {"customdata": [rest for _text, rest in told]}, common | seen]


def _dots(rows: pd.DataFrame, values: "pd.Series[float]", palette: Palette) -> dict[str, Any]:
    """A dot at the newest day, a ring at one that is provisional, a diamond at one that was corrected since
    it was published, and a dot where a day would be no line."""
    absent = values.isna()
    lone = ~absent & absent.shift(1, fill_value=True) & absent.shift(-1, fill_value=True)
    last = rows.index == rows.index[-1]
    rings = stress_axis.yes(rows["provisional"])
    corrected = _corrected(rows) & stress_axis.yes(rows["published"]) & ~absent
    sizes = np.select([rings, corrected, last, lone], [8, 8, 6, 5], 0)
    symbols = np.select([rings, corrected], ["circle-open", "diamond-open"], "circle")
    marker = {"size": sizes.tolist(), "symbol": symbols.tolist(), "color": palette.accent}
    return marker | {"line": {"width": 1.5}}


def _hovers(rows: pd.DataFrame, zone: ZoneInfo) -> list[str]:
    """What the pointer says of each day; where it comes from only for few days."""
    where = ("<br>" + origin(rows, zone)).tolist() if len(rows) <= DETAILED else [""] * len(rows)
    parts = (
        _each(rows["index"].round(1), formats.fixed),
        _each(np.floor(rows["percentile"] + 1e-9), stress_words.percentile),
        _bands(rows),
        _each((100 * rows["coverage"]).round(), lambda share: formats.percent(share, 0, signed=False)),
        stress_axis.yes(rows["published"]),
        _firsts(rows, zone),
    )
    share_text, later = _("coverage {share}"), "<br>" + _("computed later over history")
    return [
        f"<b>{index}</b> · {rank} · {word}<br>{share_text.format(share=share)}{'' if published else later}"
        f"{was}{place}"
        if known
        else _("not enough data")
        for known, index, rank, word, share, published, was, place in zip(
            rows["index"].notna(), *parts, where, strict=True
        )
    ]


def _firsts(rows: pd.DataFrame, zone: ZoneInfo) -> list[str]:
    """Of each day that was corrected: what was published first, what stands now, and since when."""
    text = "<br>" + _("first published {first}, now {now}, since {day}")
    told = pd.Series("", index=rows.index, dtype=object)
    for at, row in rows[stress_axis.yes(rows["published"]) & _corrected(rows)].iterrows():
        day = formats.short_day(row["observed_at"].tz_convert(zone).date())
        values = {"first": formats.fixed(row["first_index"]), "now": formats.fixed(row["index"])}
        told[at] = text.format(**values, day=day)
    return told.tolist()


def _corrected(rows: pd.DataFrame) -> "pd.Series[bool]":
    return (rows["first_index"] - rows["index"]).abs() >= 0.05


def _each(values: "pd.Series[float]", show: Callable[[float], str]) -> list[str]:
    """Every value as text. Babel is asked once for each different one: a page of twenty years is drawn
    in half the time."""
    known = {value: show(value) for value in values.dropna().unique()}
    missing = show(float("nan"))
    return [known.get(value, missing) for value in values]


def _bands(rows: pd.DataFrame) -> list[str]:
    """The band of each day in words, and whether it is provisional."""
    provisional = _("{band}, provisional")
    words = [_(LOOKS[name].word) if name in LOOKS else _("no band yet") for name in rows["band"]]
    late = stress_axis.yes(rows["provisional"])
    return [provisional.format(band=word) if open_ else word for word, open_ in zip(words, late, strict=True)]


def _cut_offs(palette: Palette) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    lines = [{"color": one.color, "width": 1, "dash": "dot"} for one in palette.bands[1:]]
    shapes = [
        marks.rule(cut, palette) | {"line": line, "layer": "between"}
        for cut, line in zip(CUT_OFFS, lines, strict=True)
    ]
    notes = [
        {"x": 0, "xref": "paper", "xanchor": "left", "y": cut, "yanchor": "bottom", "showarrow": False}
        | {"text": _("{band} from {n}").format(band=_(name), n=cut)}
        | {"font": {"size": 10, "color": palette.bands[n + 1].ink}}
        for n, (cut, name) in enumerate(zip(CUT_OFFS, BANDS[1:], strict=True))
    ]
    return shapes, notes


def _end(row: "pd.Series[Any]", measure: str, palette: Palette) -> dict[str, Any]:
    """The newest value at the end of the line, with its band in its colour."""
    named = band(palette, row["band"])
    word = _(named.name) if named else ""
    spot = {
        "x": 1,
        "xref": "paper",
        "xanchor": "left",
        "xshift": 6,
        "y": float(row[measure]),
        "yanchor": "middle",
    }
    value = formats.fixed(row[measure]) if measure == "index" else formats.ordinal(row[measure])
    text = f"<b>{value}</b>"
    return spot | {
        "text": f"{text}<br>{word}" if word else text,
        "showarrow": False,
        "align": "left",
        "font": {"color": named.ink if named else palette.ink, "size": 12},
    }


def title(days: pd.DataFrame, shown: Window) -> str:
    """How far the index went over a window, in a sentence; empty without a value."""
    found = stress_axis.inside(days, shown).dropna(subset=["index"])
    return "" if found.empty else _index_title(found.iloc[0], found.iloc[-1])


def _titles(found: pd.DataFrame, measure: str, credit: str) -> tuple[str, str]:
    first, last = found.iloc[0], found.iloc[-1]
    parts = [
        _("0 to 100; strip: band of each day"),
        credit,
        _("as of {day}").format(day=stress_words.as_of(last)),
    ]
    if not stress_axis.yes(found["published"]).all():
        parts.insert(1, _("thin grey line: computed later over history"))
    title = _index_title(first, last) if measure == "index" else _percentile_title(first, last)
    return title, " · ".join(parts)


def _index_title(first: "pd.Series[Any]", last: "pd.Series[Any]") -> str:
    moved = last["index"] - first["index"]
    text = {
        1: _("StressIndex rose by {size} points to {value} since {day}"),
        -1: _("StressIndex fell by {size} points to {value} since {day}"),
        0: _("StressIndex is where it was on {day}: {value}"),
    }[formats.direction(moved)]
    value, day = formats.fixed(last["index"]), formats.short_day(first["date"])
    return text.format(size=formats.fixed(abs(moved)), value=value, day=day)


def _percentile_title(first: "pd.Series[Any]", last: "pd.Series[Any]") -> str:
    before, now = formats.ordinal(first["percentile"]), formats.ordinal(last["percentile"])
    text = {
        1: _("From the {before} percentile up to the {now} since {day}"),
        -1: _("From the {before} percentile down to the {now} since {day}"),
        0: _("At the {now} percentile, as on {day}"),
    }[0 if before == now else formats.direction(last["percentile"] - first["percentile"])]
    return text.format(before=before, now=now, day=formats.short_day(first["date"]))
