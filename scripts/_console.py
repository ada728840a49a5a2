"""The console as a child process: whether one answers on a port, how it is started and how it ends.

Standard library only; start.py decides when.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from _venv import ROOT

if TYPE_CHECKING:
    from storage.settings import Settings

APP = "daily-data-collector"


def url(settings: "Settings") -> str:
    """Where a browser finds the console."""
    host = f"[{settings.bind}]" if ":" in settings.bind else settings.bind
    return f"http://{host}:{settings.port}"


def healthz(host: str, port: int, timeout_s: float = 5.0) -> dict[str, object] | None:
    """What our console says of itself there; None where nobody, or somebody else, answers."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", "/api/v1/healthz")
        said = json.loads(connection.getresponse().read(65_536))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return said if isinstance(said, dict) and said.get("app") == APP else None


def taken(host: str, port: int) -> bool:
    """Whether the port cannot be listened on. Asked both ways: a listener on every interface does
    not always stop one on a single address."""
    family, _kind, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as caller:
        caller.settimeout(1)
        if caller.connect_ex(address) == 0:
            return True
    with socket.socket(family) as listener:
        if os.name == "posix":
            # Else the closed connections of a console that just stopped would count.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError:
            return True
    return False


def console_command(settings: "Settings") -> list[str]:
    """The console as a child. It never opens a browser itself: it would before it can answer."""
    options = {
        "server.port": settings.port,
        "server.address": settings.bind,
        "server.headless": "true",
        "logger.hideWelcomeMessage": "true",
    }
    flags = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return [sys.executable, "-m", "streamlit", "run", "console_app.py", *flags]


def spawn(command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """A child that works in the project root."""
    # A group of their own: Ctrl-C reaches us alone, so that everything ends in one order.
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def open_browser(address: str) -> None:
    """Opens a browser where there is a screen: without one a text browser would take the terminal."""
    screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if screen or sys.platform in ("win32", "darwin"):
        webbrowser.open(address)


def gone(child: "subprocess.Popen[bytes]", until: float) -> bool:
    """Whether the child ended by `until` (monotonic seconds); waits for it that long."""
    try:
        child.wait(max(until - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        return False
    return True
