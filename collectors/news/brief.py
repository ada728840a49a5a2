"""The morning brief: plain sentences out of what is stored, in a fixed order, each with its row.

Pure: the same material gives the same sentences. A number is written out here, since its digits are part of
what is said; words are ids, since a sentence is read in two languages.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from collectors.news import sentences as said
from collectors.news.mentions import COIN
from collectors.news.topics import MODULE_TOPICS
from collectors.stress.inputs import MODULES
from storage.clauses import Clause, word

if TYPE_CHECKING:
    from storage.news import Material

DRIVERS, LEAST_MOVE, MOST_TOLD, MOST_LATE = 3, 0.05, 3, 3
_TITLES = {module.name: module.title for module in MODULES}
_BITCOIN = "bitcoin"

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Behind:
    """A source whose newest period is out and not stored; `stored`: None where nothing is."""

    source: str
    table: str
    stored: date | None


def clauses(given: "Material", behind: Sequence[Behind] = ()) -> list[Clause]:
    """The sentences of the brief: stress, crypto, the stories about what moved, and the state of the data."""
    moved = drivers(given)
    extremes = movers(given.coins)
    return [
        *_stress(given, moved),
        *_crypto(given, extremes),
        *_stories(given, moved, extremes),
        *_data(given, behind),
    ]


# ---------------------------------------------------------------- stress


def drivers(given: "Material") -> list[Row]:
    """The three modules that moved the index most; where none did, those that add most to it."""
    there = [row for row in given.modules if row["status"] == "valid"]
    moved = [row for row in given.modules if abs(row["move"] or 0.0) >= LEAST_MOVE]
    by, rows = ("move", moved) if moved else ("contribution", there)
    return sorted(rows, key=lambda row: (-abs(row[by] or 0.0), row["module"]))[:DRIVERS]


def _stress(given: "Material", moved: Sequence[Row]) -> Iterator[Clause]:
    index = given.index
    if index is None:
        yield Clause("stress", said.NO_INDEX, table="stress_index")
        return
    key = {"date": index["date"].isoformat()}

    def of_index(message: str, **values: object) -> Clause:
        return Clause("stress", message, values, "stress_index", key)

    level = {"index": f"{index['index']:.1f}", "day": key["date"]}
    if index["percentile"] is None or not index["band"]:
        yield of_index(said.LEVEL_ALONE, **level)
    else:
        yield of_index(said.LEVEL, **level, band=word(index["band"]), percentile=_rank(index["percentile"]))
    if index["move"] is not None:
        yield of_index(said.MOVE, points=signed(index["move"]))
    for row in moved:
        by = "move" if abs(row["move"] or 0.0) >= LEAST_MOVE else "contribution"
        values = {
            "module": _module(row),
            "points": signed(row[by] or 0.0),
            "score": "–" if row["score"] is None else f"{row['score']:.0f}",
        }
        message = said.DRIVER if by == "move" else said.PART
        yield Clause("stress", message, values, "stress_module", {**key, "module": row["module"]})
    if abs(index["coverage_effect"] or 0.0) >= LEAST_MOVE:
        yield of_index(said.COVERAGE, points=signed(index["coverage_effect"]))
    if index["set_label"] not in (None, "full"):
        yield of_index(
            said.SET, coverage=f"{100 * (index['coverage'] or 0.0):.0f}", label=word(index["set_label"])
        )


# ---------------------------------------------------------------- crypto


def movers(coins: Sequence[Row]) -> list[tuple[str, Row]]:
    """(message, coin) of the largest rise and the largest fall of a day, Bitcoin aside."""
    known = [row for row in coins if row["change_24h"] is not None and row["coin"] != _BITCOIN]
    ranked = sorted(known, key=lambda row: (-row["change_24h"], row["coin"]))
    rise = [(said.RISE, row) for row in ranked[:1] if row["change_24h"] > 0]
    return rise + [(said.FALL, row) for row in ranked[-1:] if row["change_24h"] < 0]


def _crypto(given: "Material", extremes: Sequence[tuple[str, Row]]) -> Iterator[Clause]:
    if not given.coins:
        yield Clause("crypto", said.NO_CRYPTO, table="crypto_price")
    for row in given.coins:
        if row["coin"] == _BITCOIN:
            values = {
                "price": price(row["price"]),
                "day": row["date"].isoformat(),
                "change": _percent(row["change_24h"]),
                "week": _percent(row["change_7d"]),
            }
            yield _of_coin(said.BITCOIN, row, values)
    for message, row in extremes:
        yield _of_coin(message, row, {"name": row["name"], "change": _percent(row["change_24h"])})
    yield from _metric(given, said.DOMINANCE, "coingecko.btc_dominance", 1.0, ".1f")
    yield from _metric(given, said.TVL, "defillama.total_tvl", 1e-9, ",.1f", relative=True)
    yield from _metric(given, said.MOOD, "alternative_me.fear_greed_index", 1.0, ".0f")


def _of_coin(message: str, row: Row, values: Mapping[str, object]) -> Clause:
    key = {"coin": row["coin"], "date": row["date"].isoformat()}
    return Clause("crypto", message, values, "crypto_price", key)


def _metric(
    given: "Material", message: str, series: str, scale: float, shape: str, relative: bool = False
) -> Iterator[Clause]:
    """A value against the one before it: in units of its own, or in percent."""
    rows = given.metrics.get(series, ())
    if len(rows) < 2:
        return
    now, before = rows[0]["value"], rows[1]["value"]
    if relative:
        change = _percent(100 * (now / before - 1) if before else None)
    else:
        change = signed(scale * (now - before), 0 if shape == ".0f" else 1)
    values = {"value": format(scale * now, shape), "change": change, "before": rows[1]["date"].isoformat()}
    label = {"label": word(rows[0]["note"] or "–")} if message == said.MOOD else {}
    key = {"series": series, "date": rows[0]["date"].isoformat()}
    yield Clause("crypto", message, {**values, **label}, "observation", key)


# ---------------------------------------------------------------- stories


def _stories(
    given: "Material", moved: Sequence[Row], extremes: Sequence[tuple[str, Row]]
) -> Iterator[Clause]:
    """One story for each thing that moved, each story once; then those that most outlets told."""
    used: set[str] = set()
    wanted: list[tuple[object, tuple[str, ...], str]] = [
        (_module(row), MODULE_TOPICS.get(row["module"], ()), "") for row in moved
    ]
    coins = [row for row in given.coins if row["coin"] == _BITCOIN] + [row for _message, row in extremes]
    wanted += [(row["name"], (), f"{COIN}{row['coin']}") for row in coins]
    for what, about, named in wanted:
        row = _nearest([row for row in given.stories if row["story"] not in used], about, named)
        if row is not None:
            used.add(row["story"])
            yield _told(said.ABOUT_TOLD if row["outlets"] > 1 else said.ABOUT, row, what=what)
    if wanted and not used:
        yield Clause("stories", said.NO_STORY, table="news_item")
    left = [row for row in given.stories if row["outlets"] > 1 and row["story"] not in used]
    yield from (_told(said.MOST, row) for row in left[:MOST_TOLD])


def _nearest(stories: Sequence[Row], about: Sequence[str], named: str) -> Row | None:
    """The largest story that names it; else that of the first topic which has one."""
    for row in stories:
        if named and named in (row["mentions"] or "").split():
            return row
    for topic in about:
        for row in stories:
            if topic in (row["topics"] or "").split():
                return row
    return None


def _told(message: str, row: Row, **values: object) -> Clause:
    told = {"title": row["title"], "outlet": row["outlet"] or "–", **values}
    if message != said.ABOUT:
        told["others"] = str(row["outlets"] - 1)
    return Clause("stories", message, told, "news_item", {"id": row["id"]}, row["link"])


# ---------------------------------------------------------------- the state of the data


def _data(given: "Material", behind: Sequence[Behind]) -> Iterator[Clause]:
    index, coin = given.index, next(iter(given.coins), None)
    if index is not None and index["provisional"]:
        day = index["date"].isoformat()
        yield Clause("data", said.OPEN_INDEX, {"day": day}, "stress_index", {"date": day})
    if coin is not None and coin["provisional"]:
        day = coin["date"].isoformat()
        yield Clause(
            "data", said.OPEN_CRYPTO, {"day": day}, "crypto_price", {"coin": coin["coin"], "date": day}
        )
    if given.undated:
        yield Clause("data", said.UNDATED, {"n": str(given.undated)}, "news_item")
    if given.missed:
        days = ", ".join(day.isoformat() for day in given.missed)
        yield Clause(
            "data", said.MISSED, {"days": days}, "crypto_price", {"date": given.missed[-1].isoformat()}
        )
    for one in behind[:MOST_LATE]:
        if one.stored is None:
            yield Clause("data", said.NEVER, {"source": one.source}, one.table)
        else:
            yield Clause("data", said.LATE, {"source": one.source, "day": one.stored.isoformat()}, one.table)
    if len(behind) > MOST_LATE:
        yield Clause("data", said.MORE, {"n": str(len(behind) - MOST_LATE)})
    if not behind and not given.missed and index is not None and coin is not None:
        yield Clause("data", said.COMPLETE)


# ---------------------------------------------------------------- words and numbers


def _module(row: Row) -> dict[str, str]:
    return word(_TITLES.get(str(row["module"]), str(row["module"])))


def signed(value: float, digits: int = 1) -> str:
    """ "+1.3", "−0.4", "0.0": nothing that rounds to zero has a sign."""
    text = f"{value:+.{digits}f}"
    return text[1:] if not float(text) else text.replace("-", "−")


def _percent(value: float | None) -> str:
    return "–" if value is None else signed(value)


def _rank(percentile: float) -> str:
    """Rounded down, as on the pages: never a percentile that was not reached."""
    return str(int(percentile))


def price(value: float | None) -> str:
    """USD: whole ones from a thousand on, four digits that count below."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
