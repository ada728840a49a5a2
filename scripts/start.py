"""The one command that brings everything up: environment, store, console, and what is not fresh.

Standard library only until the environment exists; then it runs itself again inside it.
"""

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import _venv
from _console import console_command, gone, healthz, open_browser, spawn, taken, url
from _venv import ROOT, say
from storage import texts
from storage.texts import _

if TYPE_CHECKING:
    from storage.settings import Settings

START_S = 120.0
STOP_S = 10.0
# How long a collection that was asked to stop may take before it is told again.
CANCEL_S = 6.0


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0 stopped or already running, 1 could not, 2 bad setting or port, 143 SIGTERM."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(words)
    try:
        _venv.ensure("requirements.txt")
    except _venv.CannotPrepare as error:
        print(error, file=sys.stderr)
        return 1
    if not _venv.inside():
        return _venv.reenter(Path(__file__).resolve(), words)
    return bring_up(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=_("Installs what is needed, starts the console and collects whatever is not fresh."),
        epilog=_("Example: {command}").format(command="python scripts/start.py --demo"),
    )
    parser.add_argument("--demo", action="store_true", help=_("invented data, in a store of its own"))
    parser.add_argument("--port", type=int, metavar="N", help=_("port of the console (default: 8501)"))
    parser.add_argument("--no-browser", action="store_true", help=_("do not open a browser"))
    return parser


def bring_up(arguments: argparse.Namespace) -> int:
    """Everything after the environment: settings, port, store, console."""
    from storage.settings import BadSetting, load

    given: dict[str, object] = {"COLLECTOR_DEMO": True} if arguments.demo else {}
    if arguments.port is not None:
        given["COLLECTOR_PORT"] = arguments.port
    try:
        settings = load(**given)
    except BadSetting as error:
        print(error, file=sys.stderr)
        return 2
    running = healthz(settings.bind, settings.port)
    if running:
        return _already_there(settings, running)
    if taken(settings.bind, settings.port):
        advice = _("Port {port} is not free: another program has it. Choose another one: {command}")
        command = f"python scripts/start.py --port {settings.port + 1}"
        print(advice.format(port=settings.port, command=command), file=sys.stderr)
        return 2
    if not store_ready(settings):
        return 1
    return serve(settings, browse=not arguments.no_browser)


def _already_there(settings: "Settings", running: Mapping[str, object]) -> int:
    say(_("The console already runs at {url}").format(url=url(settings)))
    if running.get("demo", settings.demo) != settings.demo:
        kind = _("real") if settings.demo else _("demo")
        say(_("It shows {kind} data; another --port starts a second one.").format(kind=kind))
    return 0


def store_ready(settings: "Settings") -> bool:
    """Creates or migrates the store. False where it, or the ledger, must not be used; the reason is
    printed."""
    from storage import db, ledger

    try:
        ledger.runs(settings)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            advice = _("The ledger cannot be read. Move ledger.sqlite aside; nothing was deleted.")
            print(advice, file=sys.stderr)
            return False
    try:
        db.migrate(settings)
    except db.StoreBusy as error:
        # Somebody writes just now: the console shows what is there, and the run migrates.
        say(texts.say(error.message, error.values))
    except db.StoreError as error:
        print(texts.say(error.message, error.values), file=sys.stderr)
        return False
    except OSError as error:
        note = _("{home} cannot be written ({reason}): the console only shows what is there.")
        say(note.format(home=settings.home, reason=error.strerror or error))
    return True


def serve(settings: "Settings", *, browse: bool) -> int:
    """Console and catch-up until the console ends or somebody stops us; the exit code."""
    starter = uuid.uuid4().hex
    environment = {**os.environ, "COLLECTOR_STARTER": starter, "COLLECTOR_PORT": str(settings.port)}
    environment |= {"COLLECTOR_DEMO": "1"} if settings.demo else {}
    children: list[subprocess.Popen[bytes]] = []
    _on_signals(_stopped)
    try:
        children.append(spawn(console_command(settings), environment))
        if not _answers(children[0], settings):
            return _never_came(children[0], settings)
        say(_("The console runs at {url}   (Ctrl-C stops it)").format(url=url(settings)))
        if browse:
            open_browser(url(settings))
        stale = not_fresh(environment)
        if stale:
            children.append(
                spawn([sys.executable, "collect.py", *stale, "--trigger", "catchup"], environment)
            )
        return _watch(settings, environment, children)
    except KeyboardInterrupt:
        return 0
    finally:
        close(settings, starter, children)


