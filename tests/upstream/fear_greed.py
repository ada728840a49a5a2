"""alternative.me's Fear & Greed as the fake plays it: everything is a string, newest first."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from .market import DAY_S, Market, midnight
from .wire import Reply, compact

FIRST = date(2018, 2, 1)
GAPS = frozenset({date(2018, 4, 14), date(2018, 4, 15), date(2018, 4, 16), date(2024, 10, 26)})
_BOUNDS = ((25, "Extreme Fear"), (46, "Fear"), (54, "Neutral"), (75, "Greed"))


def label(value: int) -> str:
    """The provider's own class of a value from 0 to 100."""
    return next((name for most, name in _BOUNDS if value <= most), "Extreme Greed")


class FearGreed:
    """Answers for api.alternative.me."""

    def __init__(self, market: Market) -> None:
        self.market = market

    def reply(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        """`limit` counts rows, not days; 0 means all, absent means 1."""
        if path.rstrip("/") != "/fng":
            return Reply(404, b"<h1>Not Found</h1>", "text/html; charset=utf-8")
        limit = query.get("limit", "1")
        data = self._items(int(limit) if limit.isdigit() else 1)
        return compact({"name": "Fear and Greed Index", "data": data, "metadata": {"error": None}})

    def _items(self, limit: int) -> list[dict[str, str]]:
        today = self.market.today()
        known = (today - timedelta(days=back) for back in range((today - FIRST).days + 1))
        items: list[dict[str, str]] = []
        for day in known:
            if day in GAPS:
                continue
            value = self.market.mood(day)
            items.append(
                {"value": str(value), "value_classification": label(value), "timestamp": str(midnight(day))}
            )
            if len(items) == limit:
                break
        if items:
            passed = (self.market.now() - datetime.fromtimestamp(midnight(today), UTC)).seconds
            items[0]["time_until_update"] = str(DAY_S - passed)
        return items
