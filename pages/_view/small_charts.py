"""The Overview's charts as HTML: lines, bars and a table that stand with the first sight of the page.

A page with one Plotly chart loads five megabytes before it shows a line; these are part of the page. Day and
value stand under the pointer. Text is escaped here; colours are pairs, for the light and the dark ground.
"""

from collections.abc import Callable, Sequence
from html import escape
from itertools import groupby, pairwise
from typing import Any
from urllib.parse import quote

import pandas as pd
from babel.dates import format_skeleton

from pages._view import formats, stress_axis
from pages._view.charts import Window
from pages._view.palette import Palette, band, palette
from pages._view.stress_record import BANDS, module_title
from storage.texts import _, language

SPARK_PX, HISTORY_PX = 52, 176
# Left of the axis stand its figures, right of it the newest value.
_LEFT_PX, _RIGHT_PX, _MONTHS_PX, _STRIP = 26, 62, 18, 6.0
_TICKS = (0, 20, 40, 60, 80, 100)
_DAY = pd.Timedelta(days=1)
Pick = Callable[[Palette], str]


def tint(pick: Pick, up_color: str = "green") -> str:
    """A colour of the palette as CSS, for either ground."""
    return f"light-dark({pick(palette(False, up_color))},{pick(palette(True, up_color))})"


def _box(style: str, inside: str = "", title: str = "") -> str:
    """An element that lies where `style` says within the one around it."""
    hint = f' title="{escape(title)}"' if title else ""
    return f'<div{hint} style="position:absolute;{style}">{inside}</div>'


def _line(points: Sequence[tuple[float, float] | None], color: str, width: float) -> str:
    """A line through points of a square of 100, broken where one is None, stretched to the box around it.

    Drawn as a mask: what pages may show as HTML is cleaned of SVG, and a mask takes the colour of the page.
    """
    pieces = [list(piece) for there, piece in groupby(points, key=bool) if there]
    # A point alone is a line to itself: a dot.
    paths = ["M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in (*piece, piece[-1])) for piece in pieces if piece]
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" preserveAspectRatio="none">'
        f'<path d="{"".join(paths)}" fill="none" stroke="#000" stroke-width="{width}" stroke-linejoin="round"'
        ' stroke-linecap="round" vector-effect="non-scaling-stroke"/></svg>'
    )
    mask = f"url(&quot;data:image/svg+xml,{quote(drawing)}&quot;) 0 0/100% 100% no-repeat"
    return _box(f"inset:0;background:{color};-webkit-mask:{mask};mask:{mask}")


def _pointers(xs: Sequence[float], texts: Sequence[str]) -> str:
    """An invisible stripe a day that says what the day was."""
    edges = [-2.0, *((before + after) / 2 for before, after in pairwise(xs)), 102.0]
    return "".join(
        _box(f"top:0;bottom:0;left:{start:.2f}%;width:{end - start:.2f}%", title=text)
        for (start, end), text in zip(pairwise(edges), texts, strict=True)
    )


# ---------------------------------------------------------------- a line


def spark(
    values: "pd.Series[float]", show: Callable[[Any], str], color: str, label: str, height: int = SPARK_PX
) -> str:
    """A line of values by day from its lowest to its highest, without axes; empty for less than two."""
    known = values.dropna()
    if len(known) < 2:
        return ""
    low, high = float(known.min()), float(known.max())
    days = [float(day) for day in (known.index - known.index[0]) / _DAY]
    xs = [day / days[-1] * 100 for day in days]
    ys = [50.0 if high == low else 94 - 88 * (float(value) - low) / (high - low) for value in known]
    line = _line(_with_holes(days, xs, ys), color, 1.8)
    texts = [f"{formats.day(day)}: {show(value)}" for day, value in known.items()]
    return (
        f'<div role="img" aria-label="{escape(label)}" style="position:relative;height:{height}px">'
        f"{line}{_pointers(xs, texts)}</div>"
    )


def _with_holes(
    days: Sequence[float], xs: Sequence[float], ys: Sequence[float]
) -> list[tuple[float, float] | None]:
    """The points of neighbouring days as one line, which ends where a day is missing."""
    points: list[tuple[float, float] | None] = []
    for n, point in enumerate(zip(xs, ys, strict=True)):
        if n and days[n] - days[n - 1] > 1.5:
            points.append(None)
        points.append(point)
    return points


# ---------------------------------------------------------------- the index


def history(days: pd.DataFrame, shown: Window, label: str) -> str:
    """The index from 0 to 100 over a window, the neutral 50, the band of each day as a strip, where
    publishing began, and the newest value in the colour of its band; empty without any value."""
    rows = stress_axis.broken(stress_axis.inside(days, shown))
    known = rows.dropna(subset=["index"])
    if known.empty:
        return ""
    last = known.iloc[-1]
    xs = [_place(day, shown) for day in rows["date"]]
    points = [
        None if value != value else (x, _height(value)) for x, value in zip(xs, rows["index"], strict=True)
    ]
    inside = "".join(
        (
            *(_rule(value) for value in (*_TICKS, 50)),
            _strip(rows, xs),
            _begun(days, shown),
            _line(points, tint(lambda one: one.accent), 2),
            _pointers(xs, [_said(row) for row in rows.rename(columns={"index": "value"}).itertuples()]),
            _scale(),
            _end(last),
            _months(shown),
        )
    )
    plot = _box(f"left:{_LEFT_PX}px;right:{_RIGHT_PX}px;top:4px;bottom:{_MONTHS_PX}px", inside)
    return (
        f'<div role="img" aria-label="{escape(label)}" style="position:relative;height:{HISTORY_PX}px;'
        f'font-size:.78rem;white-space:nowrap;color:{tint(lambda one: one.muted)}">{plot}</div>'
    )


