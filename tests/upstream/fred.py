"""FRED as the fake plays it: observations and metadata of a series, in XML unless JSON is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import quoteattr

from . import refusals
from .calendars import CHICAGO
from .fred_record import FredRecord
from .fred_series import FredSeries, published
from .refusals import XML, Refusal
from .wire import Reply, compact

_HEAD = '<?xml version="1.0" encoding="utf-8" ?>\n'
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """The parameters of a request for observations, each at its default."""

    observation_start: str = "1600-01-01"
    observation_end: str = "9999-12-31"
    sort_order: str = "asc"
    offset: int = 0
    limit: int = _MOST

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "_Asked":
        """Raises ValueError with FRED's own words."""
        asked = cls(
            query.get("observation_start", cls().observation_start),
            query.get("observation_end", cls().observation_end),
            query.get("sort_order", "asc"),
            _whole(query, "offset", 0, 0),
            _whole(query, "limit", _MOST, 1),
        )
        for name in ("observation_start", "observation_end"):
            try:
                date.fromisoformat(getattr(asked, name))
            except ValueError:
                raise ValueError(f"Variable {name} is not a valid date in YYYY-MM-DD format.") from None
        return asked

    def of_these(self, rows: Sequence[tuple[date, str]]) -> list[tuple[str, str]]:
        """The rows between both days, in the order asked for."""
        first, last = date.fromisoformat(self.observation_start), date.fromisoformat(self.observation_end)
        found = [(day.isoformat(), value) for day, value in rows if first <= day <= last]
        return found[::-1] if self.sort_order == "desc" else found


def _whole(query: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or not least <= int(text) <= _MOST:
        raise ValueError(f"Variable {name} is not between {least} and {_MOST}.")
    return int(text)


class Fred:
    """Answers for api.stlouisfed.org/fred; `key` is the only key that is registered."""

    def __init__(self, record: FredRecord, key: str) -> None:
        self.record, self.key = record, key

    def reply(self, path: str, query: Mapping[str, str]) -> Reply:
        """Every refusal is a 400, as at the source; the words tell them apart."""
        json = query.get("file_type", "xml") == "json"
        refused = self._refused(query, "json" if json else "xml")
        if refused:
            return _told(refused)
        series = self.record.series(query.get("series_id", ""))
        if series is None:
            return _told(refusals.fred("series", "json" if json else "xml"))
        if path == "/series/observations":
            return self._observations(series, query, json)
        if path == "/series":
            return self._metadata(series, json)
        return _told(refusals.fred_error(404, "Not Found.", "json" if json else "xml"))

    def _refused(self, query: Mapping[str, str], file_type: str) -> Refusal | None:
        key = query.get("api_key", "")
        if key != self.key:
            return refusals.fred("key" if key else "no_key", file_type)
        if not query.get("series_id"):
            return refusals.fred_error(400, "Bad Request.  Variable series_id has not been set.", file_type)
        return None

    def _today(self) -> str:
        return self.record.market.now().astimezone(CHICAGO).date().isoformat()

    def _observations(self, series: FredSeries, query: Mapping[str, str], json: bool) -> Reply:
        try:
            asked = _Asked.of(query)
        except ValueError as wrong:
            return _told(refusals.fred_error(400, f"Bad Request.  {wrong}", "json" if json else "xml"))
        rows = asked.of_these(self.record.observations(series))
        today = self._today()
        real = {"realtime_start": today, "realtime_end": today}
        head: dict[str, object] = {
            **real, "observation_start": asked.observation_start, "observation_end": asked.observation_end,
            "units": "lin", "output_type": 1, "file_type": "json" if json else "xml",
            "order_by": "observation_date", "sort_order": asked.sort_order, "count": len(rows),
            "offset": asked.offset, "limit": asked.limit,
        }  # fmt: skip
        shown = rows[asked.offset : asked.offset + asked.limit]
        if json:
            told = [{**real, "date": day, "value": value} for day, value in shown]
            return compact({**head, "observations": told})
        row = f'  <observation {_attributes(real)} date="'
        lines = "".join(f'{row}{day}" value="{value}"/>\n' for day, value in shown)
        return _xml(f"<observations {_attributes(head)}>\n{lines}</observations>\n")

    def _metadata(self, series: FredSeries, json: bool) -> Reply:
        rows, today = self.record.observations(series), self._today()
        real = {"realtime_start": today, "realtime_end": today}
        first, last = (rows[0][0], rows[-1][0]) if rows else (series.first, series.first)
        updated = published(series, last).astimezone(CHICAGO)
        told: dict[str, object] = {
            "id": series.id, **real, "title": series.title,
            "observation_start": first.isoformat(), "observation_end": last.isoformat(),
            "frequency": series.frequency, "frequency_short": series.frequency[0],
            "units": series.units, "units_short": series.units_short,
            "seasonal_adjustment": "Not Seasonally Adjusted", "seasonal_adjustment_short": "NSA",
            "last_updated": f"{updated:%Y-%m-%d %H:%M:%S%z}"[:-2], "popularity": 80, "notes": series.notes,
        }  # fmt: skip
        if json:
            return compact({**real, "seriess": [told]})
        return _xml(f"<seriess {_attributes(real)}>\n  <series {_attributes(told)} />\n</seriess>\n")


def _attributes(named: Mapping[str, object]) -> str:
    return " ".join(f"{name}={quoteattr(str(value))}" for name, value in named.items())


def _xml(body: str) -> Reply:
    return Reply(200, (_HEAD + body).encode(), XML)


def _told(refusal: Refusal) -> Reply:
    code, body, media = refusal
    return Reply(code, body, media)
