"""What the reader chose on the crypto page: coins, range, log, rebased; by controls, rows or address."""

from typing import Any

import streamlit as st

from pages._view.charts import RANGES
from pages._view.price_charts import Choice
from storage.texts import _

MAX_COINS = 8
DEFAULT = Choice(("bitcoin",))


def _query() -> Choice:
    """The choice in the address, `?coins=bitcoin,ethereum&range=90D&log=1&rebased=1`."""
    asked = st.query_params
    coins = [coin for one in asked.get_all("coins") for coin in one.split(",") if coin]
    return Choice(
        tuple(dict.fromkeys(coins)),
        asked.get("range", DEFAULT.range),
        asked.get("log") == "1",
        asked.get("rebased") == "1",
    )


def fallback(known: list[str]) -> list[str]:
    """The coins of the default, or the first known one."""
    return [coin for coin in DEFAULT.coins if coin in known] or known[:1]


def start(known: list[str]) -> None:
    """The controls as the address says, once a visit; what the record does not know is left out."""
    if "crypto_coins" in st.session_state:
        kept = [coin for coin in st.session_state["crypto_coins"] if coin in known]
        st.session_state["crypto_coins"] = kept
        return
    asked = _query()
    coins = [coin for coin in asked.coins if coin in known][:MAX_COINS]
    st.session_state["crypto_coins"] = coins or fallback(known)
    st.session_state["crypto_range"] = asked.range if asked.range in RANGES else DEFAULT.range
    st.session_state["crypto_log"] = asked.log
    st.session_state["crypto_rebased"] = asked.rebased


def write(choice: Choice) -> None:
    """The address says what is shown; what is as usual, or no coin at all, is left out of it."""
    said = {"coins": ",".join(choice.coins)} if choice.coins not in ((), DEFAULT.coins) else {}
    said |= {"range": choice.range} if choice.range != DEFAULT.range else {}
    said |= {name: "1" for name in ("log", "rebased") if getattr(choice, name)}
    for name in ("coins", "range", "log", "rebased"):
        if name in said and st.query_params.get_all(name) != [said[name]]:
            st.query_params[name] = said[name]
        elif name not in said and name in st.query_params:
            del st.query_params[name]


def tick(listed: list[str], choice: Choice) -> dict[str, Any]:
    """The ticked rows of the table are the coins of the chart. Gives what is ticked when the table is
    drawn for the first time; later a choice made elsewhere is put into it."""
    st.session_state["crypto_listed"] = listed
    selection = {"selection": {"rows": [row for row, coin in enumerate(listed) if coin in choice.coins]}}
    shown = st.session_state.get("crypto_table")
    if shown is not None and sorted(shown["selection"]["rows"]) != selection["selection"]["rows"]:
        st.session_state["crypto_table"] = selection
    return selection


def picked() -> None:
    """A tick puts its coin on the chart, an unticked one leaves it; those that the table does not list
    stay, and without any coin it is the default again."""
    listed = st.session_state["crypto_listed"]
    ticked = [
        listed[row] for row in st.session_state["crypto_table"]["selection"]["rows"] if row < len(listed)
    ]
    before = st.session_state["crypto_coins"]
    kept = [coin for coin in before if coin in ticked or coin not in listed]
    coins = kept + [coin for coin in ticked if coin not in kept]
    if len(coins) > MAX_COINS:
        st.toast(_("At most {n} coins fit on the chart").format(n=MAX_COINS), icon=":material/info:")
    st.session_state["crypto_coins"] = coins[:MAX_COINS] or fallback(listed)


def controls(names: dict[str, str]) -> Choice:
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = st.segmented_control(
            _("Range"),
            list(RANGES),
            key="crypto_range",
            required=True,
            label_visibility="collapsed",
            format_func=_,
        )
        coins = st.multiselect(
            _("Coins"),
            list(names),
            key="crypto_coins",
            format_func=lambda coin: names.get(coin, coin),
            max_selections=MAX_COINS,
            label_visibility="collapsed",
            placeholder=_("Choose coins"),
            width=420,
        )
        rebased = st.toggle(_("Rebased to 100"), key="crypto_rebased")
        log = st.toggle(_("Log"), key="crypto_log")
    return Choice(tuple(coins), str(chosen or DEFAULT.range), bool(log), bool(rebased))
