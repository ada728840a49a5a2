"""What is collected: the pipelines in the order in which they run, and their sources in run order."""

from collections.abc import Callable, Mapping
from datetime import date

from collectors.model import Row, Source, Upstream
from collectors.sources import (
    coin_history,
    coingecko,
    defillama,
    fear_greed,
    fed_speech,
    fred,
    headlines,
    news,
    ofr,
    protocol_history,
    yahoo,
)

PIPELINES: dict[str, tuple[Source, ...]] = {
    "liquidity": (
        *fred.SOURCES,
        *yahoo.SOURCES,
        ofr.SOURCE,
        fed_speech.SOURCE,
        headlines.SOURCE,
    ),
    "crypto": (
        coingecko.MARKETS,
        coingecko.GLOBAL,
        coingecko.CLOSES,
        defillama.TOTAL_TVL,
        defillama.PROTOCOLS,
        fear_greed.FEAR_GREED,
    ),
    "news": (news.SOURCE,),
}

SOURCES: dict[str, Source] = {source.name: source for sources in PIPELINES.values() for source in sources}
# How the past of one item is asked for, of sources that bring many a day: from what stays the same of its
# rows, the days wanted, and what is stored of it by day.
HISTORIES: dict[str, Callable[[Row, frozenset[date], Mapping[date, Row]], Source]] = {
    coingecko.MARKETS.name: coin_history.of,
    defillama.PROTOCOLS.name: protocol_history.of,
}
# The sources of their rows, which only a backfill asks.
PASTS: dict[str, Source] = {
    source.name: source for source in (coin_history.HISTORY, protocol_history.HISTORY)
}
UPSTREAMS: dict[str, Upstream] = {source.upstream.name: source.upstream for source in SOURCES.values()}


def ordered(names: set[str]) -> tuple[str, ...]:
    """Pipelines in run order, whatever order they were asked for in."""
    return tuple(name for name in PIPELINES if name in names)
