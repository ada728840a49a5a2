"""The parts of the News page: the brief, which stories are shown, and the stories as a table.

Titles, outlets and links come from feeds: hostile text everywhere.
"""

import zlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from collectors.news.topics import TITLES
from pages._view import formats, news_story, stress_text, tiles
from pages._view.badges import plain
from storage.clauses import PARTS, Clause
from storage.texts import N_, _, language, ngettext

if TYPE_CHECKING:
    from storage.settings import Settings

DAY = pd.Timedelta(days=1)
ROWS_PX = 520
NO_BRIEF = N_("No brief yet: it is written at the end of every collection of news.")
Told = tuple[Clause, Mapping[str, Any] | None]
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

    @property
    def rows(self) -> Sequence[Mapping[str, Any] | None]: ...


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


def brief(found: Brief, settings: "Settings") -> None:
    """The morning brief in its parts, side by side where there is room; every sentence leads to the page that
    shows its row, and one about an article to the article as well."""
    if found.day is None:
        st.markdown(f"**{_('Morning brief')}**")
        st.caption(_(NO_BRIEF))
        return
    st.markdown(f"**{_('Morning brief')}** {plain(formats.day(found.day))}")
    parts = _parts(found)
    with st.grid(len(parts) or 1, min_column_width=240):
        for part, said in parts:
            with st.container(gap="xsmall", key=f"brief_{part}"):
                st.markdown(f"**{plain(_(PARTS[part]))}**")
                for clause, row in said:
                    _sentence(clause, row, settings)
    st.caption(plain(_written(found, settings)))


def _parts(found: Brief) -> list[tuple[str, list[Told]]]:
    rows = found.rows or [None] * len(found.clauses)
    told = zip(found.clauses, rows, strict=True)
    return [(part, list(said)) for part, said in groupby(told, key=lambda one: one[0].part)]


def _written(found: Brief, settings: "Settings") -> str:
    moment = f"{formats.moment(settings, found.written_at)} {formats.zone(settings)}"
    return _("written {time} from what was stored then").format(time=moment)


def in_short(found: Brief, settings: "Settings") -> str:
    """The first sentences as HTML, without what is said of the data elsewhere on the page; with the same
    links. One element: a dozen of them would be a third of what the browser does for the Overview."""
    head = escape(_("Morning brief"))
    if found.day is None:
        return f"<p><b>{head}</b></p><p class='small-note'>{escape(_(NO_BRIEF))}</p>"
    parts = [(part, said[:SHORT]) for part, said in _parts(found) if part != "data"]
    columns = "".join(
        f"<div><b>{escape(_(PARTS[part]))}</b>{''.join(_line(*one, settings) for one in said)}</div>"
        for part, said in parts
    )
    return (
        f"<p><b>{head}</b> {escape(formats.day(found.day))}</p><div class='small-brief'>{columns}</div>"
        f"<p class='small-note'>{escape(_written(found, settings))}</p>"
    )


def _line(clause: Clause, row: Mapping[str, Any] | None, settings: "Settings") -> str:
    page, query = place(clause)
    if language() != settings.lang:
        query = {**query, "lang": language()}
    # Below the address of the console, wherever that is.
    address = page.removesuffix(".py") + (f"?{urlencode(query)}" if query else "")
    hint = f' title="{escape(tiles.origin(settings, pd.Series(row)))}"' if row else ""
    said = clause.said(lambda value: formats.moment(settings, pd.Timestamp(value)))
    article = stress_text.web(clause.link)
    arrow = (
        f' <a href="{escape(article)}" target="_blank" title="{escape(_("Open the article"))}">↗</a>'
        if article
        else ""
    )
    return f'<p><a class="row" href="{escape(address)}"{hint}>{escape(said)}</a>{arrow}</p>'


def _sentence(clause: Clause, row: Mapping[str, Any] | None, settings: "Settings") -> None:
    said = plain(clause.said(lambda value: formats.moment(settings, pd.Timestamp(value))))
    page, query = place(clause)
    origin = tiles.provenance(settings, pd.Series(row)) if row else None
    address = stress_text.web(clause.link)
    if not address:
        st.page_link(page, label=said, query_params=query, help=origin, width="stretch")
        return
    with st.container(horizontal=True, wrap=False, gap="xxsmall", vertical_alignment="top"):
        st.page_link(page, label=said, query_params=query, help=origin, width="stretch")
        hint = _("Open the article")
        st.markdown(f'[:material/open_in_new:]({address} "{hint}")', width="content")


def place(clause: Clause) -> tuple[str, dict[str, str]]:
    """The page that shows the row of a sentence, and what its address says; where it tells of no row, the
    page that shows the table; without a table the runs."""
    key = {name: str(value) for name, value in clause.key.items()}
    if clause.table in ("stress_index", "stress_module"):
        return "liquidity.py", {"day": key["date"]} if "date" in key else {}
    if clause.table == "crypto_price":
        return "crypto.py", {"coins": key["coin"]} if "coin" in key else {}
    if clause.table in ("observation", "protocol_tvl"):
        return "crypto.py", {}
    if clause.table == "news_item":
        return "news.py", {"story": key["id"]} if "id" in key else {}
    return "runs.py", {}


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


def newest_first(stories: pd.DataFrame) -> pd.DataFrame:
    """The stories in the order in which they are read."""
    return stories.sort_values(["published_at", "story"], ascending=[False, True])


def shown(stories: pd.DataFrame) -> pd.DataFrame:
    """The stories as they are read, newest first: time, title and outlet of the first that told it, how many
    outlets do, topics, tone, mentions, link."""
    stories = newest_first(stories)
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


def table(stories: pd.DataFrame, settings: "Settings", picked: str | None) -> None:
    """The stories, each once however many outlets tell it; a click on a row picks it, as the address may."""
    column = st.column_config
    told = newest_first(stories)["story"].tolist()
    # The selection is by row: another list, or another pick by the address, is another table.
    at = [told.index(picked)] if picked in told else []
    key = f"stories_{zlib.crc32(' '.join(told).encode())}"
    held = st.session_state.get(key)
    if held and held["selection"]["rows"] != at:
        st.session_state[key] = {"selection": {"rows": at}}
    st.dataframe(
        shown(stories),
        hide_index=True,
        width="stretch",
        height=ROWS_PX,
        key=key,
        on_select=lambda: news_story.remember(newest_first(stories), key),
        selection_mode="single-row",
        selection_default={"selection": {"rows": at}},
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
                format="%.1f",
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
