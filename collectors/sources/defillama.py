"""DefiLlama: the value locked in all chains by day, and the thirty largest protocols of today.

USD. The total is `/v2/historicalChainTvl` (without double counting and liquid staking, as the
website shows it), never the sum of `/protocols`, which holds exchanges, chains and bridges too.
https://api-docs.defillama.com (as of 2026-11).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from collectors.checks.compare import beside, within
from collectors.model import (
    WHOLE,
    Answer,
    Ask,
    Batch,
    Changed,
    Probe,
    Rejected,
    Request,
    Row,
    Series,
    Source,
    Upstream,
)
from collectors.payload import (
    Unfit,
    each,
    instant,
    json_of,
    list_of,
    mostly_fit,
    named_somewhere,
    number,
    text,
)
from collectors.rhythm import utc_days
from storage.tables import OBSERVATION, PROTOCOL_TVL
from storage.texts import N_

TOP = 30
# The highest total so far is 0.2e12; a slip by a factor of a thousand lies above this.
MOST = 1e13
# Percent between the total and the sum of its chains, which are told ten minutes apart.
CHAINS_NEAR, CHAINS_FAR = 5.0, 25.0
NO_PROTOCOLS = frozenset({"CEX", "Chain"})

UPSTREAM = Upstream(
    name="defillama",
    title="DefiLlama",
    home="https://defillama.com",
    credit="DefiLlama",
    licence=N_("Free API; citing DefiLlama as the source is asked for"),
    url="defillama_url",
    probe=Probe("/v2/chains"),
)


def total_tvl(ask: Ask) -> Sequence[Request]:
    """The whole history in one answer; there is no shorter one."""
    return [Request(f"{ask.base}/v2/historicalChainTvl", {})]


def parse_total_tvl(answers: Sequence[Answer], ask: Ask) -> Batch:
    """Rows of `observation`, one a UTC day; the last day may come twice (its midnight and now)."""
    answer = answers[0]
    items = list_of(json_of(answer.body), "/v2/historicalChainTvl")
    return each(items, lambda item: _day(item, answer.at))


def _day(item: Mapping[str, Any], at: datetime) -> Row:
    for name in ("date", "tvl"):
        if name not in item:
            raise Unfit(f"missing:{name}")
    value = number(item["tvl"], least=0, most=MOST)
    if value is None:
        raise Unfit("missing:tvl")
    return {"series": TOTAL.series, "date": instant(item["date"], at).date(), "value": value, "note": None}


def chains(ask: Ask) -> Sequence[Request]:
    """Every chain as it stands now: 50 KB."""
    return [Request(f"{ask.base}/v2/chains", {})]


def sum_of_chains(answers: Sequence[Answer]) -> float | None:
    """USD; None where the answer cannot be read: it is asked for a comparison alone."""
    try:
        items = list_of(json_of(answers[0].body), "/v2/chains")
        values = [number(item.get("tvl"), least=-MOST, most=MOST) for item in items if isinstance(item, dict)]
    except (Changed, Unfit):
        return None
    return sum(value for value in values if value is not None)


def protocols(ask: Ask) -> Sequence[Request]:
    """Every protocol with its value locked: 8 MB."""
    return [Request(f"{ask.base}/protocols", {})]


def parse_protocols(answers: Sequence[Answer], ask: Ask) -> Batch:
    """Rows of `protocol_tvl`: the largest thirty that are neither an exchange nor a chain. The
    payload has no time of its own: the day is that of the answer. Raises Changed `suspect` when over
    a tenth of all protocols cannot be read; refused ones too small to rank are not told."""
    answer = answers[0]
    items = list_of(json_of(answer.body), "/protocols")
    named_somewhere(items, ("change_1d", "change_7d"), "/protocols")
    batch = each(items, lambda item: _protocol(item, answer.at.date()))
    mostly_fit(batch)
    ranked = sorted((row for row in batch.rows if row["tvl"] is not None), key=_tvl, reverse=True)
    kept: list[Row] = []
    slugs: set[object] = set()
    for row in ranked:
        if row["category"] in NO_PROTOCOLS:
            continue
        if row["protocol"] not in slugs and len(slugs) == TOP:
            break
        slugs.add(row["protocol"])
        kept.append(row)
    # Smallest first: of two rows with one slug the later one counts, and that is the larger.
    least = _tvl(kept[-1]) if len(slugs) == TOP else 0.0
    return Batch(kept[::-1], [entry for entry in batch.rejected if _could_rank(entry, least)])


def _could_rank(entry: Rejected, least: float) -> bool:
    """Whether a refused protocol may have been one of the thirty: its value is large, or unreadable."""
    value = entry.row.get("tvl", "")
    if value is None or entry.row.get("category") in NO_PROTOCOLS:
        return False
    return not isinstance(value, int | float) or value >= least


def _tvl(row: Row) -> float:
    return float(str(row["tvl"]))


def _protocol(item: Mapping[str, Any], day: date) -> Row:
    for name in ("slug", "name", "category", "tvl"):
        if name not in item:
            raise Unfit(f"missing:{name}")
    return {
        "protocol": text(item["slug"]),
        "date": day,
        "name": text(item["name"]),
        "category": text(item["category"], 60) if item["category"] else None,
        # Hundreds of rows have no value, and some a negative one; they rank nowhere.
        "tvl": number(item["tvl"], least=-MOST, most=MOST),
        "change_1d": number(item.get("change_1d")),
        "change_7d": number(item.get("change_7d")),
    }


TOTAL = Series(
    "defillama.total_tvl",
    N_("Value locked in DeFi, all chains"),
    N_("USD"),
    "daily",
    "https://defillama.com",
)

TOTAL_TVL = Source(
    name="defillama.total_tvl",
    upstream=UPSTREAM,
    table=OBSERVATION,
    requests=total_tvl,
    parse=parse_total_tvl,
    rows=(1, 100_000),
    # Today's point appears some time after midnight.
    rhythm=utc_days(timedelta(hours=2)),
    reread=timedelta(days=7),
    series=(TOTAL,),
    history=WHOLE,
    beside=chains,
    checks=(
        within(TOTAL.series, "value", (0, MOST)),
        beside(
            "chains",
            TOTAL.series,
            N_("{subject}: {value} % away from the sum of its chains."),
            sum_of_chains,
            warn=CHAINS_NEAR,
            fail=CHAINS_FAR,
        ),
    ),
)
PROTOCOLS = Source(
    name="defillama.protocols",
    upstream=UPSTREAM,
    table=PROTOCOL_TVL,
    requests=protocols,
    parse=parse_protocols,
    rows=(TOP // 2, 2 * TOP),
    jump=("tvl", 20.0),
    history=WHOLE,
    usual=TOP,
)
