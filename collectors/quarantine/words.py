"""What is said of things in quarantine: in a line of the list, and in full. What upstreams sent is shown as
text that can do nothing to a terminal.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from collectors.console_lines import day, moment, padded
from collectors.doctor.words import size
from storage import clock, quarantine
from storage.quarantine import BATCH, PAYLOAD, ROWS, Thing
from storage.settings import Settings
from storage.texts import N_, _, figure, ngettext, say

# So much of an answer is shown, and of so many; a row's value and a reason are cut, too.
HEAD, ANSWERS, VALUE = 2000, 5, 120
_READ = 64_000
_DAMAGED = N_("damaged on the disk before it was merged")
_UNKNOWN = N_("its reason was not kept, or cannot be read")
# Reasons of rows; what follows a colon is a column, or a field of the answer.
REASONS = {
    "jump": N_("{name} is too far from the value before it"),
    "implausible": N_("beyond what such a value may be"),
    "future": N_("dated after tomorrow"),
    "unit": N_("differs from all that is stored: another unit?"),
    "stale": N_("over a day old"),
    "non_finite": N_("not a finite number"),
    "not_a_number": N_("not a number"),
    "missing": N_("{name} is missing"),
    "timestamp": N_("its time cannot be right"),
    "no_close": N_("has no value of that day"),
    "not_an_object": N_("not an object with fields"),
    "not_a_point": N_("not a point with time and value"),
    "not_text": N_("a text is none"),
    "empty_text": N_("a text is empty"),
    "unsettled": N_("today's quote, without a settled day before it"),
    "elsewhere": N_("its link leads to another host"),
    "mojibake": N_("its letters are broken"),
    "no_text": N_("its page has no text"),
    "http_404": N_("is not there any more (404)"),
}


def harmless(text: str) -> str:
    """Control characters, line breaks, direction overrides and half letters as `\\x1b`."""
    return "".join(letter if _plain(letter) else _escaped(letter) for letter in text)


def _plain(letter: str) -> bool:
    return letter == " " or unicodedata.category(letter)[0] not in "CZ"


def _escaped(letter: str) -> str:
    number = ord(letter)
    return (
        f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65_536 else f"\\U{number:08x}"
    )


def reason_of_row(word: str) -> str:
    """A row's reason in words; one that is not known as it is."""
    kind, _colon, name = word.partition(":")
    known = REASONS.get(kind)
    if known is None or ("{name}" in known and not name):
        return harmless(word[:VALUE])
    return _(known).format(name=harmless(name[:VALUE]))


def reason(thing: Thing, said: Mapping[str, Any]) -> str:
    """Why a thing is here, on one line."""
    if thing.kind == BATCH:
        return _(_DAMAGED)
    if thing.kind == PAYLOAD:
        values = said.get("values")
        text = say(str(said.get("message") or ""), values if isinstance(values, dict) else {})
        return harmless(text or str(said.get("reason") or _(_UNKNOWN)))
    counted = Counter(reason_of_row(one["reason"]) for one in _open(said))
    if not counted:
        return _(_UNKNOWN)
    told = [text if n == 1 else f"{figure(n)} × {text}" for text, n in counted.most_common(3)]
    return "; ".join(told) + (" …" if len(counted) > len(told) else "")


def _open(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in quarantine.entries(said) if not one.get("accepted")]


def what(thing: Thing, said: Mapping[str, Any]) -> str:
    """ "3 rows", "answer, 48 kB", "damaged batch"."""
    if thing.kind == BATCH:
        return _("damaged batch")
    if thing.kind == ROWS:
        n = len(_open(said))
        return ngettext("{n} row", "{n} rows", n).format(n=figure(n))
    every = said.get("answers")
    n = len(every) if isinstance(every, list) else 1
    text = ngettext("answer, {size}", "{n} answers, {size}", n)
    return text.format(n=figure(n), size=size(thing.size))


def source(thing: Thing, said: Mapping[str, Any]) -> str:
    """The name of the source it came from."""
    return harmless(str(said.get("source") or thing.step)[:VALUE])


def line(settings: Settings, thing: Thing) -> str:
    """A thing in the list: what a person types to name it comes first."""
    said = quarantine.about(settings, thing)
    on = padded(day(thing.at.astimezone(settings.zone).date()), 12)
    told = f"{on}  {padded(what(thing, said), 16)} {reason(thing, said)}"
    return settings.redact(f"{padded(harmless(thing.id), 42)}  {told}")


def as_json(settings: Settings, thing: Thing) -> dict[str, object]:
    """A thing for programs: names and numbers are fixed, the sentence is not."""
    said = quarantine.about(settings, thing)
    return {
        "id": thing.id,
        "kind": thing.kind,
        "run_id": thing.run_id,
        "source": source(thing, said),
        "at": clock.stamp(thing.at),
        "bytes": thing.size,
        "rows": len(_open(said)) if thing.kind == ROWS else None,
        "reason": reason(thing, said),
    }


def shown(settings: Settings, thing: Thing) -> Iterator[str]:
    """A thing in full: what it is, then its rows by number, or the heads of its answers."""
    said = quarantine.about(settings, thing)
    at = moment(settings, thing.at)
    yield settings.redact(harmless(thing.id))
    yield f"  {source(thing, said)} · {at} · {what(thing, said)}"
    yield f"  {reason(thing, said)}"
    if thing.accepted:
        yield "  " + _("Accepted; it is in the store.")
    if thing.kind == ROWS:
        for n, one in enumerate(quarantine.entries(said), 1):
            yield _row(n, one)
    elif thing.kind == PAYLOAD:
        yield from _heads(settings, thing, said)


def _row(n: int, one: Mapping[str, Any]) -> str:
    values = ", ".join(
        f"{harmless(str(name)[:60])}={harmless(str(value)[:VALUE])}" for name, value in one["row"].items()
    )
    by = one.get("accepted")
    why = (
        _("accepted by run {run_id}").format(run_id=harmless(str(by)[:40]))
        if by
        else reason_of_row(one["reason"])
    )
    return f"{n:>5}  {why}\n       {values}"


def _heads(settings: Settings, thing: Thing, said: Mapping[str, Any]) -> Iterator[str]:
    try:
        every = quarantine.answers(thing, said)
    except ValueError:
        # Shown all the same, as one.
        every = [({}, thing.path.read_bytes())]
    for asked, body in every[:ANSWERS]:
        params = asked.get("params")
        pairs = (
            " ".join(f"{name}={value}" for name, value in params.items()) if isinstance(params, dict) else ""
        )
        yield settings.redact("  " + harmless(f"{asked.get('url') or ''} {pairs}".strip()[: 4 * VALUE]))
        # Redacted before it is cut: half a secret is one, too.
        text = settings.redact_bytes(body[:_READ]).decode("utf-8", "replace")[:HEAD]
        yield from (f"    {harmless(part)}" for part in text.splitlines() or [""])
        if len(body) > len(text.encode()):
            yield "    … " + size(len(body))
    if len(every) > ANSWERS:
        yield "  " + _("and {n} more").format(n=figure(len(every) - ANSWERS))
