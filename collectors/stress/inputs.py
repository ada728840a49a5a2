"""What the StressIndex is made of: its inputs, modules, weights and cut-offs, as data.

A change of anything in this file that moves a number changes `WEIGHTS_VERSION`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from storage.texts import N_

WEIGHTS_VERSION = "2026.1"

Join = Literal["level", "difference", "ratio", "first"]
Shape = Literal["level", "mean", "median", "deviation", "log_deviation", "drawdown"]


@dataclass(frozen=True, slots=True)
class Input:
    """One input: which series it is made of, and what is done to them before they are ranked.

    `series` are names in the store; `join` makes one series of them on their common days (`first`: the
    first that has the day). The joined values are multiplied by `scale` before the mean and after
    every other shape. `window` counts the input's own observations. `needs` is how many values the
    expanding ECDF must hold before it is believed. `anchored` inputs are ranked against the frozen
    table of `anchors.py`. A `proxy` is shown in its module and never scored.
    """

    name: str
    title: str
    module: str
    series: tuple[str, ...]
    unit: str
    join: Join = "level"
    shape: Shape = "level"
    window: int = 1
    scale: float = 1.0
    weight: float = 1.0
    needs: int = 504
    anchored: bool = False
    proxy: bool = False


@dataclass(frozen=True, slots=True)
class Module:
    """Inputs that tell of the same thing. `weight` is in points of the full index's 100.

    Valid where at least half of the weight of its inputs is fresh; with `any_input` one is enough;
    `required` names an input without which it never is.
    """

    name: str
    title: str
    weight: float
    any_input: bool = False
    required: str | None = None
    text: bool = False


MODULES: tuple[Module, ...] = (
    Module("credit", N_("Credit"), 27.0),
    Module("funding", N_("Funding"), 13.5, any_input=True),
    Module("treasury", N_("Treasuries"), 9.0),
    Module("volatility", N_("Volatility"), 22.5, required="vix"),
    Module("etf", N_("ETF stress"), 18.0),
    Module("news", N_("News"), 7.0, text=True),
    Module("fed", N_("Fed speeches"), 3.0, text=True),
)
MARKET: tuple[Module, ...] = tuple(module for module in MODULES if not module.text)
MARKET_WEIGHT = sum(module.weight for module in MARKET)
# Without one of these the market itself is not in the index.
CORE = ("credit", "volatility", "etf")
LEAST_WEIGHT = 36.0
LEAST_MODULES = 2
# Text together has at most this share of what the index is made of on a day.
TEXT_SHARE = 0.1

CALENDAR = "yahoo.SPY.adjusted"
FIRST_DAY = date(1993, 1, 29)
PERCENTILE_FROM = date(2003, 1, 1)
PERCENTILE_NEEDS = 504

# How many rows an observation may be carried; past FRESH_ROWS it is marked.
CARRIED_ROWS = 5
FRESH_ROWS = 3

BANDS = (N_("Calm"), N_("Watch"), N_("Stress"), N_("Crisis"))
# The percentile at which each band above Calm begins.
CUT_OFFS = (60, 80, 95)
# A band is left after this many closes that lie this far (index points) below its level.
CALM_CLOSES = 3
CALM_POINTS = 3.0

# Share of the market weight from which a set of modules is called so, largest first.
SETS = ((0.90, N_("full")), (0.60, N_("partial")), (0.40, N_("limited")))


def _ratio(name: str, title: str, risky: str, safe: str) -> Input:
    series = (f"yahoo.{risky}.adjusted", f"yahoo.{safe}.adjusted")
    return Input(name, title, "etf", series, N_("fraction"), "ratio", "drawdown", 252)


INPUTS: tuple[Input, ...] = (
    Input("baa10y", N_("Baa − 10-year"), "credit", ("fred.BAA10Y",), N_("pp")),
    Input("baa_aaa", N_("Baa − Aaa"), "credit", ("fred.DBAA", "fred.DAAA"), N_("pp"), "difference"),
    Input("hy_oas", N_("High-yield OAS"), "credit", ("fred.BAMLH0A0HYM2",), N_("pp"), anchored=True),
    Input(
        "sofr_effr", N_("SOFR − EFFR"), "funding", ("fred.SOFR", "fred.EFFR"), N_("bp"),
        "difference", "mean", 5, scale=100.0, needs=252,
    ),
    Input(
        "cp_bill", N_("Financial CP − 3-month bill"), "funding", ("fred.DCPF3M", "fred.DTB3"), N_("pp"),
        "difference", "median", 5,
    ),
    Input(
        "effr_bill", N_("EFFR − 3-month bill"), "funding", ("fred.DFF", "fred.DGS3MO"), N_("pp"),
        "difference", "mean", 5, weight=0.5,
    ),
    Input(
        "dgs10_vol", N_("10-year yield volatility"), "treasury", ("fred.DGS10",), N_("bp a year"),
        shape="deviation", window=21, scale=100.0,
    ),
    Input(
        "dgs2_vol", N_("2-year yield volatility"), "treasury", ("fred.DGS2",), N_("bp a year"),
        shape="deviation", window=21, scale=100.0,
    ),
    Input("move", N_("MOVE (proxy)"), "treasury", ("yahoo.^MOVE",), N_("points"), proxy=True),
    Input(
        "tlt_vol", N_("TLT volatility (proxy)"), "treasury", ("yahoo.TLT.adjusted",), N_("% a year"),
        shape="log_deviation", window=21, scale=100.0, proxy=True,
    ),
    Input("vix", N_("VIX"), "volatility", ("yahoo.^VIX", "fred.VIXCLS"), N_("points"), "first"),
    Input(
        "spy_vol", N_("SPY realised volatility"), "volatility", (CALENDAR,), N_("% a year"),
        shape="log_deviation", window=21, scale=100.0,
    ),
    Input(
        "spy_drawdown", N_("SPY drawdown"), "volatility", (CALENDAR,), N_("fraction"),
        shape="drawdown", window=252,
    ),
    _ratio("hyg_iei", N_("HYG / IEI drawdown"), "HYG", "IEI"),
    _ratio("lqd_ief", N_("LQD / IEF drawdown"), "LQD", "IEF"),
    _ratio("emb_ief", N_("EMB / IEF drawdown"), "EMB", "IEF"),
    _ratio("bkln_bil", N_("BKLN / BIL drawdown"), "BKLN", "BIL"),
    _ratio("xlf_spy", N_("XLF / SPY drawdown"), "XLF", "SPY"),
    Input("news", N_("News stress"), "news", ("text.news",), N_("score"), needs=60),
    Input("fed", N_("Fed stability concern"), "fed", ("text.fed",), N_("score"), needs=60),
)  # fmt: skip

# Shown on the page, never scored: name of the series, what it is, its unit.
SHOWN: tuple[tuple[str, str, str], ...] = (
    ("fred.WALCL", N_("Federal Reserve assets"), N_("millions of USD")),
    ("fred.WTREGEN", N_("Treasury General Account"), N_("millions of USD")),
    ("fred.RRPONTSYD", N_("Overnight reverse repo"), N_("billions of USD")),
    ("fred.WRESBAL", N_("Reserve balances"), N_("millions of USD")),
    ("fred.RPONTSYD", N_("Overnight repo"), N_("billions of USD")),
    ("fred.WLCFLPCL", N_("Discount window"), N_("millions of USD")),
    ("fred.T10Y3M", N_("10-year − 3-month"), N_("pp")),
    ("fred.NFCI", N_("Chicago Fed NFCI"), N_("index")),
    ("fred.STLFSI4", N_("St. Louis Fed STLFSI4"), N_("index")),
    ("ofr.fsi", N_("OFR FSI"), N_("index")),
)


def by_name(name: str) -> Input:
    """The input of that name. Raises KeyError."""
    for one in INPUTS:
        if one.name == name:
            return one
    raise KeyError(name)
