"""The command line: the only thing that ever starts a collection, whoever asks for it.

`python collect.py crypto` collects; `status`, `export` and `replay` look after what was collected.
Nothing heavy is imported before it is needed, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys

from collectors.options import Parser, parser, seconds
from storage.texts import _, say

# A name that type checkers know; importing it from typing would cost `--help` a tenth of its time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from storage.settings import Settings

# The names that the registry has; written here so that usage needs no import (a test compares).
PIPELINES = ("liquidity", "crypto", "news")
TRIGGERS = ("cli", "console", "api", "schedule", "catchup", "backfill")
WAIT_S = {"schedule": 1800.0, "catchup": 1800.0, "backfill": 600.0}
USAGE = 2


def _pipeline_parser() -> Parser:
    about = _("Collects pipelines in their fixed order and keeps every value once. Verbs: {verbs}.").format(
        verbs="status, gaps, backfill, export, replay, quarantine, doctor, schedule"
    )
    made = parser("", about, "python collect.py crypto")
    made.add_argument(
        "pipelines",
        nargs="+",
        metavar="PIPELINE",
        choices=(*PIPELINES, "all"),
        help=_("what to collect: {names} or all").format(names=", ".join(PIPELINES)),
    )
    made.add_argument("--trigger", choices=TRIGGERS, default="cli", help=_("who starts the run"))
    made.add_argument(
        "--wait", type=seconds, metavar="SECONDS", help=_("how many seconds to wait for a run under way")
    )
    made.add_argument(
        "--force", action="store_true", help=_("collect even where a scheduled start finds all fresh")
    )
    made.add_argument(
        "--after",
        nargs="+",
        default=[],
        metavar="PIPELINE",
        choices=(*PIPELINES, "all"),
        help=_("first see that these have run since their scheduled time of today"),
    )
    made.add_argument("--json", action="store_true", help=_("one JSON line per event"))
    # What the console says to the process that it starts.
    made.add_argument("--run-id", help=argparse.SUPPRESS)
    made.add_argument("--source", action="append", default=[], help=argparse.SUPPRESS)
    made.add_argument("--then-since", help=argparse.SUPPRESS)
    # What a task of Windows says, which has no environment of its own.
    made.add_argument("--setting", type=_setting, action="append", default=[], help=argparse.SUPPRESS)
    return made


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name.startswith("COLLECTOR_") or not equals:
        raise ValueError(text)
    return name, value


def _collect(argv: Sequence[str]) -> int:
    given = _pipeline_parser().parse_args(argv)
    os.environ.update(given.setting)
    from collectors import console_lines
    from collectors.pipeline import Start

    settings = _settings(given.demo)
    if unknown := _unknown_sources(given.source):
        sys.stderr.write(f"collect.py: {_('There is no source {name}.').format(name=unknown[0])}\n")
        return USAGE
    names = PIPELINES if "all" in given.pipelines else tuple(given.pipelines)
    wait_s = given.wait if given.wait is not None else WAIT_S.get(given.trigger, 0.0)
    start = Start(
        names,
        given.trigger,
        wait_s,
        given.force,
        given.run_id,
        os.environ.get("COLLECTOR_STARTER"),
        PIPELINES if "all" in given.after else tuple(given.after),
        frozenset(given.source),
    )
    code = _begin(settings, start, console_lines.Lines(settings, as_json=given.json))
    if given.then_since and code in (0, 1):
        # What was asked for together: the record, and the past of what it now holds.
        words = ["--since", given.then_since, *(["--demo"] if given.demo else [])]
        return _backfill([*words, *(["--json"] if given.json else [])])
    return code


def _begin(settings: Settings, start: Any, lines: Any) -> int:
    """Runs a Start; gives the exit code."""
    from storage.store_error import StoreError

    _prepare(settings)
    if "liquidity" in start.pipelines and sys.modules.get("pandas", 0) is None:
        # fredapi and yfinance cannot do without it.
        del sys.modules["pandas"]
    try:
        return _guarded(settings, start, lines.emit)
    except StoreError as problem:
        lines.problem(problem)
        return 3


def _unknown_sources(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    from collectors.registry import SOURCES

    return [name for name in names if name not in SOURCES]


def _guarded(settings: Settings, start: Any, emit: Callable[[dict[str, Any]], None]) -> int:
    import signal

    from collectors import pipeline

    def stop(*_unused: object) -> None:
        # A second SIGTERM must not break into the clean-up of the first.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise pipeline.Stopped

    signal.signal(signal.SIGTERM, stop)
    return pipeline.execute(settings, start, emit)


def _status(argv: Sequence[str]) -> int:
    from collectors import verbs

    return verbs.status(argv, _settings, _told)


def _gaps(argv: Sequence[str]) -> int:
    from collectors import verbs

    return verbs.gaps(argv, _settings, _told)


def _export(argv: Sequence[str]) -> int:
    from collectors import verbs

    return verbs.export(argv, _settings, _told)


def _replay(argv: Sequence[str]) -> int:
    from collectors import verbs

    return verbs.replay(argv, _settings, _prepare, _told)


def _backfill(argv: Sequence[str]) -> int:
    from collectors.backfill import command

    return command.run(argv, _settings, _told, _begin)


def _quarantine(argv: Sequence[str]) -> int:
    from collectors.quarantine import command

    return command.run(argv, _settings, _prepare, _told)


def _schedule(argv: Sequence[str]) -> int:
    from collectors.schedule import command

    return command.run(argv, _settings)


def _doctor(argv: Sequence[str]) -> int:
    from collectors.doctor import command

    return command.run(argv, _settings)


def _told(settings: Settings, act: Callable[[], int], *, as_json: bool = False) -> int:
    """What `act` gives; where store, ledger or disk is in its way, that is told on one line."""
    import sqlite3

    from collectors import console_lines
    from storage.store_error import StoreError, explained

    try:
        return act()
    except (StoreError, sqlite3.Error, OSError) as error:
        console_lines.Lines(settings, as_json=as_json).problem(explained(settings, error))
        return 3


VERBS: dict[str, Callable[[Sequence[str]], int]] = {
    "status": _status,
    "export": _export,
    "gaps": _gaps,
    "backfill": _backfill,
    "replay": _replay,
    "quarantine": _quarantine,
    "doctor": _doctor,
    "schedule": _schedule,
}


def _settings(demo: bool) -> Settings:
    from storage.settings import BadSetting, load

    try:
        return load(COLLECTOR_DEMO=True) if demo else load()
    except BadSetting as problem:
        sys.stderr.write(f"collect.py: {problem}\n")
        raise SystemExit(USAGE) from None


def _prepare(settings: Settings) -> None:
    """Makes the home and the log; a home that cannot be written ends with advice."""
    import sqlite3

    from storage import journal, landing, ledger, store_error
    from storage.settings import unusable

    try:
        landing.make_room(settings)
        ledger.require_writable(settings)
    except OSError as error:
        text = _("{folder} cannot be written ({reason}). Set COLLECTOR_HOME to a folder that can.")
        sys.stderr.write("collect.py: " + text.format(folder=settings.home, reason=error.strerror) + "\n")
        raise SystemExit(USAGE) from None
    except sqlite3.Error as error:
        problem = store_error.ledger_problem(settings, error)
        sys.stderr.write(f"collect.py: {say(problem.message, problem.values)}\n")
        raise SystemExit(USAGE if problem.code == "unexpected" else 3) from None
    try:
        settings.database.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        sys.stderr.write(f"collect.py: {unusable('COLLECTOR_DATABASE')}\n")
        raise SystemExit(USAGE) from None
    journal.open_log(settings)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit code of CONTRACT's table."""
    words = list(sys.argv[1:] if argv is None else argv)
    # Under pythonw there is no console; a closed one must not end a run.
    if words and words[0] in VERBS:
        return VERBS[words[0]](words[1:])
    return _collect(words)


def _leave(code: int) -> NoReturn:
    """Ends at once: everything is written, and taking the interpreter apart is a tenth of a run's time."""
    if "logging" in sys.modules:
        sys.modules["logging"].shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            # Nobody listens any more.
            continue
    os._exit(code)


if __name__ == "__main__":
    # DuckDB imports pandas with the first value that is bound, only to know NaT by sight: a third of a
    # run's time and 70 MB. None means "not installed".
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    # A body of 8 MB becomes 25,000 dicts, none of them in a cycle.
    gc.set_threshold(50_000)
    try:
        code = main()
    except KeyboardInterrupt:
        code = 130
    _leave(code)
