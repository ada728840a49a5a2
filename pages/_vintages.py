"""The parts of the Liquidity page that look back: a series as it was known on a day, what was revised."""

import streamlit as st

from pages._view import cards, known_chart, known_choice, revised_marks, revised_report
from pages._view.charts import Window
from pages._view.palette import Palette
from storage import clock, read_revisions
from storage.read_liquidity import Liquidity
from storage.settings import Settings
from storage.texts import _

TOPIC = "liquidity"
_UPSTREAMS = ("fred.", "yahoo.", "ofr.")


def _titles(record: Liquidity) -> dict[str, str]:
    """Of all series that are described, by name."""
    named = record.series
    return dict(zip(named["series"], named["title"], strict=True)) if len(named) else {}


def series(config: Settings, record: Liquidity, shown: Window, palette: Palette) -> None:
    """One stored series as it stands, and as it was known on a day."""
    known = {name: title for name, title in _titles(record).items() if name.startswith(_UPSTREAMS)}
    if not known:
        return
    today = clock.now().astimezone(config.zone).date()
    known_choice.start(known, today)
    choice = known_choice.controls(known, today)
    known_choice.write(choice, next(iter(known)))
    held = read_revisions.series(config, choice.series, known_choice.instant(choice.day, config.zone))
    about = record.series[record.series["series"] == choice.series].iloc[0]
    asked = known_chart.Asked(_(about["title"]), about["unit"] or "", bool(about["restates"]), choice.day)
    rows = known_chart.compared(held.today, held.then, shown)
    older = {} if asked.restates else revised_marks.older(record.revisions, choice.series)
    upstream = revised_report.UPSTREAMS[choice.series.split(".")[0]]
    credit = _("DEMO data") if config.demo else upstream
    drawn = known_chart.chart(rows, asked, older, shown, palette, credit=credit, zone=config.zone)
    below = known_chart.below(rows, asked, config.zone)
    cards.chart(drawn, "series", rows.drop(columns="other"), asked.title, TOPIC, below)


def revised(config: Settings, record: Liquidity) -> None:
    """What sources revised; what changed before its day was over is only read for who asks for it."""
    found = read_revisions.revised(config, bool(st.session_state.get("revised_open")))
    revised_report.card(found, _titles(record), config, clock.now())
