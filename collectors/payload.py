"""Reads what upstreams send without believing it: strict JSON, finite numbers, clean short text.

Used by sources and by check. A value that does not fit raises Unfit, which costs its row; a payload that is
not of the documented shape raises Changed, which costs the batch.
"""

import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

from collectors.model import Batch, Changed, Rejected, Row
from storage.texts import N_

NAME_CAP = 120
# More than this share of refused rows makes the whole batch suspect: it is the format, not a row.
SUSPECT_SHARE = 0.10
# Two clocks of one upstream; a row of tomorrow would pass for the newest of all.
_AHEAD = timedelta(minutes=10)
_EARLIEST = datetime(2009, 1, 3, tzinfo=UTC)
# Direction overrides and isolates can make a name read backwards; controls can hide in a terminal.
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


class Unfit(ValueError):
    """One row is not usable; the text is a stable word: `missing:price`, `non_finite`, `stale` …"""


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Changed("schema", N_("The answer names a field twice. Wait, or report a changed format."))
    return found


def json_of(body: bytes) -> Any:
    """The JSON value of a body. Raises Changed `parse` for what is no JSON, `schema` for duplicate
    keys. NaN and Infinity come through as floats, to be refused row by row; a bare control character
    within a text costs nothing, as texts are cleaned anyway."""
    text = body.decode("utf-8-sig", errors="replace")
    try:
        return json.loads(text, object_pairs_hook=_no_twins, strict=False)
    except Changed:
        raise
    except (ValueError, RecursionError):
        raise Changed(
            "parse", N_("The answer is not readable JSON. Wait; if it stays so, the parser has to change.")
        ) from None


def xml_of(body: bytes) -> ElementTree.Element:
    """The root element of an XML body. Raises Changed `parse`; a document that declares entities of its
    own is not even looked at: no upstream needs them, and what they unfold to has no bound."""
    if b"<!ENTITY" in body:
        raise Changed(
            "parse", N_("The answer defines XML entities, which are never read. Wait; look at the address.")
        )
    try:
        return ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, RecursionError):
        raise Changed(
            "parse", N_("The answer is not readable XML. Wait; if it stays so, the parser has to change.")
        ) from None


def list_of(value: Any, where: str) -> list[Any]:
    """`value` if it is a list with something in it. Raises Changed `schema`, or `suspect` for an
    empty one: the world does not run out of coins."""
    if not isinstance(value, list):
        raise Changed(
            "schema",
            N_("The answer has no list at {where}: its format has changed and the parser has to follow."),
            where=where,
        )
    if not value:
        raise Changed(
            "suspect", N_("The answer lists nothing at {where}. Old values stay; wait."), where=where
        )
    return value


def member(value: Any, name: str, where: str) -> Any:
    """Field `name` of an object. Raises Changed `schema` naming the field that is not there."""
    if not isinstance(value, dict) or name not in value:
        raise _no_field(name, where)
    return value[name]


def named_somewhere(items: Sequence[Any], names: Iterable[str], where: str) -> None:
    """Fields that may be null or absent in any one item must be there in at least one: else they have
    got another name, and a whole column would quietly be empty. Raises Changed `schema` naming it."""
    for name in names:
        if not any(isinstance(item, dict) and name in item for item in items):
            raise _no_field(name, where)


def _no_field(name: str, where: str) -> Changed:
    return Changed(
        "schema",
        N_("The answer has no field {field} at {where}: its format changed, the parser has to follow."),
        field=name,
        where=where,
    )


def number(value: Any, *, least: float = -math.inf, most: float = math.inf) -> float | None:
    """A finite float, or None for null. Raises Unfit: `not_a_number`, `non_finite`, `implausible`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit("not_a_number")
    try:
        read = float(value)
    except OverflowError:
        raise Unfit("non_finite") from None
    if not math.isfinite(read):
        raise Unfit("non_finite")
    if not least <= read <= most:
        raise Unfit("implausible")
    return read


def given(item: Mapping[str, Any], name: str) -> Any:
    """A field that must be there and not null. Raises Unfit `missing:<name>`."""
    if item.get(name) is None:
        raise Unfit(f"missing:{name}")
    return item[name]


def text(value: Any, cap: int = NAME_CAP) -> str:
    """One clean line of at most `cap` characters. Raises Unfit `not_text` or `empty_text`."""
    if not isinstance(value, str):
        raise Unfit("not_text")
    # Cut first: a name of a megabyte is not worth normalising.
    clean = unicodedata.normalize("NFC", _HIDDEN.sub("", value[: 4 * cap])).strip()[:cap].strip()
    if not clean:
        raise Unfit("empty_text")
    return clean


def instant(value: Any, at: datetime) -> datetime:
    """Seconds since 1970 or ISO 8601 with a zone, as aware UTC, plausible as seen from `at`.
    Raises Unfit `timestamp`: milliseconds, year 1969, a day that has not begun, a text that is no time."""
    try:
        if isinstance(value, str) and not value.isdigit():
            read = datetime.fromisoformat(value)
            read = read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
        elif isinstance(value, bool):
            raise Unfit("timestamp")
        else:
            read = datetime.fromtimestamp(float(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise Unfit("timestamp") from None
    if not _EARLIEST <= read <= at + _AHEAD:
        raise Unfit("timestamp")
    return read


def each(items: Iterable[Any], read: Callable[[Mapping[str, Any]], Row]) -> Batch:
    """`read` over all items: rows, and what was Unfit with its reason.

    Raises Changed `schema` when not one item could be read, naming the field if all miss the same.
    """
    rows: list[Row] = []
    rejected: list[Rejected] = []
    for item in items:
        try:
            if not isinstance(item, dict):
                raise Unfit("not_an_object")
            rows.append(read(item))
        except Unfit as unfit:
            rejected.append(Rejected(_evidence(item), str(unfit)))
    if not rows:
        reasons = sorted({entry.reason for entry in rejected})
        if reasons == ["stale"]:
            raise Changed("stale", N_("Every row of the answer is over a day old. Old values stay; wait."))
        raise Changed(
            "schema",
            N_("Not one row could be read ({reasons}): the format has changed and the parser has to follow."),
            reasons=", ".join(reasons[:5]),
        )
    return Batch(rows, rejected)


def mostly_fit(batch: Batch) -> None:
    """Raises Changed `suspect` where over a tenth of a batch was refused, `stale` where only for age."""
    refused, every = len(batch.rejected), len(batch.rows) + len(batch.rejected)
    if refused <= SUSPECT_SHARE * every:
        return
    reasons = ", ".join(sorted({entry.reason for entry in batch.rejected})[:5])
    raise Changed(
        "stale" if reasons == "stale" else "suspect",
        N_("{refused} of {all} rows are not believable ({reasons}). Old values stay; see quarantine."),
        refused=refused,
        all=every,
        reasons=reasons,
    )


def _evidence(item: Any) -> Mapping[str, object]:
    """What is kept of a refused row: short values only, that any JSON reader can read again."""
    if not isinstance(item, dict):
        return {"item": _short(item)}
    return {str(key)[:60]: _short(value) for key, value in item.items()}


def _short(value: Any) -> object:
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 1 << 63):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    # What is within is not looked at: it may be nested deeper than Python can print.
    return type(value).__name__ if isinstance(value, list | dict) else str(value)[:120]
