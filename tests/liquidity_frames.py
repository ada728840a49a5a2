"""An invented record of the liquidity pipeline: six years of frames in the shape that the page is given.

Every identity of the index holds in it (contributions sum to index − 50, moves to the day's change),
so that what a chart shows can be checked against it.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from collectors.stress.inputs import BANDS, CUT_OFFS, INPUTS, MODULES, SHOWN
from storage import clock, read_liquidity
from storage.db import StoreError
from storage.read_liquidity import Liquidity
from storage.read_revisions import Revised, Series

KEYLESS = ("credit", "funding", "treasury")
SEEN = pd.Timestamp("2026-11-20 21:01", tz="UTC")
SEEN_TYPE = "datetime64[us, UTC]"
PROVENANCE = {"source": "stress", "run_id": "run-7", "observed_at": SEEN}
# Ranges in which the raw values of an input lie, by its unit.
_SPAN = {"pp": (0.4, 3.0), "bp": (-6, 22), "bp a year": (40, 160), "points": (11, 48), "% a year": (6, 55)}


def _wandering(days: int, seed: int, keep: float = 0.985) -> np.ndarray:
    """A path between 0 and 1 that remembers where it was."""
    noise = np.random.default_rng(seed).normal(size=days)
    path = np.zeros(days)
    for n in range(1, days):
        path[n] = keep * path[n - 1] + noise[n]
    return 1 / (1 + np.exp(-path / 5))


def _ranks(days: int) -> dict[str, np.ndarray]:
    """Percentiles by input, half of each of them the market's."""
    common = _wandering(days, 1)
    ranks = {}
    for n, one in enumerate(INPUTS):
        mixed = 0.6 * common + 0.4 * _wandering(days, n + 2, 0.95)
        ranks[one.name] = np.clip(100 * (mixed - 0.15) / 0.7, 0.2, 99.8)
    return ranks


def _modules(index: pd.DatetimeIndex, ranks: dict[str, np.ndarray], off: tuple[str, ...]) -> pd.DataFrame:
    frames = []
    valid = [module for module in MODULES if module.name not in off]
    whole = sum(module.weight for module in valid)
    for module in MODULES:
        scored = [one for one in INPUTS if one.module == module.name and not one.proxy]
        weights = np.array([one.weight for one in scored])
        score = np.average([ranks[one.name] for one in scored], axis=0, weights=weights)
        weight = module.weight / whole
        if module.name in off:
            score, weight = np.full(len(index), np.nan), 0.0
        points = np.nan_to_num(weight * (score - 50))
        move = np.diff(points, prepend=np.nan)
        status = "valid" if module.name not in off else "no_key" if module.name in KEYLESS else "warming"
        frames.append(
            pd.DataFrame(
                {"date": index, "module": module.name, "score": score, "weight": weight}
                | {"contribution": points, "move": move, "status": status}
            )
        )
    return pd.concat(frames, ignore_index=True).sort_values(["date", "module"], ignore_index=True)


def _days(index: pd.DatetimeIndex, modules: pd.DataFrame, off: tuple[str, ...]) -> pd.DataFrame:
    level = 50 + modules.groupby("date")["contribution"].sum()
    rank = level.rank(pct=True).to_numpy() * 100
    weight = sum(module.weight for module in MODULES if module.name not in off and not module.text)
    label = "full" if weight >= 81 else "partial" if weight >= 54 else "limited"
    published = np.arange(len(index)) >= len(index) - 25
    band = [BANDS[int(np.searchsorted(CUT_OFFS, one, "right"))] for one in rank]
    frame = pd.DataFrame(
        {
            "date": index,
            "index": level.to_numpy(),
            "index_market_only": level.to_numpy() + 0.4,
            "percentile": rank,
            "band": pd.Series(band, dtype=object),
            "coverage": weight / 90,
            "set_label": label,
            "move": level.diff().to_numpy(),
            "coverage_effect": [np.nan, *[0.0] * (len(index) - 1)],
            "alerts": [[] for _day in index],
            "published": published,
            "first_index": np.where(published, level, np.nan),
            "first_percentile": np.where(published, rank, np.nan),
            "first_seen": pd.Series([SEEN if one else pd.NaT for one in published]).astype(SEEN_TYPE),
            "weights_version": "2026.1",
            "lexicon_version": "2026.1",
        }
    )  # fmt: skip
    return frame.assign(**PROVENANCE, provisional=False)


