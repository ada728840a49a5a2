"""Fed speeches and headlines: their tone over time, and lists whose every word is an outsider's.

Titles, names and links come from feeds: hostile text everywhere.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages._view import chart_marks as marks
from pages._view import formats, stress_axis, stress_charts
from pages._view.badges import plain
from pages._view.charts import Window, figure, nothing, safe
from pages._view.palette import Palette
from pages._view.stress_record import Record
from storage.texts import N_, _, ngettext

if TYPE_CHECKING:
    from storage.settings import Settings

HEIGHT = 260
LISTED = 10
_LONGEST = 140
# The topics that headlines are sorted by.
TOPICS = {
    "funding": N_("funding"),
    "credit": N_("credit"),
    "bank": N_("banks"),
    "rout": N_("market rout"),
    "treasury": N_("Treasuries"),
    "policy": N_("policy"),
}


def link(title: object, url: object) -> str:
    """A title as Markdown, linked only where the address is one of the web; both are hostile."""
    words = str(title) if isinstance(title, str) and title.strip() else _("untitled")
    words = words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
    address = web(url)
    return f"[{plain(words)}]({address})" if address else plain(words)


def web(url: object) -> str:
    """The address with everything quoted that could end a Markdown link; empty where it is none of
    http or https, or has something before its host."""
    if not isinstance(url, str):
        return ""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        return ""
    return quote(url.strip(), safe=":/?#@!$&*+,;=%-._~")


# ---------------------------------------------------------------- speeches over time


def tones(speeches: pd.DataFrame, shown: Window, palette: Palette, *, credit: str) -> go.Figure:
    """Concern of each speech as a dot with its mean so far as a line, and below it the stance."""
    if speeches.empty:
        return nothing(palette, _("No speeches yet"), HEIGHT)
    day = pd.to_datetime(speeches["published_at"], utc=True).dt.tz_localize(None)
    rows = speeches.assign(date=day).sort_values("date")
    # There are no speeches from before feeds were read: the axis need not show that for years.
    begun = rows["date"].iloc[0].normalize() - pd.Timedelta(days=3)
    shown = Window(min(max(shown.first, begun), shown.last - pd.Timedelta(days=30)), shown.last)
    rows = rows[(rows["date"] >= shown.first) & (rows["date"] < shown.last + pd.Timedelta(days=2))]
    if rows["tone"].isna().all():
        return nothing(palette, _("No speeches in this range"), HEIGHT)
    hover = [_spoken(row) for row in rows.itertuples()]
    # Ten days' half-life, as the index weighs them.
    line = rows["tone"].ewm(halflife=pd.Timedelta(days=10), times=rows["date"]).mean()
    drawn = _tone_traces(rows, line, hover, palette)
    layout = {
        "height": HEIGHT,
        "xaxis": stress_axis.day_axis(shown, anchor="y2"),
        "yaxis": {"domain": [0.5, 1], "fixedrange": True, "nticks": 4, "zeroline": True},
        "yaxis2": {"domain": [0, 0.4], "fixedrange": True, "range": [-1.08, 1.08], "tickvals": [-1, 0, 1]}
        | {"ticktext": [_("dovish"), "0", _("hawkish")], "zeroline": True},
        "annotations": [
            _panel(_("concern, per 100 words"), 1, palette.series[6]),
            _panel(_("stance, no weight in the index"), 0.4, palette.series[3]),
            marks.credit(credit, palette),
        ],
        "margin": {"b": 34, "t": 20},
        "showlegend": False,
    }
    subtitle = _("a dot a speech; the line is their mean with a half-life of ten days")
    return figure(drawn, layout, palette, _tone_title(rows), f"{subtitle} · {credit}")


def _tone_traces(
    rows: pd.DataFrame, mean: "pd.Series[float]", hover: list[str], palette: Palette
) -> list[dict[str, Any]]:
    common = {"type": "scatter", "x": rows["date"], "cliponaxis": False}
    told = {"customdata": hover, "hovertemplate": stress_charts.pointer()}
    concern, stance_color = palette.series[6], palette.series[3]
    dots = {"y": rows["tone"], "mode": "markers", "marker": {"size": 6, "color": concern, "opacity": 0.75}}
    line = {"y": mean, "mode": "lines", "line": {"color": concern, "width": 1.75}, "hoverinfo": "skip"}
    below = {"y": rows["stance"], "mode": "lines+markers", "yaxis": "y2", "connectgaps": True}
    below |= {"line": {"color": stance_color, "width": 1.25}, "marker": {"size": 5}}
    return [common | dots | told, common | line, common | below | told]


def _panel(text: str, y: float, color: str) -> dict[str, Any]:
    spot = {"x": 0, "xref": "paper", "xanchor": "left", "y": y, "yref": "paper", "yanchor": "bottom"}
    return spot | {"text": text, "showarrow": False, "font": {"size": 11, "color": color}}


def _spoken(row: Any) -> str:
    text = _("concern {tone} per 100 words, stance {stance}")
    said = text.format(tone=formats.change(row.tone, 2), stance=formats.change(row.stance, 2))
    who = safe(row.speaker if isinstance(row.speaker, str) else "")
    return f"<b>{who}</b> {safe(str(row.title)[:80])}<br>{said}"


def _tone_title(rows: pd.DataFrame) -> str:
    last = rows[rows["tone"].notna()].iloc[-1]
    median = rows["tone"].median()
    text = _("The newest speech is more concerned than usual: {tone} per 100 words")
    if last["tone"] <= median:
        text = _("The newest speech is no more concerned than usual: {tone} per 100 words")
    return text.format(tone=formats.change(last["tone"], 2))


# ---------------------------------------------------------------- lists


def speech_list(speeches: pd.DataFrame) -> str:
    """The newest speeches as a table of Markdown: day, speaker, title, concern and stance."""
    head = (_("Day"), _("Speech"), _("Speaker"), _("Concern"), _("Stance"))
    rows = (
        (
            plain(formats.day(_day(row.published_at))),
            link(row.title, row.link),
            plain(row.speaker if isinstance(row.speaker, str) else formats.DASH),
            formats.change(row.tone, 2),
            stance(row.stance),
        )
        for row in speeches.head(LISTED).itertuples()
    )
    return _markdown(head, rows, right=(3,))


def _day(instant: Any) -> Any:
    return instant.date() if isinstance(instant, pd.Timestamp) and instant == instant else None


def stance(value: Any) -> str:
    """ "hawkish +0.40", with the word from a third of the way on."""
    if value is None or value != value:
        return formats.DASH
    word = _("hawkish") if value > 0.33 else _("dovish") if value < -0.33 else _("balanced")
    return f"{word}\u00a0{formats.change(value, 2)}"


def headline_list(headlines: pd.DataFrame, settings: "Settings") -> str:
    """The newest headlines on a topic of stress as a table of Markdown: time, title, topics, outlet."""
    told = headlines[headlines["topics"].fillna("").str.strip() != ""] if len(headlines) else headlines
    head = (_("Time"), _("Headline"), _("Topics"), _("Outlet"))
    rows = (
        (
            plain(formats.moment(settings, row.published_at)),
            link(row.title, row.link),
            plain(topics(row.topics)),
            plain(str(row.feed).removeprefix("feeds.")),
        )
        for row in told.head(LISTED).itertuples()
    )
    return _markdown(head, rows) if len(told) else ""


def topics(names: object) -> str:
    """Topics in words; one that is not known as it is."""
    return ", ".join(_(TOPICS[name]) if name in TOPICS else name for name in str(names or "").split())


def headlines_title(headlines: pd.DataFrame) -> str:
    """How many of the stored headlines are on a topic of stress."""
    told = int((headlines["topics"].fillna("").str.strip() != "").sum()) if len(headlines) else 0
    text = ngettext("{n} headline on a topic of stress", "{n} headlines on a topic of stress", told)
    return text.format(n=formats.number(told))


def lists(record: Record, settings: "Settings") -> None:
    """Newest speeches and newest headlines beside each other, in cards of one height."""
    spoken = speech_list(record.speeches) if len(record.speeches) else ""
    written = headline_list(record.headlines, settings)
    titles = (_("Newest speeches of the Federal Reserve"), headlines_title(record.headlines))
    with st.container(key="stress_lists"):
        for column, title, rows in zip(st.columns(2), titles, (spoken, written), strict=True):
            with column, st.container(border=True, gap="xsmall", height="stretch"):
                st.markdown(f"**{plain(title)}**")
                if rows:
                    st.markdown(rows)
                else:
                    st.caption(_("Nothing stored yet."))


def _markdown(head: Iterable[str], rows: Iterable[Iterable[str]], right: Iterable[int] = ()) -> str:
    names = list(head)
    rule = ["--:" if n in tuple(right) else ":--" for n in range(len(names))]
    lines = [names, rule, *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
