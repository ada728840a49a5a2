"""The parts of the News page: the brief, which stories are shown, and the stories as a table.

Titles, outlets and links come from feeds: hostile text everywhere.
"""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

import pandas as pd
import streamlit as st

from collectors.news.topics import TITLES
from pages._view import formats, stress_text
from pages._view.badges import plain
from storage.clauses import PARTS, Clause
from storage.texts import _, ngettext

if TYPE_CHECKING:
    from storage.settings import Settings

DAY = pd.Timedelta(days=1)
ROWS_PX = 520
# Sentences of a part where the brief stands beside other things.
SHORT = 2


class Brief(Protocol):
    """The newest brief as `storage.read_news` gives it; `day` None where there is none yet."""

    @property
    def day(self) -> date | None: ...

    @property
    def written_at(self) -> datetime | None: ...

    @property
    def clauses(self) -> Sequence[Clause]: ...


def headline(stories: pd.DataFrame, now: pd.Timestamp) -> str:
    """How many stories moved in 24 hours and what most of them are about."""
    recent = stories[stories["newest"] > now - DAY] if len(stories) else stories
    if recent.empty:
        return _("No news of the last 24 hours") if len(stories) else _("No news yet")
    text = ngettext("{n} story in the last 24 hours", "{n} stories in the last 24 hours", len(recent))
    said = text.format(n=formats.number(len(recent)))
    named = recent["topics"].fillna("").str.split().explode().value_counts()
    about = next((name for name in named.index if name in TITLES), None)
    return (
        said if about is None else _("{said}, most about {topic}").format(said=said, topic=_(TITLES[about]))
    )


def brief(found: Brief, settings: "Settings", short: bool = False) -> None:
    """The morning brief in its parts, side by side where there is room; a sentence about an article links
    it. `short`: the first sentences, without what is said of the data elsewhere on the page."""
    if found.day is None:
        st.markdown(f"**{_('Morning brief')}**")
        st.caption(_("No brief yet: it is written at the end of every collection of news."))
        return
    st.markdown(f"**{_('Morning brief')}** {plain(formats.day(found.day))}")
    parts = [(part, list(clauses)) for part, clauses in groupby(found.clauses, key=lambda one: one.part)]
    if short:
        parts = [(part, clauses[:SHORT]) for part, clauses in parts if part != "data"]
    with st.grid(len(parts) or 1, min_column_width=240):
        for part, clauses in parts:
            with st.container(gap="xsmall"):
                st.markdown(f"**{plain(_(PARTS[part]))}**")
                st.markdown("\n".join(f"- {_sentence(one, settings)}" for one in clauses))
    moment = f"{formats.moment(settings, found.written_at)} {formats.zone(settings)}"
    st.caption(plain(_("written {time} from what was stored then").format(time=moment)))


def _sentence(clause: Clause, settings: "Settings") -> str:
    said = plain(clause.said(lambda value: formats.moment(settings, pd.Timestamp(value))))
    address = stress_text.web(clause.link)
    return f"[{said}]({address})" if address else said


def chosen(stories: pd.DataFrame, words: str, topics: list[str]) -> pd.DataFrame:
    """The stories of which title, outlet or mention has every word, and that are of one of the topics."""
    if stories.empty:
        return stories
    text = stories[["title", "outlet_names", "mentions"]].fillna("").agg(" ".join, axis=1).str.casefold()
    keep = pd.Series(True, index=stories.index)
    for word in words.casefold().split():
        keep &= text.str.contains(word, regex=False)
    if topics:
        keep &= stories["topics"].fillna("").map(lambda named: not set(topics).isdisjoint(named.split()))
    return stories[keep]


def shown(stories: pd.DataFrame) -> pd.DataFrame:
    """The stories as they are read, newest first: time, title and outlet of the first that told it, how many
    outlets do, topics, tone, mentions, link."""
    stories = stories.sort_values(["published_at", "story"], ascending=[False, True])
    return pd.DataFrame(
        {
            "time": stories["published_at"],
            "title": stories["title"],
            "outlet": stories["outlet"].fillna(formats.DASH),
            "outlets": stories["outlets"].astype(int),
            "topics": [
                ", ".join(_(TITLES[name]) for name in str(named or "").split() if name in TITLES)
                for named in stories["topics"].fillna("")
            ],
            "tone": stories["tone"],
            "mentions": [
                " ".join(name.removeprefix("coin:") for name in str(named or "").split())
                for named in stories["mentions"].fillna("")
            ],
            "note": [_("first seen") if guessed else "" for guessed in stories["provisional"]],
            "link": [stress_text.web(link) or None for link in stories["link"]],
        }
    ).reset_index(drop=True)


def table(stories: pd.DataFrame, settings: "Settings") -> None:
    """The stories, each once however many outlets tell it."""
    column = st.column_config
    st.dataframe(
        shown(stories),
        hide_index=True,
        width="stretch",
        height=ROWS_PX,
        key="stories",
        column_config={
            "time": column.DatetimeColumn(
                _("Time"), format="D MMM HH:mm", timezone=settings.zone.key, width=95
            ),
            "title": column.TextColumn(_("Title"), width=520),
            "outlet": column.TextColumn(_("Outlet"), width=120),
            "outlets": column.NumberColumn(_("Outlets"), help=_("How many outlets tell it"), width=70),
            "topics": column.TextColumn(_("Topics"), width=150),
            "tone": column.NumberColumn(
                _("Tone"),
                format="%+.1f",
                help=_("Negative less positive words of the title: above 0 it speaks of trouble"),
                width=60,
            ),
            "mentions": column.TextColumn(_("Mentions"), help=_("Stocks and coins named in it"), width=110),
            "note": column.TextColumn(
                _("Note"), help=_("first seen: the feed gave no time that can be believed"), width=80
            ),
            "link": column.LinkColumn(_("Article"), display_text=_("open"), width=60),
        },
    )
