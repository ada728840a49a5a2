"""The axis of trading days: gaps hatched, event windows, the strip of bands, and where publishing began.

A weekend is no gap here, and a day without an index is one.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pandas as pd

from collectors.stress.inputs import BANDS
from collectors.stress.validation import EVENTS
from pages._view import chart_marks as marks
from pages._view.charts import Window
from pages._view.palette import Palette
from pages._view.stress_record import EVENT_NAMES
from storage.texts import _

# No exchange is closed for longer; New York was for six days in September 2001.
LONGEST_PAUSE = pd.Timedelta(days=5)
STRIP_PX = 11
# Closer to each other than this share of the axis, names of events would lie on each other.
_CLOSE = 0.045
_ONE = pd.Timedelta(days=1)


def inside(frame: pd.DataFrame, shown: Window) -> pd.DataFrame:
    """The rows of a window."""
    return frame[(frame["date"] >= shown.first) & (frame["date"] <= shown.last)]


def yes(flags: "pd.Series[Any]") -> "pd.Series[bool]":
    """Where a flag is set; where there is none it is not."""
    return flags.eq(True).fillna(False).astype(bool)


def broken(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with an empty one in every hole between them, so that a line does not cross it."""
    late = frame["date"].diff() > LONGEST_PAUSE
    if not late.any():
        return frame
    blank = pd.DataFrame({"date": frame["date"].shift(1)[late] + _ONE})
    return pd.concat([frame, blank]).sort_values("date", ignore_index=True)


def gaps(days: pd.DataFrame, column: str, shown: Window) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """First and last day of every stretch without a value that reaches into the window: between two days
    that have one, and after the last."""
    rows = days.reset_index(drop=True)
    known = rows.loc[rows[column].notna(), "date"]
    if known.empty:
        return []
    before = known.shift(1)
    # A row without a value stands between the two, or the rows themselves are too far apart.
    between = known.index.to_series().diff() > 1
    holes = before.notna() & (between | ((known - before) > LONGEST_PAUSE))
    found = list(zip(before[holes] + _ONE, known[holes] - _ONE, strict=True))
    if known.index[-1] < len(rows) - 1:
        found.append((known.iloc[-1] + _ONE, rows["date"].iloc[-1]))
    return [(first, last) for first, last in found if last >= shown.first and first <= shown.last]


def day_axis(shown: Window, **more: Any) -> dict[str, Any]:
    """The axis of days of a window, whether or not there is data."""
    half = pd.Timedelta(hours=12)
    return {
        "range": [shown.first - half, shown.last + half],
        "type": "date",
        "tickformatstops": marks.day_formats(),
        "tickangle": 0,
        **marks.day_ticks(shown),
        **more,
    }


def windows(shown: Window, palette: Palette) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The index's event windows in range as faint areas, each with its name along its left edge."""
    shapes, notes = [], []
    last_place, lower = -1.0, False
    whole = max(1.0, (shown.last - shown.first) / _ONE)
    for name, (first, last) in EVENTS:
        start, end = pd.Timestamp(first), pd.Timestamp(last + timedelta(days=1))
        if end < shown.first or start > shown.last:
            continue
        left = max(start, shown.first)
        shapes.append(_area(left, min(end, shown.last), palette))
        place = (left - shown.first) / _ONE / whole
        # Neighbours take turns at the top and below it.
        lower = not lower if place - last_place < _CLOSE else False
        last_place = place
        said = f"{_(EVENT_NAMES[name])}: {first:%Y-%m-%d} – {last:%Y-%m-%d}"
        notes.append(_beside(left, _(EVENT_NAMES[name]), 0.66 if lower else 0.995, palette, said))
    return shapes, notes


def _area(left: pd.Timestamp, right: pd.Timestamp, palette: Palette) -> dict[str, Any]:
    line = {"color": palette.muted, "width": 0.75, "dash": "dot"}
    area = {"type": "rect", "x0": left, "x1": right, "y0": 0, "y1": 1, "yref": "paper", "line": line}
    return area | {"fillcolor": palette.flat, "opacity": 0.16, "layer": "below"}


def _beside(at: pd.Timestamp, text: str, y: float, palette: Palette, hover: str) -> dict[str, Any]:
    spot = {"x": at, "y": y, "yref": "paper", "xanchor": "left", "yanchor": "top", "textangle": -90}
    font = {"size": 10, "color": palette.muted}
    return (
        spot
        | {"text": text, "showarrow": False, "font": font, "hovertext": hover, "xshift": -1}
        | {
            # Legible where the line runs behind it.
            "bgcolor": palette.ground,
            "opacity": 0.85,
        }
    )


def since_published(
    days: pd.DataFrame, shown: Window, palette: Palette
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Where the days begin that were published on their day, as a labelled vertical."""
    first = days.loc[yes(days["published"]), "date"].min()
    if first is pd.NaT or not shown.first < first <= shown.last:
        return [], []
    line = {"color": palette.accent, "width": 1, "dash": "dash"}
    shape = {"type": "line", "x0": first, "x1": first, "y0": 0, "y1": 1, "yref": "paper", "line": line}
    note = {"x": first, "y": 0.05, "yref": "paper", "yanchor": "bottom", "showarrow": False}
    late = (first - shown.first) / (shown.last - shown.first) > 0.5
    side = {"xanchor": "right" if late else "left", "xshift": -3 if late else 3}
    words = {
        "text": _("published from here on") + (" →" if late else ""),
        "font": {"size": 10, "color": palette.accent},
    }
    return [shape], [note | side | words]


def strip(days: pd.DataFrame, palette: Palette, hover: Sequence[str]) -> dict[str, Any]:
    """The band of every day, as a strip on its own axis (`y3`); a day without one is left blank."""
    codes = days["band"].map({name: n for n, name in enumerate(BANDS)}).astype(float)
    scale: list[list[Any]] = []
    for n, band in enumerate(palette.bands):
        scale += [[n / 4, band.color], [(n + 1) / 4, band.color]]
    return {
        "type": "heatmap",
        "x": days["date"],
        "y": [0],
        "z": [codes.tolist()],
        "yaxis": "y3",
        "zmin": -0.5,
        "zmax": 3.5,
        "colorscale": scale,
        "showscale": False,
        "hoverongaps": False,
        "customdata": [list(hover)],
        "hovertemplate": f"<b>%{{x|{_('%a %-d %b %Y')}}}</b><br>%{{customdata}}<extra></extra>",
    }


STRIP_AXIS: dict[str, Any] = {"visible": False, "fixedrange": True}
HATCH_AXIS: dict[str, Any] = {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True}
