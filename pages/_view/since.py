"""What changed since the last visit: the figures that were shown then against those of now.

The figures are plain JSON, since they are kept between two visits: a figure is `{"value", "day"}` and what
is said beside it, a count is a number.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from pages._view import formats, market
from pages._view.badges import plain
from pages._view.currency import USD, Currency
from pages._view.stress_record import band_of, indexed
from pages._view.tiles import COLORS, LABELS
from storage.texts import N_, _, ngettext

if TYPE_CHECKING:
    from pages._view.stress_record import Record

Figures = Mapping[str, Any]
# Runs that nobody has to look into.
_FINE = ("ok", "skipped", "cancelled")


class _Kind(NamedTuple):
    """How a figure and its change read. `bad`: a rise is neither up nor down, but trouble; `money`: in USD,
    as it is kept."""

    label: str
    value: Callable[[Any], str]
    change: Callable[[float, float], tuple[float | None, str]]
    bad: bool = False
    money: bool = False


def _percent(now: float, then: float) -> tuple[float | None, str]:
    moved = (now / then - 1) * 100 if then else None
    return moved, formats.percent(moved)


def _points(now: float, then: float) -> tuple[float | None, str]:
    return now - then, formats.points(now - then)


def _change(now: float, then: float) -> tuple[float | None, str]:
    return now - then, formats.change(now - then)


def _tenths(now: float, then: float) -> tuple[float | None, str]:
    return now - then, formats.change(now - then, 1)


_SERIES = {
    "tvl": "defillama.total_tvl",
    "dominance": "coingecko.btc_dominance",
    "mood": "alternative_me.fear_greed_index",
}
_KINDS = {
    "index": _Kind(N_("StressIndex"), formats.fixed, _tenths, bad=True),
    "bitcoin": _Kind(N_("Bitcoin"), formats.money, _percent, money=True),
    "dominance": _Kind(N_("BTC dominance"), lambda value: formats.percent(value, signed=False), _points),
    "tvl": _Kind(N_("DeFi TVL"), formats.money, _percent, money=True),
    "mood": _Kind(N_("Fear & Greed"), formats.number, _change),
}


def figures(frames: market.Frames, record: "Record", counts: Mapping[str, int]) -> dict[str, Any]:
    """What is shown now, as far as there is any, and `counts` of stories and revised values; nothing at all
    where nothing is stored."""
    found: dict[str, Any] = {}
    index = indexed(record.days)
    if not index.empty:
        row = index.iloc[-1]
        found["index"] = {**_figure(row, "index"), "word": band_of(row).word}
    prices = frames.prices
    bitcoin = prices if prices.empty else prices[prices["coin"] == "bitcoin"].dropna(subset=["price"])
    if not bitcoin.empty:
        found["bitcoin"] = _figure(bitcoin.iloc[-1], "price")
    for name, series in _SERIES.items():
        rows = market.series(frames, series)
        if not rows.empty:
            found[name] = _figure(rows.iloc[-1], "value")
            note = rows.iloc[-1]["note"]
            if name == "mood" and note in LABELS:
                found[name]["word"] = note
    found |= {name: count for name, count in counts.items() if count}
    return found


def _figure(row: "pd.Series[Any]", column: str) -> dict[str, Any]:
    return {"value": float(row[column]), "day": row["date"].date().isoformat()}


def lines(then: Figures, now: Figures, up_color: str, money: Currency = USD) -> list[str]:
    """Markdown: every figure that reads differently now, with what it was, and what came in since. Money is
    shown in `money`: what was, at the rate of its day."""
    said = [_moved(kind, then.get(name), now.get(name), up_color, money) for name, kind in _KINDS.items()]
    return [line for line in [*said, *_came(then, now)] if line]


def _moved(kind: _Kind, then: Any, now: Any, up_color: str, money: Currency) -> str:
    if not isinstance(now, Mapping):
        return ""
    new = kind.value(now["value"])
    head = f"**{plain(_(kind.label))}**"
    if not isinstance(then, Mapping) or "value" not in then:
        if kind.money:
            new = money.show(money.worth(now["value"]))
        return f"{head} {plain(_('{value}, not seen before').format(value=new))}"
    old = kind.value(then["value"])
    words = [_(one["word"]) if one.get("word") else "" for one in (then, now)]
    if (old, words[0]) == (new, words[1]):
        return ""
    values = (now["value"], then["value"])
    if kind.money and money is not USD:
        # What is shown is what is compared.
        values = (money.worth(now["value"]), money.worth(then["value"], _day(then)))
    amount, text = kind.change(*values)
    turn = formats.direction(amount)
    up, down = ("orange", "green") if kind.bad else COLORS[up_color]
    color = (down, "gray", up)[turn + 1]
    arrow = ("▼ ", "", "▲ ")[turn + 1]
    if kind.money and money is not USD:
        old, new = money.show(money.worth(then["value"], _day(then))), money.show(money.worth(now["value"]))
    # A word is told with its figure where it became another one.
    if words[0] != words[1] and all(words):
        old, new = f"{old} {words[0]}", f"{new} {words[1]}"
    return f"{head} {plain(old)} → {plain(new)} :{color}[{arrow}{plain(text)}]"


def _day(figure: Mapping[str, Any]) -> pd.Timestamp | None:
    return pd.Timestamp(figure["day"]) if "day" in figure else None


def _came(then: Figures, now: Figures) -> list[str]:
    """Stories and revised values that were not there."""
    stories, revised = (_more(then.get(name), now.get(name)) for name in ("stories", "revised"))
    said = []
    if stories:
        text = ngettext("{n} new story", "{n} new stories", stories)
        said.append(plain(text.format(n=formats.number(stories))))
    if revised:
        text = ngettext(
            "{n} stored value was revised by its source",
            "{n} stored values were revised by their sources",
            revised,
        )
        said.append(plain(text.format(n=formats.number(revised))))
    return said


def _more(then: Any, now: Any) -> int:
    known = [one if isinstance(one, int) else 0 for one in (then, now)]
    return max(0, known[1] - known[0])


def runs(states: Sequence[str]) -> str:
    """How many runs there were, and how many of them somebody should look into; empty without any."""
    if not states:
        return ""
    text = ngettext("{n} run", "{n} runs", len(states)).format(n=formats.number(len(states)))
    bad = sum(state not in _FINE for state in states)
    if bad:
        text = _("{runs}, {bad} not whole").format(runs=text, bad=formats.number(bad))
    return text
