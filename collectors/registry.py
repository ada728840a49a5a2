"""What is collected: the pipelines in the order in which they run, and their sources in run order."""

from collectors.model import Source, Upstream
from collectors.sources import (
    coingecko,
    defillama,
    fear_greed,
    fed_speech,
    fred,
    headlines,
    news,
    ofr,
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
UPSTREAMS: dict[str, Upstream] = {source.upstream.name: source.upstream for source in SOURCES.values()}


def ordered(names: set[str]) -> tuple[str, ...]:
    """Pipelines in run order, whatever order they were asked for in."""
    return tuple(name for name in PIPELINES if name in names)
