"""start.py: what it refuses, and what it finds running.

The environment counts as made; the settings and the store are the real ones.
"""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import _console
import _venv
import start
from storage import db
from storage.settings import load

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def prepared(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As if `.venv` were there and this process ran in it."""
    monkeypatch.setattr(_venv, "ensure", lambda requirements: Path(sys.executable))
    monkeypatch.setattr(_venv, "inside", lambda: True)
    return home


@contextmanager
def answering(body: bytes, status: int = 200) -> Iterator[int]:
    """A server on loopback that answers everything with `body`; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ------------------------------------------------------------- what is there already


@pytest.mark.parametrize("body", [b"<html>another program</html>", b'{"app": "other"}', b"[]", b""])
def test_a_port_of_another_program_ends_with_2_and_advice(
    body: bytes, prepared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(body) as port:
        assert start.main(["--port", str(port), "--no-browser"]) == 2
    assert f"--port {port + 1}" in capsys.readouterr().err
    assert not prepared.exists()


def test_a_port_that_only_listens_and_never_speaks_is_another_programs() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        assert _console.taken("127.0.0.1", port)
        assert _console.healthz("127.0.0.1", port, timeout_s=0.2) is None


def test_a_port_that_is_bound_but_does_not_listen_is_taken() -> None:
    with socket.socket() as quiet:
        quiet.bind(("127.0.0.1", 0))
        assert _console.taken("127.0.0.1", quiet.getsockname()[1])
    assert not _console.taken("127.0.0.1", free_port())


@pytest.mark.parametrize("status", [200, 503])
def test_a_second_start_says_where_ours_runs_and_touches_nothing(
    status: int, prepared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = json.dumps({"app": "daily-data-collector", "demo": False}).encode()
    with answering(body, status) as port:
        assert start.main(["--port", str(port)]) == 0
    assert f"http://127.0.0.1:{port}" in capsys.readouterr().out
    assert not prepared.exists()


def test_a_second_start_says_so_when_the_other_shows_demo_data(
    prepared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(b'{"app": "daily-data-collector", "demo": true}') as port:
        assert start.main(["--port", str(port)]) == 0
    assert "demo data" in capsys.readouterr().out


# ------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COLLECTOR_PORT", "http"),
        ("COLLECTOR_TIMEZONE", "Seoul"),
        ("COLLECTOR_BIND", "0.0.0.0"),
        ("COINGECKO_API_KEY", "CANARY\x07key"),
    ],
)
def test_a_bad_setting_ends_with_2_and_its_name(
    name: str, value: str, prepared: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert start.main(["--no-browser"]) == 2
    said = capsys.readouterr()
    assert name in said.err
    assert "CANARY" not in said.err + said.out
    assert not prepared.exists()


def test_a_port_out_of_range_ends_with_2(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start.main(["--port", "65536"]) == 2
    assert "COLLECTOR_PORT" in capsys.readouterr().err


def test_a_damaged_store_is_not_started_on(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepared.mkdir()
    (prepared / "console.duckdb").touch()
    assert start.main(["--port", str(free_port()), "--no-browser"]) == 1
    assert "console.duckdb" in capsys.readouterr().err
    assert (prepared / "console.duckdb").stat().st_size == 0


def damage(ledger: Path, how: str) -> bytes:
    """Makes a ledger that is damaged in one way; what the file holds then."""
    from storage import ledger_file

    if how == "empty":
        ledger.parent.mkdir(parents=True)
        ledger.touch()
    else:
        ledger_file.connect(load()).close()
        whole = bytearray(ledger.read_bytes())
        damaged = slice(0, 4096) if how == "head" else slice(4096, len(whole))
        whole[damaged] = b"\xa5" * len(whole[damaged])
        ledger.write_bytes(whole)
    return ledger.read_bytes()


@pytest.mark.parametrize("how", ["head", "tables", "empty"])
def test_a_damaged_ledger_is_not_started_on(
    how: str, prepared: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = damage(prepared / "ledger.sqlite", how)
    monkeypatch.setattr(start, "serve", lambda *_, **__: pytest.fail("the console was started"))
    assert start.main(["--port", str(free_port()), "--no-browser"]) == 1
    assert "Move ledger.sqlite aside" in capsys.readouterr().err
    assert (prepared / "ledger.sqlite").read_bytes() == held


def test_a_whole_ledger_and_none_are_started_on(prepared: Path) -> None:
    from storage import ledger_file

    assert start.store_ready(load())
    ledger_file.connect(load()).close()
    assert start.store_ready(load())


def test_a_store_that_is_being_written_does_not_keep_the_console_away(
    prepared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def busy(settings: object) -> None:
        raise db.StoreBusy("busy", "somebody writes")

    monkeypatch.setattr(db, "migrate", busy)
    assert start.store_ready(load())
    assert "somebody writes" in capsys.readouterr().out


# ---------------------------------------------------------------- the command itself


def test_outside_the_environment_it_runs_itself_again_with_the_same_words(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[tuple[Path, list[str]]] = []
    monkeypatch.setattr(_venv, "ensure", lambda requirements: _venv.python())
    monkeypatch.setattr(_venv, "inside", lambda: False)
    monkeypatch.setattr(_venv, "reenter", lambda script, words: again.append((script, words)) or 7)
    assert start.main(["--demo", "--port", "9000"]) == 7
    assert again == [(ROOT / "scripts" / "start.py", ["--demo", "--port", "9000"])]


def test_help_needs_nothing_but_the_standard_library() -> None:
    # -S: no installed package can be imported.
    command = [sys.executable, "-S", str(ROOT / "scripts" / "start.py"), "--help"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    assert "--no-browser" in said.stdout
