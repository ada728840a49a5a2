"""What surrounds every page: navigation, language, the DEMO and running banners, and who the data
comes from. Every page is drawn inside this script, and only inside it."""

import sqlite3

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from collectors import freshness
from collectors.registry import UPSTREAMS
from pages._view import badges, collect_now
from storage import ledger, read, texts
from storage.records import Problem
from storage.settings import Settings, load
from storage.texts import _

# What no theme option can do: figures of equal width, and the language beside the menu.
STYLE = """<style>
[data-testid="stApp"] { font-variant-numeric: tabular-nums; }
/* Korean breaks between words, not within them. */
[data-testid="stApp"] { word-break: keep-all; overflow-wrap: anywhere; }
.st-key-language { position: fixed; top: .8rem; right: 3.2rem; z-index: 1000000; width: auto; }
.st-key-language button { min-height: 1.8rem; padding: 0 .6rem; }
/* Left of the language, not under it. */
[data-testid="stStatusWidget"] { margin-right: 8.4rem; }
.st-key-demo, .st-key-running, .st-key-problem {
  padding: .3rem .75rem; border-radius: .35rem; background: light-dark(#efefec, #1a2026); }
.st-key-problem { margin-top: .4rem; }
/* In the header, on a phone at the lower edge: the page does not move when a run begins or ends. */
.st-key-running { position: fixed; bottom: .6rem; left: 50%; width: max-content;
  max-width: calc(100vw - 1rem); transform: translateX(-50%); z-index: 1000000; }
@media (min-width: 900px) { .st-key-running { top: .7rem; bottom: auto; white-space: nowrap; } }
/* Streamlit draws captions with an opacity that leaves too little contrast. */
[data-testid="stCaptionContainer"] { opacity: 1; color: light-dark(#565d66, #a3a8ad); }
/* The one figure that is read first. */
.st-key-stress_index [data-testid="stMetricValue"] { font-size: 2.6rem; line-height: 1.15; }
/* Lists of what others wrote: one line each where there is room. */
.st-key-stress_lists table { width: 100%; font-size: .92rem; }
.st-key-stress_lists :is(td, th) { padding: .28rem .5rem; font-weight: 400; }
.st-key-stress_lists td:first-child { white-space: nowrap; }
.st-key-stress_lists td:nth-child(2) { min-width: 12rem; }
.st-key-stress_lists td:nth-child(3) { min-width: 6rem; }
.st-key-stress_lists [data-testid="stMarkdownContainer"] { overflow-x: auto; }
/* The Overview's own small print and table. */
.small-note { margin: .2rem 0 .4rem; font-size: .875rem; color: light-dark(#565d66, #a3a8ad); }
.small-note a { color: light-dark(#1f5fc4, #6ea8ff); }
.small-table table { width: 100%; border-collapse: collapse; font-size: .92rem; }
.small-table :is(th, td) { padding: .3rem .6rem; text-align: right; white-space: nowrap; font-weight: 400;
  border-bottom: 1px solid light-dark(#e4e6e1, #27313b); }
.small-table th { color: light-dark(#565d66, #a3a8ad); }
.small-table :is(th, td):first-child { text-align: left; }
.small-table td:nth-child(6) { min-width: 9rem; width: 18%; }
.small-brief { display: grid; gap: .2rem 1.2rem;
  grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); }
.small-brief p { margin: .25rem 0; font-size: .93rem; line-height: 1.4; }
.small-brief a { color: light-dark(#1f5fc4, #6ea8ff); text-decoration: initial; }
.small-brief a.row { color: inherit; }
.small-brief a.row:hover { text-decoration: underline; }
/* Sentences that lead somewhere are read as a text, not as a row of buttons. */
[class*="st-key-brief_"] [data-testid="stPageLink-NavLink"] { padding: .1rem .25rem; margin: 0 -.25rem .15rem;
  min-height: 0; align-items: flex-start; background: transparent; }
[class*="st-key-brief_"] [data-testid="stPageLink-NavLink"] :is(p, span) { white-space: normal;
  overflow: visible; line-height: 1.4; font-weight: 400; }
[class*="st-key-brief_"] [data-testid="stPageLink-NavLink"]:hover p { text-decoration: underline; }
[data-testid="stToast"] { width: min(30rem, calc(100vw - 2rem)); }
</style>"""
# Drawn here: a Material or emoji icon of the window would be fetched from elsewhere.
ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='6'"
    " fill='#1f5fc4'/><path d='M5 21l6-7 5 4 9-10' fill='none' stroke='#fff' stroke-width='3'/></svg>"
)
LEAVE_DEMO = "python scripts/start.py"
# How soon a page looks again that was drawn while the store could not be read.
HEAL_S = 2.0
NAMES = {"en": "EN", "ko": "한국어"}


def chosen_language(settings: Settings) -> str:
    """What the switch says, else the address, else the settings."""
    asked = st.session_state.get("lang") or st.query_params.get("lang")
    return asked if asked in texts.LANGUAGES else settings.lang


def _remember_language() -> None:
    st.query_params["lang"] = st.session_state["lang"]


