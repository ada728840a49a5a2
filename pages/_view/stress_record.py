"""What a view may rely on of the liquidity record, and the looks and names of what is in it: bands,
statuses, modules, inputs. Draws nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import pandas as pd

from collectors.stress.inputs import INPUTS, MODULES
from pages._view.badges import Look
from storage.texts import N_, _


class Record(Protocol):
    """The liquidity record as `storage.read_liquidity` gives it: frames, one row a day, a day and
    module, an input of the newest day, …"""

    @property
    def days(self) -> pd.DataFrame: ...

    @property
    def modules(self) -> pd.DataFrame: ...

    @property
    def inputs(self) -> pd.DataFrame: ...

    @property
    def recent(self) -> pd.DataFrame: ...

    @property
    def heat(self) -> pd.DataFrame: ...

    @property
    def shown(self) -> pd.DataFrame: ...

    @property
    def series(self) -> pd.DataFrame: ...

    @property
    def speeches(self) -> pd.DataFrame: ...

    @property
    def headlines(self) -> pd.DataFrame: ...

    @property
    def revisions(self) -> pd.DataFrame: ...

    @property
    def read_at(self) -> datetime: ...

    @property
    def problem(self) -> Any: ...

    @property
    def empty(self) -> bool: ...


BANDS: Mapping[str, Look] = {
    "Calm": Look(N_("Calm"), "○", ":material/check_circle:", "green"),
    "Watch": Look(N_("Watch"), "◔", ":material/visibility:", "yellow"),
    "Stress": Look(N_("Stress"), "◑", ":material/warning:", "orange"),
    "Crisis": Look(N_("Crisis"), "●", ":material/crisis_alert:", "red"),
}
NO_BAND = Look(N_("no band yet"), "–", ":material/remove:", "gray")
NO_KEY = N_("no FRED key: set FRED_API_KEY in .env")
# Of an input on the newest day.
STATUS: Mapping[str, Look] = {
    "fresh": Look(N_("fresh"), "✓", ":material/check:", "green"),
    "tolerated": Look(N_("old, still counted"), "…", ":material/schedule:", "orange"),
    "dropped": Look(N_("too old, left out"), "✕", ":material/close:", "red"),
    "short": Look(N_("too few days yet"), "◌", ":material/hourglass_empty:", "gray"),
    "no_key": Look(NO_KEY, "–", ":material/key:", "gray"),
    "absent": Look(N_("not collected"), "○", ":material/radio_button_unchecked:", "gray"),
    "proxy": Look(N_("proxy, never scored"), "◇", ":material/info:", "gray"),
}
# Of a module: why it is not in the index.
ABSENCE: Mapping[str, str] = {
    "missing": N_("no fresh inputs"),
    "no_key": N_("no FRED key"),
    "warming": N_("warming up"),
    "off": N_("off"),
}
SETS: Mapping[str, Look] = {
    "full": Look(N_("full set"), "✓", ":material/check:", "green"),
    "partial": Look(N_("partial set"), "△", ":material/warning:", "orange"),
    "limited": Look(N_("limited set"), "△", ":material/warning:", "orange"),
}
# The event windows of `validation.EVENTS` as they are called.
EVENT_NAMES: Mapping[str, str] = {
    "bnp_quant": N_("BNP, quants"),
    "bear_stearns": N_("Bear Stearns"),
    "lehman": N_("Lehman"),
    "early_2009": N_("Early 2009"),
    "flash_crash": N_("Flash crash"),
    "downgrade": N_("US downgrade"),
    "china": N_("China"),
    "early_2016": N_("Early 2016"),
    "volatility": N_("Volatility"),
    "december_2018": N_("Dec 2018"),
    "repo": N_("Repo spike"),
    "covid": N_("Covid"),
}

_MODULES = {module.name: module.title for module in MODULES}
_INPUTS = {one.name: one.title for one in INPUTS}


def band_of(row: "pd.Series[Any]") -> Look:
    """How the band of a day looks."""
    name = row["band"]
    return BANDS.get(name, NO_BAND) if isinstance(name, str) else NO_BAND


def module_title(name: str) -> str:
    """A module as a person calls it."""
    return _(_MODULES[name]) if name in _MODULES else name


def title(name: str) -> str:
    """An input or a module as a person calls it; empty for the whole index."""
    return _(_INPUTS[name]) if name in _INPUTS else module_title(name)


def newest(record: Record) -> "pd.Series[Any]":
    """The newest day. Raises IndexError where there is none."""
    return record.days.iloc[-1]


def indexed(days: pd.DataFrame) -> pd.DataFrame:
    """The days that have an index."""
    return days[days["index"].notna()]


def modules_of(record: Record, day: pd.Timestamp) -> pd.DataFrame:
    """The modules of one day in their fixed order, by name; NaN where the day does not have one."""
    rows = record.modules[record.modules["date"] == day].drop_duplicates("module").set_index("module")
    return rows.reindex(list(_MODULES))


def keyless(record: Record) -> list[str]:
    """The modules that want a FRED key, in order."""
    if record.days.empty:
        return []
    status = modules_of(record, record.days["date"].iloc[-1])["status"]
    return [str(name) for name in status.index[status == "no_key"]]
