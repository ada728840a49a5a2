"""Numbers, money, days and times as a person reads them, in the language of the page.

Whatever is missing (None, NaN, infinity, NaT) is an en dash. Headlines keep at most four significant
digits; whole dollars are shown whole.
"""

import math
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, SupportsFloat
from unicodedata import east_asian_width

from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from babel.numbers import format_decimal

from storage import clock
from storage.texts import _, language

if TYPE_CHECKING:
    from storage.settings import Settings

DASH = "–"
MINUS = "\u2212"
_SPACE = "\u00a0"
_DIGITS = 4
# From this gain on, in percent, a rise is told as a multiple.
_MANIFOLD = 900.0


def _finite(value: object) -> float | None:
    """The value as a float; None for everything that is not a finite number (pandas' NA too)."""
    if not isinstance(value, SupportsFloat):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _decimal(value: float, digits: int, *, exact: bool = True) -> str:
    """Grouped, with `digits` decimals (at most, where not exact), a real minus, and never -0."""
    places = ("0" if exact else "#") * digits
    return _written(round(value, digits) + 0.0, f"#,##0.{places}" if digits else "#,##0", language())


@lru_cache(maxsize=8192)
def _written(value: float, pattern: str, spoken: str) -> str:
    """A page writes the same figures at every drawing, and Babel takes its time."""
    return str(format_decimal(value, pattern, locale=spoken)).replace("-", MINUS)


def _decimals(value: float, digits: int = _DIGITS) -> int:
    """How many decimals leave `digits` significant ones."""
    size = math.floor(math.log10(abs(value))) if value else 0
    return max(0, min(12, digits - 1 - size))


def _scale(value: float) -> tuple[float, str]:
    """What a large amount is counted in: billions in English; 만, 억 and 조 in Korean."""
    scales = ((1e12, _("{n} tn")), (1e9, _("{n} bn")), (1e6, _("{n} m")))
    if language() == "ko":
        scales = ((1e12, "{n}조"), (1e8, "{n}억"), (1e4, "{n}만"))
    return next(one for one in scales if value >= one[0])


def _compact(value: float) -> str:
    size, text = _scale(value)
    scaled = value / size
    digits = min(2, _decimals(scaled, 3))
    return text.format(n=_decimal(scaled, digits, exact=language() != "ko")).replace(" ", _SPACE)


# From where on an amount is compact: a coin's price in won is read to the last won.
_COMPACT_FROM = {"$": 1e6, "₩": 1e9}


def money(value: Any, unit: str = "$", *, short: bool = False) -> str:
    """USD: "$97,412", "$0.1234", "$92.4 bn"; from a million on compact, won from a billion on, but where
    they have to be `short`."""
    amount = _finite(value)
    if amount is None:
        return DASH
    sign = MINUS if amount < 0 else ""
    return sign + unit + _amount(abs(amount), 1e6 if short else _COMPACT_FROM[unit])


def axis(values: Sequence[float], kind: str = "number", unit: str = "$") -> list[str]:
    """The labels of an axis (`kind`: money in `unit`, percent or number): as many decimals as its steps
    need, so that no two of them read the same."""
    scaled = [
        (*(_scale(abs(value)) if kind == "money" and abs(value) >= 999_999.5 else (1.0, "{n}")), value)
        for value in values
    ]
    needed = [_needed(value / size) for size, _text, value in scaled]
    steps = [after - before for before, after in pairwise(values)]
    if steps and max(steps) <= min(steps) * 1.01:
        # Even steps stand under each other with the same decimals, those of one unit at a time.
        units = [size for size, _text, _value in scaled]
        needed = [max(n for n, unit in zip(needed, units, strict=True) if unit == own) for own in units]
    if kind == "percent":
        return [percent(value, places, signed=False) for value, places in zip(values, needed, strict=True)]
    said = []
    for (size, text, value), places in zip(scaled, needed, strict=True):
        amount = text.format(n=_decimal(abs(value) / size, places)).replace(" ", _SPACE)
        said.append((MINUS if value < 0 else "") + (unit if kind == "money" else "") + amount)
    return said


def _needed(value: float) -> int:
    """The fewest decimals that show a round value whole."""
    near = abs(value) * 1e-7
    return next((places for places in range(12) if abs(round(value, places) - value) <= near), 12)


def _amount(amount: float, compact_from: float) -> str:
    if amount >= compact_from - 0.5:
        return _compact(max(amount, compact_from))
    if amount >= 1000 or amount == 0:
        return _decimal(amount, 0)
    places = _decimals(amount)
    return (
        _decimal(amount, 2)
        if amount >= 1
        else format_decimal(round(amount, places), f"0.00{'#' * (places - 2)}", locale=language())
    )


def number(value: Any) -> str:
    """A count or a plain figure: "1,234", "57.13"."""
    figure = _finite(value)
    if figure is None:
        return DASH
    return _decimal(figure, 0 if figure == int(figure) else _decimals(figure), exact=False)