def keep_language(settings: Settings, language: str) -> None:
    """Going to another page clears the address: what it says of the language is put back, so that
    loading the page again does not change it."""
    if language != settings.lang and st.query_params.get("lang") != language:
        st.query_params["lang"] = language


def language_switch(language: str) -> None:
    """EN or Korean, in the header of every page."""
    st.session_state.setdefault("lang", language)
    with st.container(key="language"):
        st.segmented_control(
            _("Language"),
            texts.LANGUAGES,
            key="lang",
            required=True,
            format_func=lambda name: NAMES[name],
            label_visibility="collapsed",
            on_change=_remember_language,
        )


def demo_banner() -> None:
    """Every number on a demo page is invented: say so, and how to leave."""
    with st.container(key="demo"):
        text = _("An invented market, in a store of its own. Leave it with {command}.")
        st.markdown(f":orange-badge[:material/science: DEMO] {text.format(command=f'`{LEAVE_DEMO}`')}")


def running_banner(settings: Settings, language: str) -> None:
    """Redrawn every second while a run is on; at its end the whole page is drawn anew."""
    texts.use(language)
    try:
        live = ledger.running(settings)
        steps = ledger.steps(settings, live.run_id) if live else []
    except sqlite3.Error:
        live = None
    if live is None:
        collect_now.by_itself()
        return
    collect_now.banner(live, freshness.progress(settings, live, steps), lambda run: cancel(settings, run))


def cancel(settings: Settings, run_id: str) -> None:
    """Asks a run to stop; one that has just ended needs no asking."""
    try:
        ledger.cancel(settings, run_id)
    except sqlite3.Error as error:
        problem = freshness.unread(settings, error)
        st.toast(badges.plain(texts.say(problem.message, problem.values)), icon=":material/error:")


def in_the_way(settings: Settings, wait_s: float = 0.0) -> Problem | None:
    """Why store or ledger cannot be read at this moment, None where both can."""
    try:
        return read.frames(settings, wait_s).problem or read.stored(settings, wait_s).problem
    except sqlite3.Error as error:
        return freshness.unread(settings, error)


def problem_notice(problem: Problem) -> None:
    """The store cannot be read: the last good values serve, and somebody should know."""
    with st.container(key="problem"):
        look = badges.KINDS["store"]
        st.markdown(f"{badges.inline(look)} {badges.plain(texts.say(problem.message, problem.values))}")


def heal(settings: Settings) -> None:
    """A page was drawn while somebody else had the store: drawn anew as soon as it can be read."""
    if in_the_way(settings) is None:
        collect_now.by_itself()


def body(settings: Settings, language: str, page: StreamlitPage) -> None:
    """Banners and page; a fragment behind them heals what could not be read. Raises sqlite3.Error where
    the ledger cannot be."""
    collect_now.settle(lambda run: ledger.run(settings, run), lambda run: ledger.steps(settings, run))
    live = ledger.running(settings)
    mark = ledger.merge_mark(settings)
    # One container whatever it holds, and never empty: the page keeps its place.
    with st.container(key="notices", gap=None):
        if settings.demo:
            demo_banner()
        else:
            st.empty()
        if live:
            collect_now.watch(live.run_id)
            st.fragment(run_every=1.0)(running_banner)(settings, language)
        problem = in_the_way(settings, wait_s=0.3 if live else 0.0)
        # While our own run writes, a moment's lock is nothing to tell.
        if problem and not (live and problem.code == "busy"):
            problem_notice(problem)
    page.run()
    collect_now.drawn()
    # The end of a run draws the page anew anyway. Asked again: the page looked for itself.
    if live is None and (problem or in_the_way(settings) or mark != ledger.merge_mark(settings)):
        st.fragment(run_every=HEAL_S)(heal)(settings)


def footer(settings: Settings) -> None:
    """Who provides the data, as their licences ask."""
    links = " · ".join(f"[{badges.plain(_(one.credit))}]({one.home})" for one in UPSTREAMS.values())
    demo = _("Demo: no provider was asked.") if settings.demo else ""
    st.caption(f"{links} {demo}")


def draw() -> None:
    """The whole window, once."""
    settings = load()
    language = chosen_language(settings)
    texts.use(language)
    st.set_page_config(page_title=_("Daily Data Collector"), page_icon=ICON, layout="wide")
    st.html(STYLE)
    pages = [
        st.Page("overview.py", title=_("Overview"), icon=":material/home:", default=True),
        st.Page("liquidity.py", title=_("Liquidity"), icon=":material/water_drop:", url_path="liquidity"),
        st.Page("crypto.py", title=_("Crypto"), icon=":material/currency_bitcoin:", url_path="crypto"),
        st.Page("news.py", title=_("News"), icon=":material/newspaper:", url_path="news"),
        st.Page("runs.py", title=_("Runs"), icon=":material/history:", url_path="runs"),
        st.Page("system.py", title=_("System"), icon=":material/monitor_heart:", url_path="system"),
    ]
    page = st.navigation(pages, position="top")
    keep_language(settings, language)
    language_switch(language)
    try:
        body(settings, language, page)
    except sqlite3.Error as error:
        problem_notice(freshness.unread(settings, error))
        st.fragment(run_every=HEAL_S)(heal)(settings)
    footer(settings)


draw()
