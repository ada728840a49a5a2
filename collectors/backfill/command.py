"""`collect.py backfill`: its options, what its plan says, and the run that follows it."""

from __future__ import annotations

import os

from storage.texts import _, ngettext

# A name that type checkers know; `backfill --help` loads nothing that it does not need.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from datetime import date
    from typing import Any

    from collectors.backfill.plan import Plan
    from storage.settings import Settings

MODES = ("missing", "failed", "all")
WAIT_S = 600.0
USAGE = 2


def run(
    argv: Sequence[str],
    parser_of: Callable[[str, str, str], argparse.ArgumentParser],
    settings_of: Callable[[bool], Settings],
    told: Callable[..., int],
    begin: Callable[..., int],
) -> int:
    """Plans, and fills unless only the plan is wanted; gives the exit code. `told` says what is in the way of
    a look at store and ledger, `begin` runs a Start."""
    parser = _parser(parser_of)
    given = parser.parse_args(argv)
    settings = settings_of(given.demo)
    import sqlite3

    from collectors import console_lines
    from collectors.backfill import plan
    from collectors.registry import SOURCES
    from storage.store_error import StoreError

    for name in given.source:
        if name not in SOURCES:
            parser.error(_("There is no source {name}.").format(name=name))
    wanted = plan.Want(given.mode, given.since, given.until, frozenset(given.source))
    if wanted.since and wanted.until and wanted.since > wanted.until:
        parser.error(_("--since is after --until"))

    def act() -> int:
        made = plan.make(settings, wanted)
        if given.plan and given.json:
            console_lines.put_json(as_json(made))
        elif given.plan:
            _show(made)
        elif not made.parts:
            _nothing(settings, made, given)
        else:
            if not given.json:
                console_lines.put(total(made))
            return _fill(settings, made, given, begin)
        return 0

    def guarded() -> int:
        try:
            return act()
        except (StoreError, sqlite3.Error, OSError):
            _give_up(settings, given.run_id)
            raise

    return told(settings, guarded, as_json=given.json)


def _give_up(settings: Settings, run_id: str | None) -> None:
    """The row that the console reserved ends, where nothing could be planned: nobody waits for it."""
    import sqlite3
    from contextlib import suppress

    from storage import ledger

    if run_id:
        with suppress(sqlite3.Error):
            ledger.finish(settings, run_id, "failed", 3, {})


def _parser(parser_of: Callable[[str, str, str], argparse.ArgumentParser]) -> argparse.ArgumentParser:
    about = _("Fills the days that are missing and can still be had, at the pace of the upstreams.")
    parser = parser_of(" backfill", about, "python collect.py backfill --since 2026-01-01 --plan")
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
        type=_seconds,
        default=WAIT_S,
        metavar="SECONDS",
        help=_("how many seconds to wait for a run under way"),
    )
    # What the console says to the process that it starts.
    import argparse

    parser.add_argument("--run-id", help=argparse.SUPPRESS)
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e6:
        raise ValueError(text)
    return value


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
    from storage import ledger

    if given.run_id:
        # Somebody filled it since the console asked.
        ledger.finish(settings, given.run_id, "skipped", 0, {}, "not_due")
    _remember(settings, made)
    if given.json:
        console_lines.put_json(as_json(made))
        return
    console_lines.put(_("Nothing to fill: no day is missing that can still be had."))
    _put_gone(made)


# ---------------------------------------------------------------- what a plan says


def total(made: Plan) -> str:
    """ "51 calls, 4.1 min, up to 17,000 rows of 42 steps"."""
    from collectors import console_lines

    calls = sum(part.calls for part in made.parts)
    text = ngettext(
        "{n} call, {minutes} min at the pace of the upstreams, up to {rows} rows",
        "{n} calls, {minutes} min at the pace of the upstreams, up to {rows} rows",
        calls,
    )
    return text.format(
        n=console_lines.number(calls),
        minutes=console_lines.decimal(made.minutes()),
        rows=console_lines.number(sum(part.rows for part in made.parts)),
    )


def lines(made: Plan) -> list[str]:
    """A line for every source: its days, and what they take."""
    from collectors import console_lines

    found = []
    for name in dict.fromkeys(part.source.name for part in made.parts):
        parts = made.of(name)
        days = sorted({day for part in parts for day in part.days})
        text = ngettext(
            "{source}: {n} day, {day}; {calls} calls, {minutes} min, up to {rows} rows",
            "{source}: {n} days, {day} to {until}; {calls} calls, {minutes} min, up to {rows} rows",
            len(days),
        )
        found.append(
            text.format(
                source=name,
                n=console_lines.number(len(days)),
                day=days[0].isoformat(),
                until=days[-1].isoformat(),
                calls=console_lines.number(sum(part.calls for part in parts)),
                minutes=console_lines.decimal(made.minutes(parts)),
                rows=console_lines.number(sum(part.rows for part in parts)),
            )
        )
    return found


def _show(made: Plan) -> None:
    from collectors import console_lines

    for line in lines(made) or [_("Nothing to fill: no day is missing that can still be had.")]:
        console_lines.put(line)
    _put_gone(made)
    if made.parts:
        console_lines.put(_("In all: {total}. Nobody was asked yet.").format(total=total(made)))


def _put_gone(made: Plan) -> None:
    from collectors import console_lines, gaps

    for gap in made.gone:
        console_lines.put(gaps.said(gap, console_lines.dated))


def as_json(made: Plan) -> dict[str, object]:
    """A plan for programs: one entry a source, and what cannot be had any more."""
    entries = []
    for name in dict.fromkeys(part.source.name for part in made.parts):
        parts = made.of(name)
        days = sorted({day for part in parts for day in part.days})
        entries.append(
            {
                "pipeline": parts[0].pipeline,
                "source": name,
                "table": parts[0].source.table.name,
                "from": days[0].isoformat(),
                "to": days[-1].isoformat(),
                "days": len(days),
                "items": [part.item for part in parts if part.item],
                "calls": sum(part.calls for part in parts),
                "minutes": round(made.minutes(parts), 1),
                "rows": sum(part.rows for part in parts),
            }
        )
    gone = [
        {
            "source": gap.source,
            "from": gap.since.isoformat(),
            "to": gap.until.isoformat(),
            "days": len(gap.days),
        }
        for gap in made.gone
    ]
    want = made.want
    return {
        "schema": 1,
        "mode": want.mode,
        "since": want.since.isoformat() if want.since else None,
        "until": (want.until or made.today).isoformat(),
        "plan": entries,
        "unrecoverable": gone,
        "calls": sum(part.calls for part in made.parts),
        "minutes": round(made.minutes(), 1),
        "rows": sum(part.rows for part in made.parts),
    }