def _inputs(day: pd.Timestamp, ranks: dict[str, np.ndarray], modules: pd.DataFrame) -> pd.DataFrame:
    weight = modules[modules["date"] == day].set_index("module")["weight"]
    status = modules[modules["date"] == day].set_index("module")["status"]
    rows = []
    for one in INPUTS:
        rank = float(ranks[one.name][-1])
        low, high = _SPAN.get(one.unit, (0, 0.2) if one.unit == "fraction" else (0, 100))
        scored = sum(other.weight for other in INPUTS if other.module == one.module and not other.proxy)
        share = 0.0 if one.proxy else float(weight[one.module]) * one.weight / scored
        state = "no_key" if status[one.module] == "no_key" else "short" if share == 0 else "fresh"
        state = "proxy" if one.proxy else state
        known = state in ("fresh", "proxy")
        rows.append(
            {"date": day, "input": one.name, "module": one.module}
            | {"raw": low + (high - low) * rank / 100 if known else np.nan}
            | {"percentile": rank if known else np.nan, "as_of": day if known else pd.NaT, "age": 0}
            | {"status": state, "weight": share, "contribution": share * (rank - 50) if share else np.nan}
        )
    return pd.DataFrame(rows).assign(**PROVENANCE)


def _long(index: pd.DatetimeIndex, ranks: dict[str, np.ndarray], off: tuple[str, ...]) -> pd.DataFrame:
    held = [one for one in INPUTS if one.module not in off or one.proxy]
    frames = [
        pd.DataFrame({"date": index, "input": one.name, "raw": ranks[one.name] / 10 + 1})
        .assign(percentile=ranks[one.name])
        .iloc[400 if one.name == "sofr_effr" else 0 :]
        for one in held
    ]
    return pd.concat(frames, ignore_index=True)


def _shown(index: pd.DatetimeIndex, keyless: bool) -> pd.DataFrame:
    """WALCL 6.6 million millions, WTREGEN 0.85, RRPONTSYD some billions; the rest around 0."""
    weekly = {"fred.WALCL", "fred.WTREGEN", "fred.WRESBAL", "fred.WLCFLPCL", "fred.NFCI", "fred.STLFSI4"}
    base = {"fred.WALCL": 6.6e6, "fred.WTREGEN": 8.5e5, "fred.RRPONTSYD": 12.0, "fred.WRESBAL": 3.0e6}
    base |= {"fred.RPONTSYD": 2.5, "fred.WLCFLPCL": 5.0e3}
    frames = []
    for n, (name, _title, _unit) in enumerate(SHOWN):
        if keyless and name != "ofr.fsi":
            continue
        days = index[index.day_of_week == 2] if name in weekly else index
        path = _wandering(len(days), 90 + n)
        value = base[name] * (0.95 + 0.1 * path) if name in base else 4 * (path - 0.55)
        frames.append(pd.DataFrame({"series": name, "date": days, "value": value, "note": None}))
    frame = pd.concat(frames, ignore_index=True)
    return frame.assign(source=frame["series"], run_id="run-7", observed_at=SEEN, provisional=False)


