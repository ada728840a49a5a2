"""What was refused, kept until somebody has looked at it: rows, answers, and batches that the disk damaged.

A thing is named after its run and step:

- `RUN.STEP.json`: rows that were set aside, each with its reason;
- `RUN.STEP.payload`: the answers of a step that could not be read, one after the other, and in
  `RUN.STEP.reason.json` why, and what it takes to read them again;
- `RUN.STEP.CHECKSUM.parquet`: a landed batch that is not what was written.

The JSON says `schema` 1; a file of an earlier version has but `reason` and `rows`. Rows that were accepted
say in which run; what was accepted as a whole lies in `accepted/`. No secret is in any of it.
"""

import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from storage import clock
from storage.settings import Settings

ROWS, PAYLOAD, BATCH = "rows", "payload", "batch"
SCHEMA = 1
_ENDINGS = {".json": ROWS, ".payload": PAYLOAD, ".parquet": BATCH}
_REASON = ".reason.json"
# Beside letters and digits, what a name may have on every system.
_SAFE = "^=+-_~"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something came from, and the instant at which its upstream said it."""

    run_id: str
    step: str
    source: str
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Thing:
    """Something in quarantine. `id` is what a person calls it by; `at`: when its run began; `size` in
    bytes; `accepted`: it is in the store, and only remembered here."""

    id: str
    kind: str
    run_id: str
    step: str
    at: datetime
    size: int
    path: Path
    accepted: bool = False


def folder(settings: Settings) -> Path:
    """Where it lies."""
    return settings.home / "quarantine"


# ---------------------------------------------------------------- keeping


def keep_rows(settings: Settings, origin: Origin, rejected: Sequence[Mapping[str, object]]) -> None:
    """Keeps rows that were set aside: dicts with `row` and `reason`. Best effort, like `keep_payload`: a
    full disk loses the evidence, not the run."""
    about = {**_head(settings, origin, ROWS), "reason": "rows", "rows": list(rejected)}
    with suppress(OSError):
        _put(_file(settings, origin, ".json"), _text(settings, about))


def keep_payload(
    settings: Settings,
    origin: Origin,
    why: Mapping[str, object],
    ask: Mapping[str, object],
    answers: Sequence[tuple[Mapping[str, object], bytes]],
) -> None:
    """Keeps every answer of a step as it came but for the secrets in it. `why` has `reason` (a sentence)
    and its `message` and `values`; `ask` what the source knew when it asked; each answer what was asked."""
    bodies = [settings.redact_bytes(body) for _said, body in answers]
    said = [{**one, "bytes": len(body)} for (one, _body), body in zip(answers, bodies, strict=True)]
    about = {**_head(settings, origin, PAYLOAD), **why, "ask": ask, "answers": said}
    with suppress(OSError):
        _put(_file(settings, origin, ".payload"), b"".join(bodies))
        _put(_file(settings, origin, _REASON), _text(settings, about))


def _file(settings: Settings, origin: Origin, ending: str) -> Path:
    return (
        folder(settings)
        / f"{origin.run_id}.{quote(origin.step, safe=_SAFE, errors='backslashreplace')}{ending}"
    )


def _head(settings: Settings, origin: Origin, kind: str) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "kind": kind,
        "run_id": origin.run_id,
        "step": origin.step,
        "source": origin.source,
        "demo": settings.demo,
        "kept_at": clock.stamp(clock.now()),
        "observed_at": origin.observed_at.isoformat(),
    }


def _text(settings: Settings, about: Mapping[str, object]) -> bytes:
    return json.dumps(_plain(settings, about), ensure_ascii=True, allow_nan=False).encode()


def _plain(settings: Settings, value: object) -> object:
    """As JSON has it, without a secret: looked for before quotes and backslashes are escaped."""
    if isinstance(value, Mapping):
        return {settings.redact(str(name)): _plain(settings, one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(settings, one) for one in value]
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return settings.redact(value.isoformat() if isinstance(value, date) else str(value))


def _put(file: Path, content: bytes) -> None:
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".part")
    try:
        partial.write_bytes(content)
        os.replace(partial, file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


# ---------------------------------------------------------------- looking


def things(settings: Settings, *, accepted: bool = False) -> list[Thing]:
    """Everything in quarantine, or everything that was accepted, newest first. Opens no file."""
    place = folder(settings) / "accepted" if accepted else folder(settings)
    found = [thing for file in _files(place) if (thing := _thing(file, accepted))]
    return sorted(found, key=lambda thing: (thing.run_id, thing.id), reverse=True)


def _files(place: Path) -> list[Path]:
    try:
        return [file for file in place.iterdir() if file.is_file()]
    except OSError:
        # It is made with the first thing that comes into it.
        return []


def _thing(file: Path, accepted: bool) -> Thing | None:
    kind = _ENDINGS.get(file.suffix)
    run_id, dot, step = file.stem.partition(".")
    if kind is None or not dot or file.name.endswith(_REASON):
        return None
    try:
        stat = file.stat()
    except OSError:
        # Somebody else removed it.
        return None
    try:
        at = datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        at = datetime.fromtimestamp(stat.st_mtime, UTC)
    named = unquote(step.rpartition(".")[0] if kind == BATCH else step)
    return Thing(file.stem, kind, run_id, named, at, stat.st_size, file, accepted)


def _reason_of(payload: Path) -> Path:
    return payload.with_name(payload.name.removesuffix(".payload") + _REASON)


def find(settings: Settings, words: str) -> list[Thing]:
    """What is called `words`, else everything whose name begins so; of what was accepted only where nothing
    else is. A `^` may be left out: the command line of Windows takes it away."""
    asked = words.replace("^", "")
    for accepted in (False, True):
        every = {one.id.replace("^", ""): one for one in things(settings, accepted=accepted)}
        if asked in every:
            return [every[asked]]
        found = [one for name, one in every.items() if asked and name.startswith(asked)]
        if found:
            return found
    return []


def about(settings: Settings, thing: Thing) -> dict[str, Any]:
    """What its JSON says, without what is a secret today; {} where it has none, or none that can be read."""
    if thing.kind == BATCH:
        return {}
    file = _reason_of(thing.path) if thing.kind == PAYLOAD else thing.path
    try:
        said = _plain(settings, json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def entries(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a thing, each a dict with `row` (a dict) and `reason`, and `accepted` where it was."""
    every = said.get("rows")
    found = [one if isinstance(one, dict) else {} for one in (every if isinstance(every, list) else [])]
    return [
        {
            **one,
            "row": one["row"] if isinstance(one.get("row"), dict) else {},
            "reason": str(one.get("reason")),
        }
        for one in found
    ]


