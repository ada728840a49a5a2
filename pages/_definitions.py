"""What every stored series and figure is: its name, unit and rhythm, who publishes it and on what terms."""

from dataclasses import dataclass

from collectors.registry import SOURCES, UPSTREAMS
from storage.texts import N_, _


@dataclass(frozen=True, slots=True)
class Definition:
    """One series or column. `upstream` and `licence` are told as their publishers want it."""

    name: str
    title: str
    unit: str
    frequency: str
    upstream: str
    licence: str
    link: str


FREQUENCIES = {
    "daily": N_("daily"),
    "weekly": N_("weekly"),
    "event": N_("when it happens"),
}
OWN = N_("computed here")
# What is stored beside series: name, title, unit, frequency, upstream (None: made of the others), page.
_FIGURES: tuple[tuple[str, str, str, str, str | None, str], ...] = (
    (
        "crypto_price.price",
        N_("Price of each coin, at the end of its UTC day"),
        N_("USD"),
        "daily",
        "coingecko",
        "",
    ),
    ("crypto_price.market_cap", N_("Market cap of each coin"), N_("USD"), "daily", "coingecko", ""),
    ("crypto_price.volume", N_("Volume of each coin in 24 hours"), N_("USD"), "daily", "coingecko", ""),
    ("protocol_tvl.tvl", N_("Value locked in each protocol"), N_("USD"), "daily", "defillama", ""),
    ("news_item", N_("Headlines: title, outlet, time, topics, tone"), N_("text"), "event", "feeds", ""),
    ("fed_speech", N_("Speeches with tone and stance"), N_("text"), "event", "federalreserve", ""),
    (
        "stress_index.index",
        N_("StressIndex: weighted mean of the modules, each of the ranks of its inputs"),
        N_("index, 0 to 100"),
        "daily",
        None,
        "/liquidity",
    ),
    (
        "stress_index.percentile",
        N_("Rank of the StressIndex among all its days so far"),
        N_("percent"),
        "daily",
        None,
        "/liquidity",
    ),
)


def definitions() -> list[Definition]:
    """All of them, in the order in which they are collected, in the current language."""
    found = [
        Definition(
            series.series,
            _(series.title),
            _(series.unit),
            _(FREQUENCIES["event" if series.event else series.frequency]),
            source.upstream.title,
            _(source.upstream.licence),
            series.url,
        )
        for source in SOURCES.values()
        for series in source.series
    ]
    return [*(_figure(*one) for one in _FIGURES), *found]


def _figure(name: str, title: str, unit: str, frequency: str, upstream: str | None, page: str) -> Definition:
    by = UPSTREAMS.get(upstream or "")
    return Definition(
        name,
        _(title),
        _(unit),
        _(FREQUENCIES[frequency]),
        by.title if by else _(OWN),
        _(by.licence) if by else "",
        by.home if by else page,
    )
