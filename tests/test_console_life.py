"""The life of a console that start.py brought up: what it collects, and how it is stopped.

The console and the collection are small stand-ins; the settings, the store and the ledger are real.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import start
from storage import ledger, ledger_past
from storage.settings import load

ROOT = Path(__file__).resolve().parent.parent
CONSOLE = """
    import http.server, json, pathlib, sys
    pathlib.Path("console.pid").write_text(str(__import__("os").getpid()))
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"app": "daily-data-collector"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *words):
            pass
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
COLLECT = """
    import json, os, pathlib, sys, time
    sys.path.insert(0, ROOT)
    from storage import ledger
    from storage.settings import load
    if sys.argv[1] == "status":
        print(json.dumps({"pipelines": {"crypto": {"freshness": "late"}, "news": {"freshness": "fresh"},
                                        "liquidity": {"freshness": "never"}}}))
        sys.exit()
    settings = load()
    ledger.reserve(settings, "run-1", ["crypto"], "catchup", os.environ["COLLECTOR_STARTER"])
    pathlib.Path("collect.json").write_text(json.dumps({"words": sys.argv[1:], "demo": settings.demo}))
    while not ledger.heartbeat(settings, "run-1"):
        time.sleep(0.05)
    pathlib.Path("cancelled").touch()
"""
DRIVER = """
    import argparse, pathlib, sys
    sys.path[:0] = [ROOT, ROOT + "/scripts"]
    import _console, start
    folder = pathlib.Path(sys.argv[1])
    _console.ROOT = start.ROOT = folder
    start.console_command = lambda settings: [sys.executable, "console.py", str(settings.port)]
    words = argparse.Namespace(demo=True, port=int(sys.argv[2]), no_browser=True)
    sys.exit(start.bring_up(words))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def life(home: Path, tmp_path: Path) -> Path:
    """A folder with a console and a collection to stand in for the real ones."""
    for name, text in (("console.py", CONSOLE), ("collect.py", COLLECT), ("driver.py", DRIVER)):
        (tmp_path / name).write_text(f"ROOT = {str(ROOT)!r}\n{textwrap.dedent(text)}", encoding="utf-8")
    return tmp_path


def appears(file: Path, within_s: float = 20.0) -> None:
    give_up = time.monotonic() + within_s
    while not file.exists() or not file.stat().st_size:
        assert time.monotonic() < give_up, f"{file.name} did not appear"
        time.sleep(0.05)


def exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_being_stopped_cancels_its_own_run_and_ends_the_console(
    number: signal.Signals, code: int, life: Path
) -> None:
    port = free_port()
    command = [sys.executable, str(life / "driver.py"), str(life), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        appears(life / "collect.json")
        began = time.monotonic()
        driver.send_signal(number)
        driver.send_signal(number)
        said, _none = driver.communicate(timeout=20)
    assert driver.returncode == code
    assert time.monotonic() - began < 10
    assert said == f"The console runs at http://127.0.0.1:{port}   (Ctrl-C stops it)\n"
    collected = json.loads((life / "collect.json").read_text())
    assert collected == {"words": ["crypto", "liquidity", "--trigger", "catchup"], "demo": True}
    assert (life / "cancelled").exists()
    assert not exists(int((life / "console.pid").read_text()))


def test_a_run_of_somebody_else_is_not_cancelled(home: Path) -> None:
    settings = load()
    ledger.reserve(settings, "theirs", ["crypto"], "schedule", "another console")
    start.cancel(settings, "this console")
    assert not ledger.heartbeat(settings, "theirs")
    start.cancel(settings, "another console")
    assert ledger.heartbeat(settings, "theirs")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_console_that_dies_at_once_is_reported_with_its_code(life: Path) -> None:
    (life / "console.py").write_text("raise SystemExit(9)\n")
    command = [sys.executable, str(life / "driver.py"), str(life), str(free_port())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "code 9" in done.stderr
    assert not (life / "collect.json").exists()


def test_a_status_that_cannot_be_read_collects_nothing(
    life: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "ROOT", life)
    assert start.not_fresh(dict(os.environ)) == ["crypto", "liquidity"]
    (life / "collect.py").write_text("print('{')\n")
    assert start.not_fresh(dict(os.environ)) == []
    assert "collect.py status" in capsys.readouterr().out


class _Child:
    """A process that ends after so many looks."""

    returncode = 0

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def poll(self) -> int | None:
        self.looks -= 1
        return None if self.looks > 0 else 0


@pytest.mark.parametrize(
    ("collects", "filled", "demo", "expected"),
    [
        (True, False, False, 1),
        (False, False, False, 1),
        (True, True, False, 0),
        (True, False, True, 0),
    ],
    ids=["after the first collection", "with all fresh", "once", "never a demo"],
)
def test_the_year_before_is_filled_in_once_after_the_first_collection(
    home: Path, monkeypatch: pytest.MonkeyPatch, collects: bool, filled: bool, demo: bool, expected: int
) -> None:
    settings = load(COLLECTOR_DEMO=True) if demo else load()
    if filled:
        ledger_past.remember_filled(settings, date(2025, 11, 23))
    started: list[list[str]] = []
    after: list[bool] = []
    collection = _Child(3)

    def spawn(command: list[str], _environment: object) -> _Child:
        started.append(command)
        after.append(collection.looks <= 0)
        return _Child(1)

    monkeypatch.setattr(start, "spawn", spawn)
    monkeypatch.setattr(start.time, "sleep", lambda _seconds: None)
    children: list[object] = [_Child(8), *([collection] if collects else [])]
    assert start._watch(settings, {}, children) == 1  # type: ignore[arg-type]
    assert len(started) == expected and len(children) == 1 + collects + expected
    if expected:
        since = (datetime.now(UTC).date() - timedelta(days=365)).isoformat()
        assert started[0][1:] == ["collect.py", "backfill", "--since", since]
        assert not collects or after == [True]
