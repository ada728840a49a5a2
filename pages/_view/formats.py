"""Numbers, money, days and times as a person reads them, in the language of the page.

Whatever is missing (None, NaN, infinity, NaT) is an en dash. Headlines keep at most four significant
digits; whole dollars are shown whole.
"""

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, SupportsFloat

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
    rounded = round(value, digits) + 0.0
    places = ("0" if exact else "#") * digits
    text = format_decimal(rounded, f"#,##0.{places}" if digits else "#,##0", locale=language())
    return text.replace("-", MINUS)


def _decimals(value: float, digits: int = _DIGITS) -> int:
    """How many decimals leave `digits` significant ones."""
    size = math.floor(math.log10(abs(value))) if value else 0
    return max(0, min(12, digits - 1 - size))


def _compact(value: float) -> str:
    """92.4 bn in English; Korean counts in 만, 억 and 조."""
    scales = ((1e12, _("{n} tn")), (1e9, _("{n} bn")), (1e6, _("{n} m")))
    if language() == "ko":
        scales = ((1e12, "{n}조"), (1e8, "{n}억"), (1e4, "{n}만"))
    size, text = next(one for one in scales if value >= one[0])
    scaled = value / size
    digits = min(2, _decimals(scaled, 3))
    return text.format(n=_decimal(scaled, digits, exact=language() != "ko")).replace(" ", _SPACE)


def money(value: Any, unit: str = "$") -> str:
    """USD: "$97,412", "$0.1234", "$92.4 bn"; from a million on compact."""
    amount = _finite(value)
    if amount is None:
        return DASH
    sign = MINUS if amount < 0 else ""
    return sign + unit + _amount(abs(amount))


def _amount(amount: float) -> str:
    if amount >= 999_999.5:
        return _compact(max(amount, 1e6))
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


def points(value: Any, digits: int = 1) -> str:
    """A difference of two percentages: "+0.3 pp"."""
    figure = _finite(value)
    if figure is None:
        return DASH
    return _("{n} pp").format(n=_signed(figure, digits, True)).replace(" ", _SPACE)


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
    with_year = value.year != clock.now().year
    if language() == "ko":
        return format_skeleton("yMMMEd" if with_year else "MMMEd", value, locale="ko")
    return format_date(value, "EEE d MMM y" if with_year else "EEE d MMM", locale="en")


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


def span(seconds: Any) -> str:
    """A duration: "00:42", "1:02:03"."""
    whole = _finite(seconds)
    if whole is None:
        return DASH
    minutes, rest = divmod(int(max(0.0, whole)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
