"""The OFR's Financial Stress Index as the fake plays it: one CSV of all days, never restated."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from .calendars import in_new_york, nyse_days
from .history import History
from .market import Market
from .strain import days_until, drift, index, strain
from .wire import Reply

HEADER = (
    "Date,OFR FSI,Credit,Equity valuation,Safe assets,Funding,Volatility,United States,"
    "Other advanced economies,Emerging markets"
)
FIRST = date(2000, 1, 3)
# How each category takes the strain: its share, its usual level.
_CATEGORIES = {"credit": (0.75, -0.3), "equity": (0.5, -0.1), "safe": (0.3, -0.1), "funding": (0.55, -0.3),
               "volatility": (0.7, -0.35)}  # fmt: skip


def newest(day: date) -> date:
    """The newest row that is shown on that day in New York: two business days back."""
    return [known for known in nyse_days(date(day.year - 1, 12, 1), day.year) if known <= day][-3]


@lru_cache(maxsize=4)
def _rows(seed: int, year: int) -> tuple[tuple[str, ...], ...]:
    return tuple(_generated(seed, year))


def _generated(seed: int, year: int) -> Iterator[tuple[str, ...]]:
    tension, days = strain(seed, year), days_until(year)
    noise = {name: drift(f"{seed}:ofr:{name}", days, 40, 0.02) for name in _CATEGORIES}
    for day in nyse_days(FIRST, year):
        n = index(day)
        parts = [
            round(usual + share * tension[n] + noise[name][n], 3)
            for name, (share, usual) in _CATEGORIES.items()
        ]
        total = round(sum(parts), 3)
        home, abroad = round(0.58 * total, 3), round(0.31 * total, 3)
        values = (total, *parts, home, abroad, round(total - home - abroad, 3))
        yield (day.isoformat(), *map(str, values))


class Ofr:
    """Answers for the file's address on financialresearch.gov."""

    def __init__(self, market: Market, history: History | None = None) -> None:
        self.market, self.history = market, history

    def reply(self, path: str) -> Reply:
        """The whole file, however old."""
        if path != "/fsi.csv":
            return Reply(404, b"<h1>Page not found</h1>", "text/html; charset=utf-8")
        last = newest(in_new_york(self.market.now()).date())
        rows = self.history.ofr() if self.history else _rows(self.market.seed, last.year)
        first = self.market.since.isoformat()
        lines = [HEADER, *(",".join(row) for row in rows if first <= row[0] <= last.isoformat())]
        return Reply(200, ("\n".join(lines) + "\n").encode(), "text/csv")
