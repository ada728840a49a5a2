"""Keeps every test, and every Python child of a test, on this machine: only loopback is reachable.

Python imports a module of this name by itself where the folder is on PYTHONPATH; conftest.py puts
it there for children and installs the same hook in the test run.
"""

import sys

# What was asked for and refused in this process; conftest.py fails the test that asked.
refused: list[str] = []


class Outside(ConnectionRefusedError):
    """Something tried to leave this machine."""


def is_local(host: str) -> bool:
    """Whether `host` is this machine; empty means any of its interfaces."""
    import ipaddress

    if host.lower() in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def hook(event: str, arguments: tuple[object, ...]) -> None:
    """The audit hook: it also sees what a library does below `socket.socket`."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        asked = address[0] if isinstance(address, tuple) else ""
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        asked = arguments[0]
    else:
        return
    host = asked.decode("ascii", "replace") if isinstance(asked, bytes) else str(asked or "")
    if host.endswith(".invalid"):
        # Reserved never to exist: the way to test a name that does not resolve, without asking anybody.
        import socket

        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if not is_local(host):
        refused.append(f"{event} {host}")
        raise Outside(f"a test may not reach {host}")


if __name__ == "sitecustomize":
    sys.addaudithook(hook)
