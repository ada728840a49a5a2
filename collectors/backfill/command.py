"""`collect.py backfill`: its options, what its plan says, and the run that follows it."""

from __future__ import annotations

import os

from collectors import options
from storage.texts import _

# A name that type checkers know; `backfill --help` loads nothing that it does not need.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from datetime import date
    from typing import Any

    from collectors.backfill.plan import Plan, Want
    from storage.settings import Settings

MODES = ("missing", "failed", "all")
WAIT_S = 600.0
USAGE = 2


def run(
    argv: Sequence[str],
    settings_of: Callable[[bool], Settings],
    told: Callable[..., int],
    begin: Callable[..., int],
) -> int:
    """Plans, and fills unless only the plan is wanted; gives the exit code. `told` says what is in the way of
    a look at store and ledger, `begin` runs a Start."""
    parser = _parser()
    given = parser.parse_args(argv)
    settings = settings_of(given.demo)
    import sqlite3

    wanted = _wanted(parser, given)

    from collectors import console_lines
    from collectors.backfill import plan, said
    from storage.store_error import StoreError

    def act() -> int:
        made = plan.make(settings, wanted)
        if given.plan and given.json:
            console_lines.put_json(said.as_json(made))
        elif given.plan:
            said.show(made)
        elif not made.parts:
            _nothing(settings, made, given)
        else:
            if not given.json:
                console_lines.put(said.total(made))
            return _fill(settings, made, given, begin)
        return 0

    def guarded() -> int:
        try:
            return act()
        except (StoreError, sqlite3.Error, OSError):
            _give_up(settings, given.run_id)
            raise

    return told(settings, guarded, as_json=given.json)


def _wanted(parser: argparse.ArgumentParser, given: Any) -> Want:
    """What the options ask for; a usage error where that cannot be."""
    from collectors.backfill import plan
    from collectors.registry import SOURCES

    for name in given.source:
        if name not in SOURCES:
            parser.error(_("There is no source {name}.").format(name=name))
    wanted = plan.Want(given.mode, given.since, given.until, frozenset(given.source))
    if wanted.since and wanted.until and wanted.since > wanted.until:
        parser.error(_("--since is after --until"))
    return wanted


def _give_up(settings: Settings, run_id: str | None) -> None:
    """The row that the console reserved ends, where nothing could be planned: nobody waits for it."""
    import sqlite3
    from contextlib import suppress

    from storage import ledger

    if run_id:
        with suppress(sqlite3.Error):
            ledger.finish(settings, run_id, "failed", 3, {})


def _parser() -> argparse.ArgumentParser:
    about = _("Fills the days that are missing and can still be had, at the pace of the upstreams.")
    parser = options.parser(" backfill", about, "python collect.py backfill --since 2026-01-01 --plan")
    parser.add_argument(
        "--since",
        type=_day,
        metavar="DATE",
        help=_("from that day on, also where the record begins later (default: the gaps of the record)"),
    )
    parser.add_argument("--until", type=_day, metavar="DATE", help=_("up to that day"))
    parser.add_argument(
        "--mode",
        choices=MODES,
        default=MODES[0],
        help=_("every missing day; those on which a run failed; or all, so that stored days are compared"),
    )
    parser.add_argument("--source", action="append", default=[], metavar="NAME", help=_("only this source"))
    parser.add_argument("--plan", action="store_true", help=_("ask nobody: say what it would take"))
    parser.add_argument("--json", action="store_true", help=_("one JSON object, or one JSON line per event"))
    parser.add_argument(
        "--wait",
        type=options.seconds,
        default=WAIT_S,
        metavar="SECONDS",
        help=_("how many seconds to wait for a run under way"),
    )
    # What the console says to the process that it starts.
    import argparse

    parser.add_argument("--run-id", help=argparse.SUPPRESS)
    return parser


def _day(text: str) -> date:
    from datetime import date

    from storage import clock

    day = date.fromisoformat(text)
    if day > clock.now().date():
        raise ValueError(text)
    return day


# argparse names the type in its message.
_day.__name__ = "date"


def _fill(settings: Settings, made: Plan, given: Any, begin: Callable[..., int]) -> int:
    from collectors import console_lines
    from collectors.backfill import plan
    from collectors.pipeline import Start
    from storage.records import BACKFILL

    start = Start(
        made.pipelines,
        BACKFILL,
        given.wait,
        run_id=given.run_id,
        starter=os.environ.get("COLLECTOR_STARTER"),
        work=lambda: plan.sources(settings, plan.make(settings, made.want)),
    )
    code = begin(settings, start, console_lines.Lines(settings, as_json=given.json))
    if code == 0:
        _remember(settings, made)
    return code


def _remember(settings: Settings, made: Plan) -> None:
    """That a year was filled: the console does not start that by itself again."""
    from collectors.backfill import plan
    from storage import ledger_past

    want = made.want
    whole = want.mode != "failed" and not want.only and not want.until
    # Between its start and its end a day may have begun.
    if made.begun and whole and want.since and want.since <= made.today - plan.YEAR + plan.SLACK:
        ledger_past.remember_filled(settings, want.since)


def _nothing(settings: Settings, made: Plan, given: Any) -> None:
    from collectors import console_lines
    from collectors.backfill import said
    from storage import ledger

    if given.run_id:
        # Somebody filled it since the console asked.
        ledger.finish(settings, given.run_id, "skipped", 0, {}, "not_due")
    _remember(settings, made)
    if given.json:
        console_lines.put_json(said.as_json(made))
        return
    console_lines.put(_("Nothing to fill: no day is missing that can still be had."))
    said.put_gone(made)
