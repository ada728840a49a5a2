"""One story of the News page: who told it, when, and where each telling comes from; picked by a click on a
row or by the address.

Titles, outlets and links come from feeds: hostile text everywhere.
"""

import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pages._view import formats, stress_text, tiles
from pages._view.badges import plain
from storage.texts import _, ngettext

if TYPE_CHECKING:
    from storage.settings import Settings

_ID = re.compile(r"[\w.-]{1,80}")
_TOLD = 12


def asked(stories: pd.DataFrame) -> str | None:
    """The story that the address names, by its own id or that of its first telling; None where it names none
    that is on record."""
    name = st.query_params.get("story") or ""
    if not _ID.fullmatch(name) or stories.empty:
        return None
    found = stories[(stories["story"] == name) | (stories["id"] == name)]
    if found.empty:
        return None
    story = str(found["story"].iloc[0])
    # A link from this page to itself brings the story here, and leaves the browser's address as it was.
    st.query_params["story"] = story
    return story


def remember(shown: pd.DataFrame, key: str) -> None:
    """Puts the picked row into the address, so that it can be sent to somebody; none takes it away."""
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(shown):
        st.query_params["story"] = str(shown["story"].iloc[rows[0]])
    else:
        st.query_params.pop("story", None)


def card(story: "pd.Series[Any]", items: pd.DataFrame, settings: "Settings") -> None:
    """The story and its tellings, oldest first, each with its article and where it comes from."""
    told = items[items["story"] == story["story"]].sort_values(["published_at", "id"])
    with st.container(border=True, gap="xsmall", key="story"):
        st.markdown(f"**{stress_text.link(story['title'], story['link'])}**")
        text = ngettext("told by {n} outlet", "told by {n} outlets", int(story["outlets"]))
        st.caption(plain(text.format(n=formats.number(story["outlets"]))))
        for _at, item in told.head(_TOLD).iterrows():
            st.markdown(_telling(item, settings), help=tiles.provenance(settings, item))
        if len(told) > _TOLD:
            st.caption(plain(_("and {n} more").format(n=formats.number(len(told) - _TOLD))))


def _telling(item: "pd.Series[Any]", settings: "Settings") -> str:
    outlet = item["outlet"] if isinstance(item["outlet"], str) else item["feed"]
    when = formats.moment(settings, item["published_at"])
    if item["provisional"]:
        when = _("{time}, first seen").format(time=when)
    return f":gray[{plain(when)}] **{plain(str(outlet))}** {stress_text.link(item['title'], item['link'])}"