def _place(day: Any, shown: Window) -> float:
    return float((day - shown.first) / (shown.last - shown.first) * 100)


def _height(value: float) -> float:
    """0 to 100 above the strip."""
    return (100 - _STRIP - 3) * (1 - value / 100)


def _rule(value: float) -> str:
    color = tint((lambda one: one.muted) if value == 50 else (lambda one: one.line))
    return _box(f"left:0;right:0;top:{_height(value):.2f}%;border-top:1px solid {color}")


def _strip(rows: pd.DataFrame, xs: Sequence[float]) -> str:
    """Days in a row of one band as one piece."""
    pieces = groupby(zip(xs, [*xs[1:], 100.6], rows["band"], strict=True), key=lambda one: one[2])
    drawn = []
    for name, piece in pieces:
        days = list(piece)
        color = _band_tint(name, "color")
        if color:
            left, width = days[0][0], days[-1][1] - days[0][0]
            drawn.append(
                _box(f"bottom:0;height:{_STRIP}%;left:{left:.2f}%;width:{width:.2f}%;background:{color}")
            )
    return "".join(drawn)


def _band_tint(name: object, part: str) -> str:
    found = [band(palette(dark), name) for dark in (False, True)]
    return f"light-dark({','.join(getattr(one, part) for one in found if one)})" if all(found) else ""


def _begun(days: pd.DataFrame, shown: Window) -> str:
    """A dashed line where what was published begins, if that lies within."""
    published = days.loc[stress_axis.yes(days["published"]), "date"]
    if published.empty or not shown.first < published.iloc[0]:
        return ""
    x, color = _place(published.iloc[0], shown), tint(lambda one: one.accent)
    right = x > 50
    note = _box(
        f"bottom:1px;{'right' if right else 'left'}:5px;color:{color};font-size:.7rem",
        escape(_("published from here on") + (" →" if right else "")),
    )
    return _box(f"top:0;bottom:{_STRIP}%;left:{x:.2f}%;border-left:1px dashed {color}", note)


def _said(row: Any) -> str:
    if row.value != row.value:
        return f"{formats.day(row.date)}: {_('not enough data')}"
    word = _(BANDS[row.band].word) if row.band in BANDS else _("no band yet")
    text = f"{formats.day(row.date)}: {formats.fixed(row.value)} · {word}"
    return text if row.published is True else f"{text} · {_('computed later over history')}"


def _scale() -> str:
    """The figures of the axis, at its left."""
    return "".join(
        _box(f"right:calc(100% + 6px);top:{_height(value):.1f}%;transform:translateY(-50%)", str(value))
        for value in _TICKS
    )


def _end(last: "pd.Series[Any]") -> str:
    """The newest value at the end of the line, with its band."""
    name = last["band"]
    word = escape(_(BANDS[name].word)) if name in BANDS else ""
    color = _band_tint(name, "ink") or tint(lambda one: one.ink)
    place = min(88.0, max(8.0, _height(float(last["index"]))))
    text = f"<b>{escape(formats.fixed(last['index']))}</b><br>{word}"
    where = f"left:calc(100% + 7px);top:{place:.1f}%;transform:translateY(-50%)"
    return _box(f"{where};line-height:1.25;color:{color}", text)


def _months(shown: Window) -> str:
    """The first of each month, below the axis."""
    places = ((day, _place(day, shown)) for day in pd.date_range(shown.first, shown.last, freq="MS"))
    return "".join(
        _box(f"top:calc(100% + 2px);left:{place:.1f}%;transform:translateX(-50%)", escape(_month(day)))
        for day, place in places
        if 4 < place < 96
    )


def _month(day: pd.Timestamp) -> str:
    return str(format_skeleton("MMM", day, locale=language()))


# ---------------------------------------------------------------- bars and a table


def bars(points: "pd.Series[float]") -> str:
    """Contributions as bars to both sides of nothing, the first one on top."""
    size = float(points.abs().max()) or 1.0
    lines = []
    for name, value in points.items():
        share = abs(float(value)) / size * 50
        left = 50.0 if value > 0 else 50 - share
        color = tint((lambda one: one.adds) if value > 0 else (lambda one: one.takes))
        text = escape(formats.change(value, 1))
        title = escape(module_title(str(name)))
        lines.append(
            f'<div title="{title} {text}" style="display:grid;align-items:center;min-height:2rem;gap:.6rem;'
            f'grid-template-columns:minmax(5rem,9rem) 1fr 3rem"><span>{title}</span>'
            f'<span style="position:relative;height:1.15rem;border-left:0">'
            f'<span style="position:absolute;left:50%;top:-.3rem;bottom:-.3rem;border-left:1px solid'
            f' {tint(lambda one: one.muted)}"></span>'
            f'<span style="position:absolute;left:{left:.1f}%;width:{share:.1f}%;top:0;bottom:0;'
            f'background:{color}"></span></span>'
            f'<span style="text-align:right">{text}</span></div>'
        )
    return f'<div style="font-size:.85rem">{"".join(lines)}</div>'


def note(text: str, link: str = "", address: str = "") -> str:
    """A line of small print, with who provides what stands above it."""
    where = f' · <a href="{escape(address)}" target="_blank">{escape(link)}</a>' if address else ""
    return f'<p class="small-note">{escape(text)}{where}</p>'


def title(text: str) -> str:
    """What stands above a table."""
    return f'<p style="margin:0 0 .5rem;font-weight:600">{escape(text)}</p>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells that are HTML already; the first column leads, figures stand under each other. It scrolls
    sideways where there is no room."""
    titles = "".join(f"<th>{escape(text)}</th>" for text in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="small-table" style="overflow-x:auto"><table><thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
