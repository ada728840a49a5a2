"""What the reader chose on the crypto page: coins, range, log, rebased; by controls, rows or address."""

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


def start(known: list[str]) -> None:
    """The controls as the address says, once a visit; what the record does not know is left out."""
    if "crypto_coins" in st.session_state:
        kept = [coin for coin in st.session_state["crypto_coins"] if coin in known]
        st.session_state["crypto_coins"] = kept
        return
    asked = _query()
    coins = [coin for coin in asked.coins if coin in known][:MAX_COINS]
    fallback = [coin for coin in DEFAULT.coins if coin in known] or known[:1]
    st.session_state["crypto_coins"] = coins or fallback
    st.session_state["crypto_range"] = asked.range if asked.range in RANGES else DEFAULT.range
    st.session_state["crypto_log"] = asked.log
    st.session_state["crypto_rebased"] = asked.rebased


def write(choice: Choice) -> None:
    """The address says what is shown; what is as usual is left out of it."""
    said = {"coins": ",".join(choice.coins)} if choice.coins != DEFAULT.coins else {}
    said |= {"range": choice.range} if choice.range != DEFAULT.range else {}
    said |= {name: "1" for name in ("log", "rebased") if getattr(choice, name)}
    for name in ("coins", "range", "log", "rebased"):
        if name in said and st.query_params.get_all(name) != [said[name]]:
            st.query_params[name] = said[name]
        elif name not in said and name in st.query_params:
            del st.query_params[name]


def picked() -> None:
    """Rows chosen in the table are the coins of the chart."""
    rows = st.session_state["crypto_table"]["selection"]["rows"]
    listed = st.session_state["crypto_listed"]
    coins = [listed[row] for row in rows if row < len(listed)][:MAX_COINS]
    if coins:
        st.session_state["crypto_coins"] = coins


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
