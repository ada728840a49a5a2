"""News: the morning brief, the stories by topic and search, speeches of the Federal Reserve. Layout only."""

import pandas as pd
import streamlit as st

from collectors.news.topics import TITLES
from pages._view import cards, formats, news_parts, news_story, stress_text
from pages._view.badges import plain
from storage import clock, read_news
from storage.read_news import News
from storage.settings import Settings, load
from storage.texts import _, ngettext


def stories_part(settings: Settings, record: News) -> None:
    """Search, topics, and the stories that fit."""
    known = set(record.stories["topics"].fillna("").str.split().explode()) if len(record.stories) else set()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(_("Search"), key="news_search", placeholder=_("title, outlet, stock or coin"))
        topics = st.pills(
            _("Topics"),
            [name for name in TITLES if name in known],
            selection_mode="multi",
            format_func=lambda name: _(TITLES[name]),
            key="news_topics",
        )
    found = news_parts.chosen(record.stories, words or "", list(topics or ()))
    if found.empty:
        st.caption(_("No story is like this. Clear the search or the topics."))
        return
    text = ngettext("{n} story of {days} days", "{n} stories of {days} days", len(found))
    said = text.format(n=formats.number(len(found)), days=read_news.STORY_DAYS)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{plain(said)}**")
        cards.download("stories", found, "news")
    picked = news_story.asked(record.stories)
    if picked is None:
        news_parts.table(found, settings, None)
        return
    left, right = st.columns([1, 2])
    with left:
        one = record.stories[record.stories["story"] == picked].iloc[0]
        news_story.card(one, record.items, settings)
    with right:
        news_parts.table(found, settings, picked)


def speeches_part(record: News) -> None:
    """The newest speeches, where there are any."""
    if record.speeches.empty:
        return
    with st.container(key="stress_lists"), st.container(border=True, gap="xsmall"):
        st.markdown(f"**{_('Newest speeches of the Federal Reserve')}**")
        st.markdown(stress_text.speech_list(record.speeches))


def draw() -> None:
    settings = load()
    record = read_news.news(settings)
    st.header(plain(news_parts.headline(record.stories, pd.Timestamp(clock.now()))), anchor=False)
    if record.empty:
        if record.problem is None:
            st.caption(_("Press **Collect now** beside News on the Overview."))
        return
    if len(record.items):
        newest = f"{formats.moment(settings, record.items['published_at'].iloc[0])} {formats.zone(settings)}"
        outlets = record.items["outlet"].dropna().nunique()
        text = ngettext("newest {time}, from {n} outlet", "newest {time}, from {n} outlets", outlets)
        st.caption(plain(text.format(time=newest, n=outlets)))
    with st.container(border=True, gap="xsmall", key="brief"):
        news_parts.brief(record.brief, settings)
    if len(record.stories):
        stories_part(settings, record)
    speeches_part(record)


draw()
