"""How long a pipeline took in its last runs, against its own median."""

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from pages._view import badges, formats
from pages._view import chart_marks as marks
from pages._view.charts import figure, nothing, safe
from pages._view.palette import Palette
from pages._view.run_timeline import color, tick_words
from storage import clock
from storage.texts import _, ngettext

if TYPE_CHECKING:
    from storage.records import PipelineTook
    from storage.settings import Settings

HEIGHT = 220
# A shape for each state, so that it is never the colour alone.
_SHAPES = {"ok": "circle", "partial": "triangle-up", "failed": "x-thin", "interrupted": "x-thin"} | {
    "cancelled": "square"
}


def whole(took: Sequence["PipelineTook"]) -> list["PipelineTook"]:
    """The runs that say how long the pipeline takes: those that did their work and took care of most of
    its sources. A retry of one source, or what was cancelled, would only seem fast."""
    most = max((one.sources for one in took), default=0)
    return [one for one in took if one.state in ("ok", "partial") and one.sources * 2 > most]


def usual(took: Sequence["PipelineTook"]) -> float | None:
    """The median of the whole runs, in seconds."""
    found = [one.seconds for one in whole(took)]
    return median(found) if found else None


def chart(
    settings: "Settings", pipeline: str, took: Sequence["PipelineTook"], chosen: str, palette: Palette
) -> go.Figure:
    """A dot a run, oldest first; a ring around the chosen one."""
    if not took:
        return nothing(palette, _("This pipeline has not run yet."), HEIGHT)
    middle = usual(took)
    high = max([one.seconds for one in took] + [middle or 0.0]) * 1.18 or 1.0
    spots = marks.ticks(0, high, False, 4)
    layout: dict[str, Any] = {
        "height": HEIGHT,
        "xaxis": _run_axis(settings, took),
        "yaxis": {"range": [0, high], "tickvals": spots, "ticktext": tick_words(spots), "fixedrange": True},
        "showlegend": False,
        "dragmode": False,
        "margin": {"t": 10, "b": 34},
    }
    if middle is not None:
        words = _median_words(middle, palette)
        layout["margin"] |= {"r": 12 + formats.width(words["text"])}
        layout["shapes"] = [
            marks.rule(middle, palette) | {"line": {"color": palette.muted, "width": 1, "dash": "dash"}}
        ]
        layout["annotations"] = [words]
    data = [_dots(settings, took, palette), _ring(took, chosen, palette)]
    return figure(data, layout, palette, _title(pipeline, took, chosen, middle), _subtitle(took))


def _run_axis(settings: "Settings", took: Sequence["PipelineTook"]) -> dict[str, Any]:
    """Runs one after another, whatever time lies between them; the first and the last are dated."""
    last = len(took) - 1
    spots = [0, last] if last else [0]
    # A single run stands in the middle of the axis.
    words = [formats.short_day(took[n].at.astimezone(settings.zone).date()) for n in spots]
    return {
        "range": [-0.7, max(last, 1) + 0.7] if last else [-1, 1],
        "tickvals": spots,
        "ticktext": words,
        "ticklabelstandoff": 6,
        "tickangle": 0,
        "fixedrange": True,
    }


def _dots(settings: "Settings", took: Sequence["PipelineTook"], palette: Palette) -> dict[str, Any]:
    counted = {one.run_id for one in whole(took)}
    shapes = [_SHAPES.get(one.state, "diamond") for one in took]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(range(len(took))),
        "y": [one.seconds for one in took],
        "cliponaxis": False,
        "marker": {
            "size": 8,
            "color": [color(palette, one.state) for one in took],
            "symbol": [
                shape if one.run_id in counted else f"{shape}-open"
                for one, shape in zip(took, shapes, strict=True)
            ],
            "line": {"width": [0 if one.run_id in counted else 1.75 for one in took]},
        },
        "customdata": [_hover(settings, one) for one in took],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _ring(took: Sequence["PipelineTook"], chosen: str, palette: Palette) -> dict[str, Any]:
    at = [n for n, one in enumerate(took) if one.run_id == chosen]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": at,
        "y": [took[n].seconds for n in at],
        "cliponaxis": False,
        "hoverinfo": "skip",
        "marker": {
            "size": 17,
            "symbol": "circle-open",
            "color": palette.accent,
            "line": {"width": 2, "color": palette.accent},
        },
    }


def _median_words(middle: float, palette: Palette) -> dict[str, Any]:
    return {
        "x": 1,
        "xref": "paper",
        "xshift": 4,
        "y": middle,
        "xanchor": "left",
        "yanchor": "middle",
        "text": safe(_("median {span}").format(span=formats.span(middle))),
        "showarrow": False,
        "font": {"size": 11, "color": palette.muted},
    }


def _hover(settings: "Settings", one: "PipelineTook") -> str:
    sources = ngettext("{n} source", "{n} sources", one.sources).format(n=formats.number(one.sources))
    lines = [
        f"{formats.moment(settings, one.at)} {formats.zone(settings)}",
        f"{badges.cell(one.state)} · {formats.span(one.seconds)} · {sources}",
        one.run_id,
    ]
    return "<br>".join(map(safe, lines))


def _title(pipeline: str, took: Sequence["PipelineTook"], chosen: str, middle: float | None) -> str:
    name = badges.pipelines([pipeline])
    own = next((one for one in took if one.run_id == chosen), None)
    if middle is None:
        return _("How long {name} took").format(name=name)
    if own is None:
        return _("{name} usually takes {median}").format(name=name, median=formats.span(middle))
    text = _("{name} took {span} in this run, {median} as a rule")
    return text.format(name=name, span=formats.span(own.seconds), median=formats.span(middle))


def _subtitle(took: Sequence["PipelineTook"]) -> str:
    runs = ngettext("last {n} run", "last {n} runs", len(took)).format(n=formats.number(len(took)))
    left = len(took) - len(whole(took))
    out = _("hollow: not in the median (a single source, failed or cancelled)") if left else ""
    return " · ".join(filter(None, (runs, out)))


def rows(pipeline: str, took: Sequence["PipelineTook"]) -> pd.DataFrame:
    """The dots as they leave as CSV."""
    return pd.DataFrame(
        {
            "run_id": one.run_id,
            "pipeline": pipeline,
            "queued_at": clock.stamp(one.at),
            "state": one.state,
            "seconds": one.seconds,
            "sources": one.sources,
        }
        for one in took
    )
