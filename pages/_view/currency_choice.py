"""USD or KRW, for all money of the Overview and the crypto page: by the switch, or by the address."""

import pandas as pd
import streamlit as st

from pages._view import currency
from pages._view.badges import plain
from pages._view.currency import USD, Currency
from storage.texts import _

CODES = ("USD", "KRW")
# The switch's own state is gone as soon as a page without it is shown.
_KEPT, _SWITCH = "currency_kept", "currency"


def chosen(rates: pd.DataFrame) -> Currency:
    """What was chosen on this visit, else what the address says (`?currency=krw`). USD where no rate is
    stored; the wish stays."""
    if _KEPT not in st.session_state:
        asked = st.query_params.get("currency", "").upper()
        st.session_state[_KEPT] = asked if asked in CODES else USD.code
    return currency.of(rates, st.session_state[_KEPT])


def _keep() -> None:
    st.session_state[_KEPT] = st.session_state[_SWITCH]


def _write() -> None:
    """The address says what is wanted; what is as usual is left out of it."""
    wanted = st.session_state[_KEPT].lower()
    if wanted != "usd" and st.query_params.get("currency") != wanted:
        st.query_params["currency"] = wanted
    elif wanted == "usd" and "currency" in st.query_params:
        del st.query_params["currency"]


def switch(rates: pd.DataFrame, shown: Currency, newest: pd.Timestamp | None) -> None:
    """The switch with the rate beside it and of when it is; `newest`: the newest day of what is shown.
    Without a rate it cannot be pressed, and says what brings one."""
    _write()
    st.session_state[_SWITCH] = shown.code
    with st.container(horizontal=True, vertical_alignment="center", key="currency_row"):
        st.segmented_control(
            _("Currency"),
            CODES,
            key=_SWITCH,
            required=True,
            label_visibility="collapsed",
            on_change=_keep,
            disabled=rates.empty,
        )
        st.caption(plain(_words(rates, shown, newest)), width="stretch")


def _words(rates: pd.DataFrame, shown: Currency, newest: pd.Timestamp | None) -> str:
    if rates.empty:
        return _("Won need an exchange rate: collect Liquidity once, Yahoo's KRW=X or FRED's DEXKOUS.")
    parts = [currency.as_of(rates)]
    if shown is not USD:
        if newest is not None and currency.is_old(rates, newest):
            parts.append(_("older than a week: collect Liquidity; charts end with it"))
        parts.append(_("changes in % of tiles and tables stay those in USD"))
    return " · ".join(parts)
