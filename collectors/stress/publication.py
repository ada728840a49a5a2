"""What is published of a computation, as rows of the stress tables: the newest days, and the whole past.

What was published stays: a day is published once it is the newest or newer than the last that was, is
corrected for two weeks, and everything older is history, computed later and kept apart.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from collectors.stress import alerts, explain, regime
from collectors.stress.index import Replay
from collectors.stress.inputs import FRESH_ROWS, INPUTS, MODULES, WEIGHTS_VERSION
from collectors.stress.lexicon import LEXICON_VERSION

# So long do values of a published day come in late or are revised.
CORRECTED_ROWS = 10
# A day that is computed later than that was not published on its day: it is history.
LATE_ROWS = 5

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Computed:
    """A replay with what explains it. `lacking`: inputs that cannot be collected without a key."""

    found: Replay
    lacking: frozenset[str]
    weights: Any
    by_module: Any
    coverage_effect: Any

    @classmethod
    def of(cls, found: Replay, lacking: frozenset[str] = frozenset()) -> "Computed":
        return cls(found, lacking, explain.input_weights(found), *explain.moves(found))


def rows_to_publish(found: Replay, published: Sequence[tuple[date, str | None]]) -> list[int]:
    """Rows that are published now, `published` being the days that were, with the names of their sets:
    the newest one at first; later those of the last days that are newer than the last published, and of
    those published before the ones that may still be corrected. What was published of another set of
    modules was not wrong, it was another index: it stays."""
    there = np.flatnonzero(~np.isnan(found.index))
    if not len(there):
        return []
    if not published:
        return [int(there[-1])]
    last = published[-1][0].toordinal()
    sets = {day.toordinal(): label for day, label in published[-CORRECTED_ROWS:]}
    new = [int(row) for row in there[-LATE_ROWS:] if found.days[row] > last]
    known = [int(row) for row in there if int(found.days[row]) in sets]
    same = [
        row for row in known if sets[int(found.days[row])] == regime.set_label(float(found.coverage[row]))
    ]
    return same + new


# ---------------------------------------------------------------- as columns, of any rows


def index_columns(one: Computed, rows: Any) -> Columns:
    """Columns of `stress_replay` and, without what is written once, of `stress_index`."""
    found, standing = one.found, one.found.standing
    labels = [regime.set_label(float(share)) or "" for share in found.coverage[rows]]
    text = [json.dumps([list(alert) for alert in alerts.alerts(found, int(row))]) for row in rows]
    return {
        "date": found.days[rows],
        "index": found.index[rows],
        "index_market_only": found.market_only[rows],
        "percentile": standing.percentile[rows],
        "band": _words([regime.band_name(int(band)) or "" for band in standing.band[rows]]),
        "coverage": found.coverage[rows],
        "set_label": _words(labels),
        "move": one.by_module[rows].sum(axis=1) + one.coverage_effect[rows],
        "coverage_effect": one.coverage_effect[rows],
        "alerts": _words(text),
        "weights_version": _words([WEIGHTS_VERSION] * len(rows)),
        "lexicon_version": _words([LEXICON_VERSION] * len(rows)),
    }


def module_columns(one: Computed, rows: Any) -> Columns:
    """Columns of the module tables: one row for every module of a day."""
    found = one.found
    n, m = len(rows), len(MODULES)
    contributions = explain.contributions(found)[rows]
    return {
        "date": np.repeat(found.days[rows], m),
        "module": _words([module.name for module in MODULES] * n),
        "score": found.score[rows].ravel(),
        "weight": found.weight[rows].ravel(),
        "contribution": contributions.ravel(),
        "move": one.by_module[rows].ravel(),
        "status": _words(_module_words(one, rows)),
    }


def _module_words(one: Computed, rows: Any) -> list[str]:
    found = one.found
    scored = [(k, part) for k, part in enumerate(found.inputs) if not part.proxy]
    there = {module.name: [k for k, part in scored if part.module == module.name] for module in MODULES}
    lacking = {
        module.name
        for module in MODULES
        if any(by.name in one.lacking for by in INPUTS if by.module == module.name)
    }
    words = []
    for row in rows:
        for m, module in enumerate(MODULES):
            columns = there[module.name]
            if found.weight[row, m] > 0 or not np.isnan(found.score[row, m]):
                words.append("valid")
            elif module.name in lacking and np.isnan(found.raw[row, columns]).all():
                words.append("no_key")
            elif columns and not np.isnan(found.raw[row, columns]).all():
                words.append("warming")
            else:
                words.append("missing")
    return words


def input_columns(one: Computed, rows: Any) -> Columns:
    """Columns of the input tables: one row for every input of a day that has a value or once had one."""
    found = one.found
    names = [part.name for part in found.inputs]
    n, k = len(rows), len(names)
    status = _status(one, rows)
    weights = one.weights[rows]
    columns: dict[str, Any] = {
        "date": np.repeat(found.days[rows], k),
        "input": _words(names * n),
        "module": _words([part.module for part in found.inputs] * n),
        "raw": found.raw[rows].ravel(),
        "percentile": 100 * found.rank[rows].ravel(),
        "as_of": found.as_of[rows].ravel(),
        "age": found.age[rows].ravel(),
        "status": status.ravel(),
        "weight": weights.ravel(),
        "contribution": np.where(
            weights > 0, weights * (100 * found.rank[rows] - explain.NEUTRAL), np.nan
        ).ravel(),
    }
    begun = columns["status"] != "absent"
    return {name: column[begun] for name, column in columns.items()}


def lacking_rows(one: Computed, rows: Any) -> list[dict[str, object]]:
    """Rows of the input tables for inputs that cannot be had without a key, or have no series yet."""
    nothing = dict.fromkeys(("raw", "percentile", "as_of", "age", "contribution"))
    return [
        {
            "date": one.found.day(int(row)),
            "input": part.name,
            "module": part.module,
            **nothing,
            "status": "no_key" if part.name in one.lacking else "absent",
            "weight": 0.0,
        }
        for row in rows
        for part in INPUTS
        if part not in one.found.inputs
    ]


def _status(one: Computed, rows: Any) -> Any:
    """fresh, tolerated, dropped (had a value once), short (too little history), proxy, absent."""
    found = one.found
    raw, rank, age = found.raw[rows], found.rank[rows], found.age[rows]
    seen = np.maximum.accumulate(found.as_of, axis=0)[rows] > 0
    words = np.where(age > FRESH_ROWS, "tolerated", "fresh").astype("U9")
    words[np.isnan(rank)] = "short"
    proxies = [k for k, part in enumerate(found.inputs) if part.proxy]
    words[:, proxies] = "proxy"
    words[np.isnan(raw)] = "dropped"
    words[~seen] = "absent"
    keyless = [k for k, part in enumerate(found.inputs) if part.name in one.lacking]
    # It had values once, and has none now, because nobody may ask for them any more.
    words[:, keyless] = np.where(np.isnan(raw[:, keyless]), "no_key", words[:, keyless])
    return words


def _words(texts: Sequence[str]) -> Any:
    return np.array(texts, dtype=object)


def as_rows(columns: Columns) -> list[dict[str, object]]:
    """Columns as dicts of Python values: NaN and day 0 become None, days dates."""
    names = list(columns)
    lists = [columns[name].tolist() for name in names]
    return [dict(zip(names, map(_value, names, row), strict=True)) for row in zip(*lists, strict=True)]


def _value(name: str, value: object) -> object:
    if name in ("date", "as_of"):
        return date.fromordinal(value) if isinstance(value, int) and value > 0 else None
    return None if value != value or value == "" else value
