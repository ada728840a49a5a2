"""Who answers on the console's own port: nobody, our console, or another program. Asks this machine only."""

import http.client
import json
import socket

from collectors.doctor.case import Case
from collectors.doctor.finding import Finding, fail, ok, warn
from storage.settings import APP, VERSION
from storage.texts import _

_CONNECT_S, _ANSWER_S = 0.5, 2.0
_TRIES = 20


def console(case: Case) -> Finding:
    """Reachable, and of this version."""
    host, port = case.settings.bind, case.settings.port
    if case.inside:
        return ok("console", _("It answers: it shows this page."))
    address = f"{f'[{host}]' if ':' in host else host}:{port}"
    if not _listens(host, port):
        text = _("It does not run; {command} starts it at {address}.")
        return ok("console", text.format(command="python scripts/start.py", address=f"http://{address}"))
    said = _healthz(host, port)
    if said.get("app") != APP:
        text = _("Another program listens on {address}.").format(address=address)
        command = f"python scripts/start.py --port {_free(host, port)}"
        advice = _("Start the console on another port: {command}").format(command=command)
        return fail("console", text, advice)
    if said.get("version") != VERSION:
        text = _("The console at {address} is of version {version}, this program of {ours}.")
        message = text.format(address=f"http://{address}", version=said.get("version"), ours=VERSION)
        return warn(
            "console",
            message,
            _("End it and start it again: {command}").format(command="python scripts/start.py"),
        )
    return ok("console", _("It answers at {address}.").format(address=f"http://{address}"))


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=_CONNECT_S).close()
    except OSError:
        return False
    return True


def _healthz(host: str, port: int) -> dict[str, object]:
    """What it says of itself; nothing where it does not speak as ours does."""
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/api/v1/healthz")
        said = json.loads(connection.getresponse().read(65_536))
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return {}
    finally:
        connection.close()
    return said if isinstance(said, dict) else {}


def _free(host: str, port: int) -> int:
    """The next port on which nobody listens."""
    others = [one for one in range(port + 1, port + _TRIES) if one < 65_536]
    return next((one for one in others if not _listens(host, one)), 8501)
