"""What FRED holds at this instant: generated or stored rows, as far as they are published, and what a test
has changed of them."""

import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Literal

from . import fred_series
from .calendars import CHICAGO
from .fred_series import SERIES, FredSeries, Row, published, restated
from .history import History
from .market import Market

Blank = Literal["."]


class FredRecord:
    """All series at the market's clock. Setters are safe beside readers."""

    def __init__(self, market: Market, history: History | None = None) -> None:
        self.market, self.history = market, history
        self._lock = threading.Lock()
        self._pins: dict[tuple[str, date], float | Blank] = {}
        self._added: dict[tuple[str, date], float | Blank] = {}
        self._units: dict[str, str] = {}
        self._ends: dict[str, date] = {}
        self._factors: dict[str, float] = {}

    # --- what is told ---
    def series(self, identifier: str) -> FredSeries | None:
        """The series as it calls itself now; None where FRED does not know it."""
        known = SERIES.get(identifier)
        if self.history is not None:
            rows = self.history.fred(identifier)
            if rows is None:
                return None
            weekly = len(rows) > 1 and (rows[1][0] - rows[0][0]).days > 4
            known = known or fred_series.strange(identifier, rows[0][0], weekly)
            known = replace(known, first=rows[0][0], years=None, restates=False)
        units = self._units.get(identifier)
        return replace(known, units=units, units_short=units) if known and units else known

    def observations(self, series: FredSeries) -> list[tuple[date, str]]:
        """Day and value as text, in order, of all that is published by now."""
        rows = self._published(series)
        release = rows[-1][0] if rows and series.restates else None
        pins = self._of(self._pins, series)
        factor = self._factors.get(series.id, 1.0)
        found = []
        for day, value in rows:
            if release is not None and value is not None:
                value = restated(value, day, release, series.decimals)
            value = pins.get(day, value)
            found.append((day, _text(value, factor, series.decimals)))
        return found

    def _published(self, series: FredSeries) -> list[Row]:
        now, rows = self.market.now(), [row for row in self._rows(series) if row[0] >= self.market.since]
        end = self._ends.get(series.id, date.max)
        while rows and (rows[-1][0] > end or published(series, rows[-1][0]) > now):
            rows.pop()
        if series.years:
            first = fred_series.three_years_before(now.astimezone(CHICAGO).date())
            rows = [row for row in rows if row[0] >= first]
        added = self._of(self._added, series)
        return sorted({**dict(rows), **added}.items()) if added else rows

    def _of(
        self, changed: dict[tuple[str, date], float | Blank], series: FredSeries
    ) -> dict[date, float | None]:
        with self._lock:
            return {
                day: None if isinstance(value, str) else value
                for (name, day), value in changed.items()
                if name == series.id
            }

    def _rows(self, series: FredSeries) -> Iterable[Row]:
        if self.history is not None:
            return self.history.fred(series.id) or ()
        return fred_series.generated(series, self.market.seed, self.market.now().year)

    # --- what a test changes ---
    def set_observation(self, identifier: str, day: date, value: float | Blank | None) -> None:
        """Revises a published row, "." blanks it, None takes the revision back."""
        series = self._known(identifier)
        if all(day != row[0] for row in self._rows(series)):
            raise ValueError(f"{identifier} has no row of {day}; add_observation adds one")
        self._put(self._pins, identifier, day, value)

    def add_observation(self, identifier: str, day: date, value: float | Blank | None) -> None:
        """A row that is there from now on, be its day in the future; None takes it back."""
        self._known(identifier)
        self._put(self._added, identifier, day, value)

    def set_unit(self, identifier: str, units: str | None) -> None:
        """Another unit in the metadata; the values stay. None takes it back."""
        self._known(identifier)
        self._units[identifier] = units or ""

    def stop_series(self, identifier: str, last_day: date | None) -> None:
        """The series ends there, and goes on answering 200; None: it goes on."""
        self._known(identifier)
        self._ends[identifier] = last_day or date.max

    def scale_series(self, identifier: str, factor: float) -> None:
        """All values × factor; the unit stays what it was."""
        self._known(identifier)
        self._factors[identifier] = factor

    def _known(self, identifier: str) -> FredSeries:
        series = self.series(identifier)
        if series is None:
            raise KeyError(identifier)
        return series

    def _put(
        self, where: dict[tuple[str, date], float | Blank], identifier: str, day: date,
        value: float | Blank | None,
    ) -> None:  # fmt: skip
        if isinstance(value, str) and value != ".":
            raise ValueError(f"neither a number nor '.': {value}")
        with self._lock:
            if value is None:
                where.pop((identifier, day), None)
            else:
                where[identifier, day] = value


def _text(value: float | None, factor: float, decimals: int) -> str:
    if value is None:
        return "."
    scaled = round(value * factor, 9)
    text = f"{scaled:.{decimals}f}"
    return text if float(text) == scaled else f"{scaled:.9f}".rstrip("0")