def answers(thing: Thing, said: Mapping[str, Any]) -> list[tuple[dict[str, Any], bytes]]:
    """The answers of a payload, each with what was asked; one of an earlier version is the last answer
    alone. Raises ValueError where the file is not as long as what is said of it."""
    body = thing.path.read_bytes()
    every = said.get("answers")
    if not isinstance(every, list):
        return [({}, body)]
    found, start = [], 0
    for one in every:
        length = one.get("bytes") if isinstance(one, dict) else None
        if not isinstance(length, int) or length < 0:
            raise ValueError("answers")
        found.append((one, body[start : start + length]))
        start += length
    if start != len(body):
        raise ValueError("bytes")
    return found


# ---------------------------------------------------------------- letting go


def accept(settings: Settings, thing: Thing, run_id: str, numbers: Sequence[int] = ()) -> None:
    """Notes that `run_id` has stored a thing, of rows those with these numbers (from 1 on). Once all of it
    is stored it goes to `accepted/`."""
    said = about(settings, thing)
    if thing.kind == ROWS:
        rows = entries(said)
        said["rows"] = [
            {**row, "accepted": run_id} if n in numbers and not row.get("accepted") else row
            for n, row in enumerate(rows, 1)
        ]
        if not all(row.get("accepted") for row in said["rows"]):
            _put(thing.path, _text(settings, said))
            return
    aside = folder(settings) / "accepted"
    # First the copy that says so: whoever is killed in between accepts once more, which changes nothing.
    note = aside / (thing.path.name if thing.kind == ROWS else _reason_of(thing.path).name)
    _put(note, _text(settings, {**said, "accepted": run_id}))
    if thing.kind == ROWS:
        thing.path.unlink(missing_ok=True)
        return
    os.replace(thing.path, aside / thing.path.name)
    _reason_of(thing.path).unlink(missing_ok=True)


def drop(thing: Thing) -> None:
    """Removes a thing, for good."""
    thing.path.unlink(missing_ok=True)
    if thing.kind == PAYLOAD:
        _reason_of(thing.path).unlink(missing_ok=True)


def tidy(settings: Settings) -> None:
    """Removes what belongs to nothing any more: halves of files, reasons without their payload."""
    for place in (folder(settings), folder(settings) / "accepted"):
        for file in _files(place):
            alone = file.name.endswith(_REASON) and not _payload_of(file).exists()
            if alone or file.suffix == ".part":
                file.unlink(missing_ok=True)


def _payload_of(reason: Path) -> Path:
    return reason.with_name(reason.name.removesuffix(_REASON) + ".payload")
