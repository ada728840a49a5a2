"""The way out of this machine is shut, in the test run and in every Python child."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.guard import sitecustomize as guard

# 192.0.2.0/24 is for documentation: nobody is there, should the guard ever fail.
NOWHERE = "192.0.2.1"


@pytest.fixture
def forgiven() -> Iterator[None]:
    """What this test asks for on purpose does not fail it."""
    yield
    guard.refused.clear()


def test_another_host_is_refused_and_remembered(forgiven: None) -> None:
    with socket.socket() as caller, pytest.raises(guard.Outside):
        caller.connect((NOWHERE, 80))
    with pytest.raises(guard.Outside):
        socket.getaddrinfo("example.org", 443)
    assert guard.refused == [f"socket.connect {NOWHERE}", "socket.getaddrinfo example.org"]


def test_a_child_is_held_back_too() -> None:
    code = f"import socket; socket.create_connection(({NOWHERE!r}, 80), timeout=1)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert f"a test may not reach {NOWHERE}" in said.stderr


def test_a_name_that_never_exists_fails_as_names_do() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("coingecko.invalid", 443)
    assert guard.refused == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost", "", "0.0.0.0"])
def test_this_machine_can_be_reached(host: str) -> None:
    assert guard.is_local(host)


@pytest.mark.parametrize("host", ["127.evil.example", "10.0.0.1", "localhost.example", "2001:db8::1"])
def test_what_only_looks_like_this_machine_cannot(host: str) -> None:
    assert not guard.is_local(host)