def _stopped(number: int, _frame: object) -> None:
    # Only the first one counts: a second Ctrl-C must not leave children behind.
    _on_signals(signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


def _on_signals(handler: "signal._HANDLER") -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), handler)


def _answers(console: "subprocess.Popen[bytes]", settings: "Settings") -> bool:
    give_up = time.monotonic() + START_S
    while console.poll() is None and time.monotonic() < give_up:
        if healthz(settings.bind, settings.port) and console.poll() is None:
            return True
        time.sleep(0.2)
    return False


def _never_came(console: "subprocess.Popen[bytes]", settings: "Settings") -> int:
    code = console.poll()
    running = healthz(settings.bind, settings.port) if code is not None else None
    if running:
        # Two starts at the same instant: the other one was first.
        return _already_there(settings, running)
    if code is None:
        problem = _("The console did not answer within {n} seconds.").format(n=int(START_S))
    else:
        problem = _("The console ended with code {code}; what it said stands above.").format(code=code)
    print(problem, file=sys.stderr)
    return 1


def not_fresh(environment: Mapping[str, str]) -> list[str]:
    """The pipelines that `collect.py status` does not call fresh; none where it cannot say."""
    question = [sys.executable, "collect.py", "status", "--json"]
    try:
        said = subprocess.run(
            question, cwd=ROOT, env=environment, capture_output=True, check=False, timeout=60
        )
        pipelines = json.loads(said.stdout)["pipelines"]
        return [name for name, state in pipelines.items() if state["freshness"] != "fresh"]
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError, AttributeError):
        advice = _("What is fresh could not be told; nothing is collected now. See: {command}")
        say(advice.format(command="python collect.py status"))
        return []


def _watch(
    settings: "Settings", environment: Mapping[str, str], children: list["subprocess.Popen[bytes]"]
) -> int:
    """Until the console ends. When the first collection is over, the year before it is filled in."""
    console, collection = children[0], children[-1]
    looked = settings.demo
    # Polled, because a wait without an end cannot be interrupted on Windows.
    while console.poll() is None:
        if not looked and (collection is console or collection.poll() is not None):
            looked = True
            since = year_to_fill(settings)
            if since is not None:
                words = [sys.executable, "collect.py", "backfill", "--since", since]
                children.append(spawn(words, environment))
        time.sleep(0.25)
    print(_("The console ended with code {code}.").format(code=console.returncode), file=sys.stderr)
    return 1


def year_to_fill(settings: "Settings") -> str | None:
    """The day a year ago, where no backfill has come to its end yet; one that was cancelled or killed goes on
    where it was."""
    from storage import ledger_past

    try:
        if ledger_past.filled_since(settings) is not None:
            return None
    except (sqlite3.Error, OSError):
        # What is wrong with the ledger the console tells.
        return None
    return (datetime.now(UTC).date() - timedelta(days=365)).isoformat()


def close(settings: "Settings", starter: str, children: Sequence["subprocess.Popen[bytes]"]) -> None:
    """Cancels the runs that this console started and ends the console; at most about ten seconds."""
    _on_signals(signal.SIG_IGN)
    try:
        cancel(settings, starter)
    finally:
        _stop(children)


def cancel(settings: "Settings", starter: str) -> None:
    """Asks the runs of this console, and no other, to stop."""
    from storage import ledger

    try:
        ledger.cancel_started_by(settings, starter)
    except (sqlite3.Error, OSError) as error:
        print(_("A run could not be asked to stop: {reason}").format(reason=error), file=sys.stderr)


def _stop(children: Sequence["subprocess.Popen[bytes]"]) -> None:
    """The console at once, a collection when it had time to hear that it is cancelled."""
    began = time.monotonic()
    for console in children[:1]:
        console.terminate()
    for collection in children[1:]:
        if not gone(collection, began + CANCEL_S):
            collection.terminate()
    for child in children:
        if not gone(child, began + STOP_S):
            child.kill()
            child.wait()


if __name__ == "__main__":
    sys.exit(main())