def speeches(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Speeches from what differs between them, newest first."""
    usual = {"feed": "speeches", "speaker": "Jefferson", "words": 2100, "stance": 0.2}
    usual |= {"tone": 0.8, "title": "Economic outlook", "link": "https://www.federalreserve.gov/a.htm"}
    usual |= {"source": "federalreserve.speeches", "run_id": "run-7", "observed_at": SEEN}
    found = [usual | {"id": str(n)} | row for n, row in enumerate(rows)]
    return pd.DataFrame(found, columns=[*usual, "id", "published_at"])


def headlines(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Headlines from what differs between them, newest first."""
    usual = {"feed": "cnbc-markets", "title": "Repo rates jump", "link": "https://news.example/a"}
    usual |= {"topics": "funding", "tone": -1.0}
    found = [usual | {"id": str(n)} | row for n, row in enumerate(rows)]
    return pd.DataFrame(found, columns=[*usual, "id", "published_at"])


def _texts(day: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    noon = (day + pd.Timedelta(hours=15)).tz_localize("UTC")
    names = ("Jefferson", "Bowman", "Waller", "Cook", "Barr")
    topics = ("Financial stability in uneven times", "The economic outlook", "Payments and prices")
    tones, stances = _wandering(40, 70, 0.7), _wandering(40, 71, 0.8)
    spoken = [
        {"published_at": noon - pd.Timedelta(days=6 * n), "speaker": names[n % 5], "title": topics[n % 3]}
        | {"tone": 3 * tones[n] - 1, "stance": 2 * stances[n] - 1 if n % 7 else np.nan}
        for n in range(40)
    ]
    said = ("Repo rates jump as quarter end nears", "Junk-bond spreads widen for a fifth day",
            "Regional lender seeks emergency funding", "Treasury auction draws weak demand")  # fmt: skip
    about = ("funding", "credit", "bank funding", "treasury")
    written = [
        {"published_at": noon - pd.Timedelta(hours=5 * n), "title": said[n % 4], "topics": about[n % 4]}
        | {"feed": ("cnbc-markets", "yna-economy")[n % 2], "tone": -1.0 + n % 3}
        for n in range(30)
    ]
    return speeches(spoken), headlines(written)


def _described(shown: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {"series": name, "title": title, "unit": unit, "frequency": "weekly", "upstream": name.split(".")[0]}
        | {"url": "https://fred.stlouisfed.org", "licence": "public", "source": name}
        | {"restates": name in ("fred.NFCI", "fred.STLFSI4", "ofr.fsi")}
        for name, title, unit in SHOWN
        if name in set(shown["series"])
    ]
    return pd.DataFrame(rows)


def record(
    *, years: float = 6.0, end: date = date(2026, 11, 20), limited: bool = False, provisional: bool = False,
    alerts: list[list[object]] | None = None,
) -> Liquidity:  # fmt: skip
    """A record that ends with the last weekday up to `end`; `limited`: as it is without a FRED key."""
    last = pd.Timestamp(end)
    index = pd.bdate_range(last - timedelta(days=round(365.25 * years)), last).astype("datetime64[us]")
    off = (*KEYLESS, "news") if limited else ()
    ranks = _ranks(len(index))
    modules = _modules(index, ranks, off)
    days = _days(index, modules, off)
    days.loc[days.index[-1], "provisional"] = provisional
    if alerts:
        days.at[days.index[-1], "alerts"] = alerts
    long = _long(index, ranks, off)
    friday = long["date"] + pd.to_timedelta((4 - long["date"].dt.day_of_week) % 7, unit="D")
    heat = long.assign(date=friday).groupby(["date", "input"], as_index=False)["percentile"].mean()
    shown = _shown(index, limited)
    spoken, written = _texts(index[-1])
    none = pd.DataFrame(
        {name: [] for name in ("table_name", "key", "known_at", "replaced", "source", "run_id")}
    )
    return Liquidity(
        days, modules, _inputs(index[-1], ranks, modules), long[long["date"] >= index[-90:][0]], heat, shown,
        _described(shown), spoken, written, none, clock.now(),
    )  # fmt: skip


def nothing(problem: StoreError | None = None) -> Liquidity:
    """What is read from a store that never held a row of liquidity."""
    return replace(read_liquidity.nothing(), problem=problem)


def series(record: Liquidity, _settings: object, name: str, instant: datetime | None) -> Series:
    """A shown series of the record; as of an instant the days up to it, each a tenth more than by now."""
    today = record.shown[record.shown["series"] == name].reset_index(drop=True)
    if instant is None:
        return Series(today, today)
    then = today[today["date"] < pd.Timestamp(instant.date())]
    return Series(today, then.assign(value=then["value"] * 1.1))


def revised() -> Revised:
    """A value that FRED revised twice, one of long ago, a corrected day of the index, and one vintage."""
    now = pd.Timestamp(clock.now())
    day = pd.Timedelta(days=1)
    rows = [
        ("observation", "fred", "fred.SOFR", 4.1, 4.0, 3, 2),
        ("stress_index", "stress_index", "stress_index", 41.2, 41.6, 4, 3),
        ("observation", "fred", "fred.SOFR", 3.9, 4.1, 5, 4),
        ("observation", "fred", "fred.DGS2", 3.5, 3.6, 300, 200),
    ]
    names = ["table_name", "upstream", "series", "old", "new", "known_at", "replaced_at"]
    single = pd.DataFrame(rows, columns=names)
    single = single.assign(
        date=now.tz_localize(None).normalize() - 9 * day,
        change=single["new"] - single["old"],
        known_at=now - single["known_at"] * day,
        replaced_at=now - single["replaced_at"] * day,
        final=True,
        old_run="run-6",
        new_run="run-7",
    )
    vintage = {
        "upstream": "fred",
        "series": "fred.STLFSI4",
        "vintage": now - 9 * day,
        "replaced_at": now - 2 * day,
    }
    vintage |= {"changed": 1513, "held": 1514, "largest": 0.54, "run_id": "run-6"}
    days = {"first": pd.Timestamp("1993-12-31"), "last": pd.Timestamp("2026-11-06")}
    return Revised(single, pd.DataFrame([vintage | days]), clock.now())