def _signed(value: float, digits: int, signed: bool) -> str:
    text = _decimal(value, digits)
    return f"+{text}" if signed and round(value, digits) > 0 else text


def percent(value: Any, digits: int = 1, signed: bool = True) -> str:
    """Of a value in percent: "−2.1 %", "+0.4 %"; zero has no sign."""
    figure = _finite(value)
    if figure is None:
        return DASH
    return _signed(figure, digits, signed) + ("%" if language() == "ko" else f"{_SPACE}%")


def gain(value: Any, signed: bool = True) -> str:
    """A change in percent since long ago: "+12.3 %", and from tenfold on "841-fold"."""
    figure = _finite(value)
    if figure is None or figure < _MANIFOLD:
        return percent(value, signed=signed)
    times = figure / 100 + 1
    return _("{n}-fold").format(n=_decimal(times, 0 if times >= 100 else 1, exact=False))


def points(value: Any, digits: int = 1) -> str:
    """A difference of two percentages: "+0.3 pp"."""
    figure = _finite(value)
    if figure is None:
        return DASH
    return _("{n} pp").format(n=_signed(figure, digits, True)).replace(" ", _SPACE)


def fixed(value: Any, digits: int = 1) -> str:
    """A figure with always as many decimals: "24.1"."""
    figure = _finite(value)
    return DASH if figure is None else _decimal(figure, digits)


def ordinal(value: Any) -> str:
    """Of a rank in percent, rounded down so that it never reads as one that was not reached: "17th"."""
    figure = _finite(value)
    if figure is None:
        return DASH
    whole = max(1, int(figure + 1e-9))
    if language() == "ko":
        return str(whole)
    ending = "th" if 10 < whole % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(whole % 10, "th")
    return f"{whole}{ending}"


def change(value: Any, digits: int = 0) -> str:
    """A difference of plain figures: "−6"."""
    figure = _finite(value)
    return DASH if figure is None else _signed(figure, digits, True)


def direction(value: Any, digits: int = 1) -> int:
    """-1, 0 or 1: what the shown change says; 0 where there is none."""
    figure = _finite(value)
    rounded = round(figure, digits) if figure is not None else 0.0
    return (rounded > 0) - (rounded < 0)


def day(value: Any) -> str:
    """ "Sun 22 Nov", with the year where it is not this one; a timestamp counts by its own day."""
    # NaT is a datetime by class and equal to nothing, itself included.
    if not isinstance(value, date) or value != value:
        return DASH
    return _day(date(value.year, value.month, value.day), value.year != clock.now().year, language())


@lru_cache(maxsize=8192)
def _day(value: date, with_year: bool, spoken: str) -> str:
    if spoken == "ko":
        return str(format_skeleton("yMMMEd" if with_year else "MMMEd", value, locale="ko"))
    return str(format_date(value, "EEE d MMM y" if with_year else "EEE d MMM", locale="en"))


def short_day(value: date) -> str:
    """ "24 Nov", with the year where it is not this one."""
    with_year = value.year != clock.now().year
    if language() == "ko":
        return format_skeleton("yMMMd" if with_year else "MMMd", value, locale="ko")
    return format_date(value, "d MMM y" if with_year else "d MMM", locale="en")


def moment(settings: "Settings", value: Any) -> str:
    """ "06:42" of today, "tomorrow 06:00", "Fri 20 Nov 06:01", in the zone of the settings."""
    if not isinstance(value, datetime) or value != value:
        return DASH
    local, today = value.astimezone(settings.zone), clock.now().astimezone(settings.zone).date()
    time = format_time(local, "HH:mm", locale=language())
    return _word_of(local.date() - today, local)(time)


def _word_of(distance: timedelta, local: datetime) -> Callable[[str], str]:
    if distance.days == 0:
        return str
    if distance.days == 1:
        return lambda time: _("tomorrow {time}").format(time=time)
    if distance.days == -1:
        return lambda time: _("yesterday {time}").format(time=time)
    return lambda time: f"{day(local.date())} {time}"


def zone(settings: "Settings") -> str:
    """The zone's own short name: KST."""
    return clock.now().astimezone(settings.zone).tzname() or settings.timezone


def ago(value: Any) -> str:
    """ "3 minutes ago"."""
    if not isinstance(value, datetime) or value != value:
        return DASH
    return format_timedelta(value - clock.now(), add_direction=True, locale=language())


def width(text: str) -> int:
    """About how many pixels a chart's label takes; tags in it are not drawn."""
    drawn = re.sub(r"<[^>]*>", "", text)
    return sum(13 if east_asian_width(sign) in "WF" else 7 for sign in drawn)


def span(seconds: Any) -> str:
    """A duration: "0.4 s", "00:42", "1:02:03"."""
    whole = _finite(seconds)
    if whole is None:
        return DASH
    if whole < 10:
        return _("{n} s").format(n=_decimal(int(max(0.0, whole) * 10) / 10, 1)).replace(" ", _SPACE)
    minutes, rest = divmod(int(max(0.0, whole)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
