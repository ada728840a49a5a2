"""The steps of a run on one axis of time: when each began and ended, how it ended, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from pages._view import badges, formats
from pages._view import chart_marks as marks
from pages._view.charts import figure, nothing, safe
from pages._view.palette import Palette
from storage.texts import _, ngettext

if TYPE_CHECKING:
    from storage.records import RunRecord, StepRecord
    from storage.settings import Settings

ROW_PX = 16
FOOT_PX = 30
# What of a name stands beside its bar; the pointer says it whole.
NAME = 24
_THIN = 0.004


@dataclass(frozen=True, slots=True)
class Bar:
    """A step on the axis: its start and end in seconds since the run began."""

    step: "StepRecord"
    start: float
    end: float


def bars(run: "RunRecord", steps: Sequence["StepRecord"], now: datetime) -> tuple[datetime, list[Bar]]:
    """The zero of the axis, and every step of which a time is known, by pipeline and start. What a later
    run merged ends with this one, and what still runs ends now."""
    timed = [step for step in steps if step.started_at or step.finished_at]
    began = [step.started_at or step.finished_at for step in timed]
    # A clock that was set back must not put a step left of the axis.
    zero = min([run.started_at or run.queued_at, *filter(None, began)])
    found = []
    for step in timed:
        start = step.started_at or step.finished_at or zero
        end = min(step.finished_at or now, run.finished_at or now)
        found.append(Bar(step, _since(zero, start), _since(zero, max(start, end))))
    order = {name: n for n, name in enumerate(run.pipelines)}
    found.sort(key=lambda bar: (order.get(bar.step.pipeline, len(order)), bar.start, bar.step.n))
    return zero, found


def _since(zero: datetime, at: datetime) -> float:
    return max(0.0, (at - zero).total_seconds())


def color(palette: Palette, state: str) -> str:
    """The colour of a state; its sign stands beside it, so that it is never the colour alone."""
    look = badges.state(state).color
    known = {"green": palette.ok, "orange": palette.warn, "red": palette.bad, "blue": palette.accent}
    return known.get(look, palette.flat)


def chart(
    settings: "Settings", run: "RunRecord", steps: Sequence["StepRecord"], palette: Palette, now: datetime
) -> go.Figure:
    """A bar a step under the name of its pipeline; whole on a phone, with every step of a long run."""
    zero, found = bars(run, steps, now)
    if not found:
        return nothing(palette, _("No step was started."), 120)
    labels, places = _rows(found)
    longest = max(max(bar.end for bar in found), 0.1)
    layout = {
        "height": len(labels) * ROW_PX + FOOT_PX + 8,
        "xaxis": _time_axis(longest, palette),
        "yaxis": {
            "range": [len(labels) - 0.5, -0.5],
            "tickvals": list(range(len(labels))),
            "ticktext": labels,
            "showgrid": False,
            "ticks": "",
            "fixedrange": True,
            "tickfont": {"size": 11, "color": palette.ink},
        },
        "bargap": 0.25,
        "hovermode": "y",
        "dragmode": False,
        "showlegend": False,
        # Signs and seconds of the last steps stand right of the axis.
        "margin": {"r": 62, "b": FOOT_PX, "t": 4},
    }
    data = _trace(settings, found, places, longest, palette)
    subtitle = _("start and end of every step, since {time} {zone}")
    return figure(
        [data], layout, palette, _title(run, found),
        subtitle.format(time=_clock(settings, zero), zone=formats.zone(settings)),
    )  # fmt: skip


def _rows(found: Sequence[Bar]) -> tuple[list[str], list[int]]:
    """The names down the side, a pipeline's own before its steps where there are several; and the row of
    every step."""
    several = len({bar.step.pipeline for bar in found}) > 1
    labels: list[str] = []
    places: list[int] = []
    before = None
    for bar in found:
        if several and bar.step.pipeline != before:
            labels.append(f"<b>{safe(badges.pipelines([bar.step.pipeline]))}</b>")
            before = bar.step.pipeline
        places.append(len(labels))
        name = bar.step.step
        labels.append(safe(name if len(name) <= NAME else f"{name[: NAME - 1]}…"))
    return labels, places


def _time_axis(longest: float, palette: Palette) -> dict[str, Any]:
    spots = marks.ticks(0, longest, False, 4)
    return {
        "range": [-longest * 0.01, longest],
        "tickvals": spots,
        "ticktext": tick_words(spots),
        "showgrid": True,
        "gridcolor": palette.line,
        "tickangle": 0,
        "fixedrange": True,
    }


def tick_words(spots: Sequence[float]) -> list[str]:
    """Seconds of an axis: "0.5 s"; from a minute on "02:30"."""
    if max(spots, default=0) >= 60:
        return [formats.span(max(10.0, spot)) if spot else "0" for spot in spots]
    return [_("{n} s").format(n=number) for number in formats.axis(spots)]


def _trace(
    settings: "Settings", found: Sequence[Bar], places: Sequence[int], longest: float, palette: Palette
) -> dict[str, Any]:
    # What took no time is a line that can be seen, and stays within the axis.
    wide = [max(bar.end - bar.start, longest * _THIN) for bar in found]
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(places),
        "base": [min(bar.start, longest - width) for bar, width in zip(found, wide, strict=True)],
        "x": wide,
        "marker": {"color": [color(palette, bar.step.state) for bar in found], "line": {"width": 0}},
        "text": [f"{badges.state(bar.step.state).sign} {formats.span(bar.end - bar.start)}" for bar in found],
        "textposition": "outside",
        "constraintext": "none",
        "textfont": {"size": 11, "color": palette.muted},
        "cliponaxis": False,
        "customdata": [_hover(settings, bar) for bar in found],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _clock(settings: "Settings", at: datetime) -> str:
    return f"{at.astimezone(settings.zone):%H:%M:%S}"


def _hover(settings: "Settings", bar: Bar) -> str:
    """Source, time, outcome, counts, requests and message; every word of it as it is."""
    step = bar.step
    began = step.started_at or step.finished_at
    times = _clock(settings, began) if began else formats.DASH
    if began and step.state != "running":
        times += f" – {_clock(settings, began + timedelta(seconds=bar.end - bar.start))}"
    asked = ngettext("{n} request", "{n} requests", step.requests).format(n=formats.number(step.requests))
    rejected = _("{n} rejected").format(n=formats.number(step.counts.rejected))
    outcome = " · ".join(filter(None, (badges.cell(step.state), step.kind, step.code)))
    lines = [
        f"{times} {formats.zone(settings)} · {formats.span(bar.end - bar.start)}",
        outcome,
        badges.counts(step.counts) + (f" · {rejected}" if step.counts.rejected else ""),
        asked + (f" · {step.table}" if step.table else ""),
        *wrap(badges.said(settings, step) or badges.reason(step.reason), 64)[:6],
    ]
    return "<br>".join([f"<b>{safe(step.source or step.step)}</b>", *map(safe, lines)])


def _title(run: "RunRecord", found: Sequence[Bar]) -> str:
    most = max(found, key=lambda bar: bar.end - bar.start)
    text = ngettext(
        "{n} step in {span}; {step} took longest, {most}",
        "{n} steps in {span}; {step} took longest, {most}",
        len(found),
    )
    return text.format(
        n=formats.number(len(found)),
        span=formats.span(run.seconds),
        step=most.step.step,
        most=formats.span(most.end - most.start),
    )
