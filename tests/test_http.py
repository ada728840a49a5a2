"""The network layer against servers that misbehave: FAULTS A and B, over real sockets on loopback."""

import gzip
import json
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
import trustme

from collectors.body import Body, Broken
from collectors.http import Http, Tally, redact
from collectors.model import Answer, Changed, CollectError, Plan, Refused, Request, Unavailable
from storage import clock
from storage.hosts import SCHEMA, Hosts
from tests.toxic import (
    Play,
    Toxic,
    blackhole,
    closed_port,
    drip,
    flood,
    head,
    late,
    raw,
    reply,
    reset,
    silent,
    zipped,
)

CANARY = "CANARY-5f1c"
KEYED = Plan("demo", secrets={"x-cg-demo-api-key": "COINGECKO_API_KEY"}, pace_s=0.0)
OPEN = Plan("open", pace_s=0.0)

Make = Callable[..., Http]


@pytest.fixture
def hosts(tmp_path: Path) -> Hosts:
    file = tmp_path / "ledger.sqlite"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    with closing(connect()) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(SCHEMA)
    return Hosts(connect)


@pytest.fixture
def make(hosts: Hosts) -> Make:
    """An Http whose backoff takes no time and whose secrets are canaries."""

    def build(**named: object) -> Http:
        settings: dict[str, object] = {"secret": lambda name: CANARY, "pace_s": None, "timeout_s": 2.0}
        settings |= {"random": lambda: 0.0} | named
        return Http(hosts, **settings)  # type: ignore[arg-type]

    return build


def ask(
    http: Http, url: str, *, plan: Plan = OPEN, budget_s: float = 30, tally: Tally | None = None, **named: int
) -> Answer:
    request = Request(url, **named)  # type: ignore[arg-type]
    return http.get(request, plan, until=time.monotonic() + budget_s, tally=tally)


def fails(
    http: Http, url: str, code: str, kind: type[CollectError] = Unavailable, **named: object
) -> CollectError:
    """The failure; none of it may show a secret, and all of it fits on one line."""
    with pytest.raises(kind) as caught:
        ask(http, url, **named)  # type: ignore[arg-type]
    error = caught.value
    assert error.code == code, str(error)
    assert CANARY not in f"{error} {error!r} {error.values} {error.__cause__} {error.__context__}"
    assert "\n" not in str(error)
    assert any(host in str(error) for host in ("127.0.0.1", "nowhere"))
    return error


# --- A: the network


def test_a01_nobody_listens(make: Make) -> None:
    tally = Tally()
    error = fails(make(), closed_port(), "connect", tally=tally)
    assert tally.sent == 4
    assert "next run tries again" in str(error)


def test_a02_a_name_without_an_address(make: Make) -> None:
    tally = Tally()
    fails(make(), "http://nowhere.invalid/x", "dns", tally=tally)
    assert tally.sent == 4


def test_a_name_server_that_hangs_does_not_hold_the_run(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def lookup(*args: object, **named: object) -> object:
        release.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "late")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    begun = time.monotonic()
    fails(make(timeout_s=0.5), "http://nowhere.test/x", "timeout")
    assert 0.4 < time.monotonic() - begun < 1.0
    release.set()


def test_a03_connecting_hangs(make: Make) -> None:
    begun = time.monotonic()
    tally = Tally()
    with blackhole() as url:
        fails(make(timeout_s=1.5), url, "timeout", tally=tally)
    assert time.monotonic() - begun < 2.0
    assert tally.sent > 1


def test_a04_accepts_and_never_answers(make: Make) -> None:
    begun = time.monotonic()
    with Toxic(silent, silent, reply()) as toxic:
        answer = ask(make(timeout_s=1.5), toxic.url)
        assert answer.body == b"[1]"
        assert toxic.hits == 3
    assert time.monotonic() - begun < 2.0


def test_a05_a_body_that_drips(make: Make) -> None:
    with Toxic(drip(b"x" * 200, 0.1, first=head(200, "Content-Length: 200"))) as toxic:
        begun = time.monotonic()
        fails(make(timeout_s=0.8), toxic.url, "timeout")
        assert time.monotonic() - begun < 1.3
        assert toxic.hits == 1


def test_a06_headers_that_drip(make: Make) -> None:
    with Toxic(drip(head(200, *["X-Slow: 1"] * 50), 0.05)) as toxic:
        begun = time.monotonic()
        fails(make(timeout_s=0.8), toxic.url, "timeout")
        assert time.monotonic() - begun < 1.3


def test_the_budget_of_the_caller_ends_it_too(make: Make) -> None:
    with Toxic(silent) as toxic:
        begun = time.monotonic()
        fails(make(timeout_s=10), toxic.url, "deadline", budget_s=0.5)
        assert time.monotonic() - begun < 1.0


def test_nothing_is_asked_when_the_budget_is_gone(make: Make) -> None:
    tally = Tally()
    with Toxic(reply()) as toxic:
        fails(make(), toxic.url, "deadline", budget_s=-1, tally=tally)
        assert (toxic.hits, tally.sent) == (0, 0)


def test_the_thread_of_an_abandoned_exchange_ends(make: Make) -> None:
    with Toxic(silent) as toxic:
        fails(make(timeout_s=30), toxic.url, "deadline", budget_s=0.3)
        ends = time.monotonic() + 2
        while any(thread.name == "http" for thread in threading.enumerate()) and time.monotonic() < ends:
            time.sleep(0.02)
        assert not [thread for thread in threading.enumerate() if thread.name == "http"]


@pytest.mark.parametrize(
    "first", [b"", head(200, "Content-Length: 100") + b"[1, 2, "], ids=["a07_before", "a08_in_the_body"]
)
def test_a_reset_is_retried_and_leaves_nothing_of_the_first_body(make: Make, first: bytes) -> None:
    with Toxic(reset(first), reply(200, b"[3]")) as toxic:
        assert ask(make(), toxic.url).body == b"[3]"
        assert toxic.hits == 2


def test_a_reset_for_ever_is_a_connection_fault(make: Make) -> None:
    with Toxic(reset()) as toxic:
        fails(make(), toxic.url, "connect")
        assert toxic.hits == 4


CUT_GZIP = gzip.compress(bytes(range(256)) * 200)[:-20]
CUT = {
    "a09_short_body": head(200, "Content-Length: 100") + b"[1, 2",
    "a10_chunked": head(200, "Transfer-Encoding: chunked") + b"5\r\n[1, 2\r\n",
    "a10_in_a_chunk": head(200, "Transfer-Encoding: chunked") + b"50\r\n[1, 2",
    "a11_gzip": head(200, "Content-Encoding: gzip", f"Content-Length: {len(CUT_GZIP)}") + CUT_GZIP,
    "damaged_gzip": head(200, "Content-Encoding: gzip", "Content-Length: 12") + b"\x1f\x8b\x08" + b"\xff" * 9,
}


@pytest.mark.parametrize("data", CUT.values(), ids=CUT)
def test_a_cut_body_is_noticed_retried_once_and_refused(make: Make, data: bytes) -> None:
    tally = Tally()
    with Toxic(raw(data)) as toxic:
        fails(make(), toxic.url, "truncated", tally=tally)
        assert (toxic.hits, tally.sent) == (2, 2)


@pytest.mark.parametrize("data", CUT.values(), ids=CUT)
def test_a_cut_body_once_is_only_a_retry(make: Make, data: bytes) -> None:
    with Toxic(raw(data), reply()) as toxic:
        assert ask(make(), toxic.url).body == b"[1]"


def test_a_body_that_is_shorter_than_promised_is_broken_whoever_reads_it() -> None:
    body = Body({"content-length": "10"}, 100)
    body.feed(b"123456789")
    with pytest.raises(Broken):
        body.whole()
    body.feed(b"0")
    assert body.whole() == b"1234567890"


def bomb(megabytes: int) -> Iterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    for _ in range(megabytes):
        yield packer.compress(bytes(1_000_000))
    yield packer.flush()


def test_a12_a_gzip_bomb_is_refused_before_it_is_unpacked(make: Make) -> None:
    data = b"".join(bomb(100))
    assert len(data) < 200_000
    with Toxic(flood(head(200, "Content-Encoding: gzip"), [data])) as toxic:
        tracemalloc.start()
        fails(make(), toxic.url, "too_large", Changed, max_bytes=4_000_000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert toxic.hits == 1
    assert peak < 16_000_000


def test_a13_gzip_in_gzip_is_refused(make: Make) -> None:
    inside = gzip.compress(gzip.compress(b"[1]"))
    with Toxic(zipped(b"[1]", layers=5), reply(200, inside, "Content-Encoding: gzip")) as toxic:
        http = make()
        assert "encoding" in str(fails(http, toxic.url, "parse", Changed))
        fails(http, toxic.url, "parse", Changed)
        assert toxic.hits == 2


@pytest.mark.parametrize("sized", [True, False])
def test_a14_a_huge_plain_body_is_capped(make: Make, sized: bool) -> None:
    first = head(200, "Content-Length: 200000000") if sized else head(200)
    with Toxic(flood(first, [bytes(1_000_000)] * 200)) as toxic:
        begun = time.monotonic()
        error = fails(make(), toxic.url, "too_large", Changed)
        assert time.monotonic() - begun < 2
        assert "32.0 MB" in str(error)
        assert toxic.hits == 1


def test_a15_a_slow_start_is_not_a_fault(make: Make) -> None:
    with Toxic(late(0.4, reply())) as toxic:
        assert ask(make(timeout_s=2), toxic.url).body == b"[1]"


def test_a15_hosts_are_waited_for_side_by_side(make: Make) -> None:
    http = make(timeout_s=3)
    with Toxic(late(0.5, reply())) as one, Toxic(late(0.5, reply())) as two:
        begun = time.monotonic()
        asking = [threading.Thread(target=ask, args=(http, toxic.url)) for toxic in (one, two)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        assert time.monotonic() - begun < 0.9
        assert (one.hits, two.hits) == (1, 1)


def test_a16_little_bandwidth_is_enough_when_the_body_is_small(make: Make) -> None:
    body = b"[" + b"1," * 20 + b"1]"
    with Toxic(drip(body, 0.01, first=head(200, f"Content-Length: {len(body)}"))) as toxic:
        assert ask(make(), toxic.url).body == body


def test_a17_one_byte_segments_give_the_same_bytes(make: Make) -> None:
    body = json.dumps([{"id": n} for n in range(200)]).encode()
    packed = gzip.compress(body) + gzip.compress(b"\n")
    size = f"{len(packed):x}\r\n".encode()
    first = head(200, "Transfer-Encoding: chunked", "Content-Encoding: gzip")
    with Toxic(drip(first + size + packed + b"\r\n0\r\n\r\n", 0)) as toxic:
        assert ask(make(), toxic.url).body == body + b"\n"


@pytest.mark.parametrize("wbits", [zlib.MAX_WBITS, -zlib.MAX_WBITS])
def test_both_kinds_of_deflate_are_read(make: Make, wbits: int) -> None:
    packer = zlib.compressobj(wbits=wbits)
    body = b"[" + b"0," * 400_000 + b"0]"
    packed = packer.compress(body) + packer.flush()
    with Toxic(reply(200, packed, "Content-Encoding: deflate")) as toxic:
        assert ask(make(), toxic.url).body == body


def tls_of(ca: trustme.CA, *names: str, expired: bool = False) -> ssl.SSLContext:
    gone = datetime.now(UTC) - timedelta(days=1) if expired else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names, not_after=gone).configure_cert(context)
    return context


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "ca.pem"))
    return ca


def test_a_trusted_certificate_is_accepted(make: Make, trusted: trustme.CA) -> None:
    with Toxic(reply(), tls=tls_of(trusted, "127.0.0.1")) as toxic:
        assert ask(make(), toxic.url).body == b"[1]"


@pytest.mark.parametrize("fault", ["unknown issuer", "expired", "wrong host"])
def test_a18_a_bad_certificate_is_refused_without_retry(make: Make, trusted: trustme.CA, fault: str) -> None:
    context = {
        "unknown issuer": lambda: tls_of(trustme.CA(), "127.0.0.1"),
        "expired": lambda: tls_of(trusted, "127.0.0.1", expired=True),
        "wrong host": lambda: tls_of(trusted, "other.test"),
    }[fault]()
    tally = Tally()
    with Toxic(reply(), tls=context) as toxic:
        fails(make(), toxic.url, "tls", Refused, plan=KEYED, tally=tally)
        assert (toxic.hits, tally.sent) == (0, 1)


def test_tls_asked_of_a_plain_server_is_refused(make: Make) -> None:
    with Toxic(reply()) as toxic, closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def answer_plainly() -> None:
            with closing(listener.accept()[0]) as peer:
                peer.recv(100)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer_plainly, daemon=True).start()
        fails(make(), f"https://127.0.0.1:{listener.getsockname()[1]}", "tls", Refused)
        assert toxic.hits == 0


def test_a19_a_redirect_loop_ends_after_two_hops(make: Make) -> None:
    with Toxic(reply(302, b"", "Location: /again")) as toxic:
        tally = Tally()
        fails(make(), toxic.url, "http_302", Refused, tally=tally)
        assert (toxic.hits, tally.sent) == (3, 3)


def test_a_redirect_on_the_same_host_is_followed_with_its_key(make: Make) -> None:
    with Toxic(reply(301, b"", "Location: /v2?x=1"), reply()) as toxic:
        assert ask(make(), toxic.url + "/v1", plan=KEYED).body == b"[1]"
        assert toxic.heads[1].startswith("GET /v2?x=1 HTTP")
        assert CANARY in toxic.heads[1]


@pytest.mark.parametrize(
    "scheme", ["http://localhost:{port}/", "//127.0.0.1:{port}/", "https://127.0.0.1:{port}/"]
)
def test_a20_a21_a_redirect_to_another_host_is_not_followed(make: Make, scheme: str) -> None:
    with Toxic(reply()) as other:
        with Toxic(reply(302, b"", f"Location: {scheme.format(port=other.port)}")) as toxic:
            fails(make(), toxic.url, "http_302", Refused, plan=KEYED)
            assert toxic.hits == 1
        assert other.hits == 0


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "http://169.254.169.254/x", "http://[::1", "http://u:p@127.0.0.1:{port}/", ""],
)
def test_a20_a_redirect_to_a_forbidden_place_is_refused(make: Make, target: str) -> None:
    plays: list[Play] = []
    with Toxic(lambda peer, toxic: plays[0](peer, toxic)) as toxic:
        plays.append(reply(307, b"", f"Location: {target.format(port=toxic.port)}"))
        fails(make(), toxic.url, "http_307", Refused)
        assert toxic.hits == 1


def test_the_body_of_a_redirect_is_not_unpacked(make: Make) -> None:
    packed = b"".join(bomb(100))
    with Toxic(flood(head(302, "Location: http://10.0.0.1/", "Content-Encoding: gzip"), [packed])) as toxic:
        tracemalloc.start()
        fails(make(), toxic.url, "http_302", Refused)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 16_000_000


def test_a22_proxy_and_netrc_of_the_environment_are_ignored(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Toxic(reply(500)) as proxy, Toxic(reply()) as toxic:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        assert ask(make(), toxic.url).body == b"[1]"
        assert proxy.hits == 0
        assert "authorization" not in toxic.heads[0].lower()


# --- B: status and rate limits


def test_b01_two_errors_then_an_answer(make: Make) -> None:
    tally = Tally()
    with Toxic(reply(500), reply(500), reply()) as toxic:
        assert ask(make(), toxic.url, tally=tally).body == b"[1]"
        assert (toxic.hits, tally.sent) == (3, 3)


def test_b02_an_error_for_ever_is_four_requests_and_one_failure(make: Make) -> None:
    with Toxic(reply(503)) as toxic:
        for n in range(1, 6):
            fails(make(), toxic.url, "http_503")
            assert toxic.hits == 4 * n
        fails(make(), toxic.url, "circuit_open")
        assert toxic.hits == 20


def test_b03_a_short_retry_after_is_waited_for(make: Make) -> None:
    with Toxic(reply(429, b"", "Retry-After: 1"), reply()) as toxic:
        begun = time.monotonic()
        assert ask(make(timeout_s=4), toxic.url).body == b"[1]"
        assert 1.0 <= time.monotonic() - begun < 2.5


def test_no_pace_setting_shortens_a_retry_after(make: Make) -> None:
    with Toxic(reply(429, b"", "Retry-After: 1"), reply()) as toxic:
        begun = time.monotonic()
        ask(make(timeout_s=4, pace_s=0), toxic.url)
        assert time.monotonic() - begun >= 1.0


def test_b04_a_long_retry_after_is_remembered_for_the_next_run(make: Make, hosts: Hosts) -> None:
    with Toxic(reply(429, b"", "Retry-After: 999999")) as toxic:
        begun = time.monotonic()
        error = fails(make(), toxic.url, "rate_limited")
        assert time.monotonic() - begun < 1
        expected = datetime.now(UTC) + timedelta(seconds=999_999)
        assert error.retry_at is not None and abs((error.retry_at - expected).total_seconds()) < 5
        stored = hosts.allowed_at(f"127.0.0.1:{toxic.port}")
        assert stored is not None and abs((stored - error.retry_at).total_seconds()) < 1
        tally = Tally()
        fails(make(probe=True, pace_s=0), toxic.url, "rate_limited", tally=tally)
        assert (toxic.hits, tally.sent) == (1, 0)


def test_a_retry_after_beyond_the_time_left_is_not_waited_for(make: Make) -> None:
    with Toxic(reply(503, b"", "Retry-After: 30")) as toxic:
        begun = time.monotonic()
        error = fails(make(timeout_s=2), toxic.url, "http_503")
        assert time.monotonic() - begun < 1
        assert error.retry_at is not None
        assert toxic.hits == 1


@pytest.mark.parametrize(
    "lines",
    [
        *(["-5"], ["soon"], [""], ["0"], ["nan"], ["٣"], ["-1", "x"]),
        *(["Thu, 01 Jan 2015 00:00:00 GMT"], ["Fri, 99 Foo 2026"]),
    ],
)
def test_b05_a_senseless_retry_after_means_ordinary_backoff(make: Make, lines: list[str]) -> None:
    headers = [f"Retry-After: {line}".encode().decode("latin-1") for line in lines]
    with Toxic(reply(429, b"", *headers), reply()) as toxic:
        begun = time.monotonic()
        assert ask(make(), toxic.url).body == b"[1]"
        assert time.monotonic() - begun < 0.5


@pytest.mark.parametrize("lines", [["0.5"], ["0.5", "0.3"], ["0.3, 0.5"], ["soon", "0.5"]])
def test_b05_fractions_and_doubled_headers_are_honoured(make: Make, lines: list[str]) -> None:
    with Toxic(reply(429, b"", *[f"Retry-After: {line}" for line in lines]), reply()) as toxic:
        begun = time.monotonic()
        ask(make(), toxic.url)
        assert 0.5 <= time.monotonic() - begun < 1.2


def test_b05_a_date_counts_from_the_clock_of_the_server(make: Make) -> None:
    theirs = datetime(2020, 5, 1, tzinfo=UTC)
    lines = [f"Date: {format_datetime(theirs, True)}"]
    lines += [f"Retry-After: {format_datetime(theirs + timedelta(seconds=1), True)}"]
    with Toxic(reply(429, b"", *lines), reply()) as toxic:
        begun = time.monotonic()
        ask(make(timeout_s=3), toxic.url)
        assert 1.0 <= time.monotonic() - begun < 2.0


def test_b05_an_endless_number_does_not_crash(make: Make, hosts: Hosts) -> None:
    with Toxic(reply(429, b"", "Retry-After: " + "9" * 5000)) as toxic:
        error = fails(make(), toxic.url, "rate_limited")
        assert error.retry_at is not None
        assert error.retry_at - datetime.now(UTC) < timedelta(days=31, seconds=1)


@pytest.mark.parametrize("status", [401, 403])
def test_b06_a_refused_key_is_not_asked_again(make: Make, status: int) -> None:
    body = b'{"status":{"error_code":10002,"error_message":"%s"}}' % CANARY.encode()
    with Toxic(reply(status, body)) as toxic:
        http = make(probe=True)
        error = fails(http, toxic.url, f"http_{status}", Refused, plan=KEYED)
        assert isinstance(error, Refused) and error.detail == "10002"
        assert "key" in str(error)
        tally = Tally()
        shut = fails(http, toxic.url, "circuit_open", Refused, plan=KEYED, tally=tally)
        assert "COINGECKO_API_KEY in .env" in str(error) and "COINGECKO_API_KEY in .env" in str(shut)
        assert (toxic.hits, tally.sent) == (1, 0)
        fails(make(), toxic.url, "circuit_open", Refused, plan=KEYED)
        assert toxic.hits == 1


def test_b06_a_new_key_is_tried_although_the_old_one_was_refused(make: Make) -> None:
    with Toxic(reply(401), reply()) as toxic:
        fails(make(), toxic.url, "http_401", Refused, plan=KEYED)
        http = make(secret=lambda name: "another")
        assert ask(http, toxic.url, plan=KEYED).body == b"[1]"


def test_b06_a_person_may_try_the_refused_key_once_more(make: Make) -> None:
    with Toxic(reply(401), reply()) as toxic:
        fails(make(), toxic.url, "http_401", Refused, plan=KEYED)
        assert ask(make(probe=True), toxic.url, plan=KEYED).body == b"[1]"
        assert ask(make(), toxic.url, plan=KEYED).body == b"[1]"


def test_b06_a_failed_second_try_of_a_refused_key_is_the_last_of_its_run(make: Make) -> None:
    with Toxic(reply(401), reply(503)) as toxic:
        fails(make(), toxic.url, "http_401", Refused, plan=KEYED)
        person = make(probe=True)
        fails(person, toxic.url, "http_503", plan=KEYED)
        fails(person, toxic.url, "circuit_open", Refused, plan=KEYED)
        assert toxic.hits == 2


def test_what_the_plan_does_not_include_does_not_lock_the_host_out(make: Make) -> None:
    body = b'{"error":{"status":{"error_code":10012,"error_message":"range"}}}'
    with Toxic(reply(401, body), reply()) as toxic:
        http = make()
        error = fails(http, toxic.url, "http_401", Refused, plan=KEYED)
        assert isinstance(error, Refused) and error.detail == "10012"
        assert ask(http, toxic.url, plan=KEYED).body == b"[1]"


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_a_request_that_is_refused_is_not_repeated(make: Make, status: int) -> None:
    with Toxic(reply(status, b'{"error":"Missing parameter vs_currency"}'), reply()) as toxic:
        http = make()
        fails(http, toxic.url, f"http_{status}", Refused)
        assert toxic.hits == 1
        assert ask(http, toxic.url).body == b"[1]"


def test_a_refusal_whose_body_never_ends_is_still_a_refusal(make: Make) -> None:
    with Toxic(drip(b"x" * 500, 0.05, first=head(404, "Content-Length: 500"))) as toxic:
        begun = time.monotonic()
        fails(make(timeout_s=1), toxic.url, "http_404", Refused)
        assert time.monotonic() - begun < 1.3
        assert toxic.hits == 1


def test_a_refusal_whose_body_never_comes_is_still_a_refusal(make: Make) -> None:
    def hold(peer: socket.socket, toxic: Toxic) -> None:
        peer.sendall(head(401, "Content-Length: 500"))
        silent(peer, toxic)

    with Toxic(hold) as toxic:
        fails(make(timeout_s=1), toxic.url, "http_401", Refused)
        assert toxic.hits == 1


SHAPES = {
    '{"error":"Missing parameter vs_currency"}': (Refused, "http_422", ""),
    '{"status":500,"error":"Internal Server Error"}': (Unavailable, "http_500", None),
    '{"status":{"error_code":429,"error_message":"x"}}': (Unavailable, "rate_limited", None),
    '{"status":{"error_code":403,"error_message":"x"}}': (Refused, "http_403", "403"),
    '{"status":{"error_code":10005,"error_message":"x"}}': (Refused, "http_401", "10005"),
    '{"error":{"status":{"error_code":10012,"error_message":"x"}}}': (Refused, "http_401", "10012"),
    '{"timestamp":"t","error_code":10011,"status":{"error_message":"x"}}': (Refused, "http_400", "10011"),
    "Throttled": (Unavailable, "rate_limited", None),
    "Too Many Requests\r\n": (Unavailable, "rate_limited", None),
}


@pytest.mark.parametrize("body", SHAPES)
def test_b08_an_error_in_a_200_is_that_error(make: Make, body: str) -> None:
    kind, code, detail = SHAPES[body]
    with Toxic(reply(200, body.encode())) as toxic:
        error = fails(make(), toxic.url, code, kind)
        assert getattr(error, "detail", None) == detail
        assert toxic.hits == (4 if kind is Unavailable else 1)


def test_the_number_of_the_provider_is_kept_beside_the_status(make: Make) -> None:
    body = b'{"timestamp":"t","error_code":10011,"status":{"error_message":"x"}}'
    with Toxic(reply(400, body), zipped(b"x")) as toxic:
        error = fails(make(), toxic.url, "http_400", Refused)
        assert isinstance(error, Refused) and error.detail == "10011"


@pytest.mark.parametrize(
    "body",
    [
        b'{"name":"Fear and Greed Index","data":[],"metadata":{"error":null}}',
        b'{"status":{"error_code":0,"error_message":null},"data":[1]}',
        b'{"status":"ok","error":null}',
        b'{"error":false,"status":200}',
        b"[" * 5000,
        b"12345.6",
    ],
)
def test_a_healthy_or_strange_body_is_not_taken_for_an_error(make: Make, body: bytes) -> None:
    with Toxic(reply(200, body)) as toxic:
        assert ask(make(), toxic.url).body == body


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<!DOCTYPE html><title>Access denied</title>", "application/json"),
        (b"\xef\xbb\xbf\n<html><body>", "text/plain"),
        (b'<?xml version="1.0"?><!-- x --><!DOCTYPE html PUBLIC "x"><html>', "application/xml"),
        (b"please wait", "text/html; charset=utf-8"),
    ],
)
def test_b09_a_web_page_instead_of_data(make: Make, body: bytes, kind: str) -> None:
    with Toxic(reply(200, body, kind=kind)) as toxic:
        fails(make(), toxic.url, "html", Changed)
        assert toxic.hits == 1


@pytest.mark.parametrize("body", [b'{"a": 1}', b"<?xml version='1.0'?><rss>", b"<rss>"])
def test_data_that_is_only_called_html_passes(make: Make, body: bytes) -> None:
    with Toxic(reply(200, body, kind="text/html")) as toxic:
        assert ask(make(), toxic.url).body == body


@pytest.mark.parametrize(
    "play",
    [raw(head(204)), reply(200, b""), reply(200, b" \r\n\t "), reply(200, b"", "Content-Encoding: gzip")],
)
def test_b10_an_empty_answer(make: Make, play: Play) -> None:
    with Toxic(play) as toxic:
        fails(make(), toxic.url, "empty", Changed)
        assert toxic.hits == 1


def test_b11_not_modified_without_anything_to_modify(make: Make) -> None:
    with Toxic(raw(head(304))) as toxic:
        fails(make(), toxic.url, "http_304", Changed)
        assert toxic.hits == 1


def test_b12_a_total_outage_costs_four_requests_an_endpoint_and_ends_in_time(make: Make) -> None:
    tallies = [Tally() for _ in range(3)]
    begun = time.monotonic()
    http = make(timeout_s=1)
    for tally in tallies:
        fails(http, closed_port(), "connect", tally=tally)
    assert [tally.sent for tally in tallies] == [4, 4, 4]
    assert time.monotonic() - begun < 3.5


class Wall:
    """The real wall clock, which can be moved ahead."""

    ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def test_b13_a_half_open_breaker_sends_exactly_one_request(make: Make) -> None:
    wall = Wall()
    with Toxic(*[reply(503)] * 21, reply()) as toxic:
        for _ in range(5):
            fails(make(now=wall), toxic.url, "http_503")
        assert toxic.hits == 20
        for _ in range(5):
            fails(make(now=wall), toxic.url, "circuit_open")
        assert toxic.hits == 20
        wall.ahead = timedelta(minutes=11)
        fails(make(now=wall), toxic.url, "http_503")
        fails(make(now=wall), toxic.url, "circuit_open")
        assert toxic.hits == 21
        wall.ahead = timedelta(minutes=22)
        assert ask(make(now=wall), toxic.url).body == b"[1]"
        assert ask(make(now=wall), toxic.url).body == b"[1]"
        assert toxic.hits == 23


def test_b13_a_person_probes_at_once_but_only_once_a_run(make: Make) -> None:
    with Toxic(reply(503)) as toxic:
        for _ in range(5):
            fails(make(), toxic.url, "http_503")
        person = make(probe=True)
        fails(person, toxic.url, "http_503")
        error = fails(person, toxic.url, "circuit_open")
        assert toxic.hits == 21
        assert error.retry_at is not None and error.retry_at > datetime.now(UTC)
        # The instant itself: in which zone it reads is for whoever shows it.
        assert error.values["until"] == clock.stamp(error.retry_at)


def test_a_probe_that_finds_no_turn_leaves_the_probe_to_the_next(make: Make, hosts: Hosts) -> None:
    with Toxic(reply()) as toxic:
        host = f"127.0.0.1:{toxic.port}"
        for _ in range(5):
            hosts.failed(host, lambda: datetime.now(UTC))
        hosts.take_turn(host, lambda: datetime.now(UTC), 0, None)
        slow = Plan("open", pace_s=50)
        fails(make(probe=True), toxic.url, "rate_limited", plan=slow, budget_s=10)
        assert toxic.hits == 0
        assert ask(make(probe=True), toxic.url).body == b"[1]"


# --- pace


def test_requests_to_a_host_keep_their_distance_retries_included(make: Make) -> None:
    starts: list[float] = []

    def play(then: Play) -> Play:
        def noted(peer: socket.socket, toxic: Toxic) -> None:
            starts.append(time.monotonic())
            then(peer, toxic)

        return noted

    plan = Plan("open", pace_s=0.3)
    with Toxic(play(reply(500)), play(reply())) as toxic:
        http = make()
        ask(http, toxic.url, plan=plan)
        ask(http, toxic.url, plan=plan)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert len(gaps) == 2
    assert all(0.25 < gap < 0.8 for gap in gaps)


def test_waiting_for_a_turn_is_not_waiting_for_the_answer(make: Make) -> None:
    plan = Plan("open", pace_s=0.8)
    with Toxic(reply(), late(0.2, reply())) as toxic:
        http = make(timeout_s=0.9)
        ask(http, toxic.url, plan=plan)
        assert ask(http, toxic.url, plan=plan).body == b"[1]"


def test_a_turn_that_comes_too_late_is_not_waited_for(make: Make) -> None:
    plan = Plan("open", pace_s=0.0, per_minute=1)
    tally = Tally()
    with Toxic(reply()) as toxic:
        ask(make(), toxic.url, plan=plan)
        begun = time.monotonic()
        error = fails(make(), toxic.url, "rate_limited", plan=plan, tally=tally)
        assert time.monotonic() - begun < 0.5
        assert (toxic.hits, tally.sent) == (1, 0)
        assert error.retry_at is not None
        assert 55 < (error.retry_at - datetime.now(UTC)).total_seconds() <= 60
        assert ask(make(pace_s=0), toxic.url, plan=plan).body == b"[1]"


def test_a_retry_without_a_turn_reports_what_happened_before(make: Make) -> None:
    with Toxic(reply(500)) as toxic:
        fails(make(), toxic.url, "http_500", plan=Plan("open", pace_s=40), budget_s=10)
        assert toxic.hits == 1


# --- what goes out and what comes back


def test_the_request_names_itself_and_carries_key_and_query(make: Make) -> None:
    request_secrets = {"x-cg-demo-api-key": "COINGECKO_API_KEY"}
    with Toxic(reply()) as toxic:
        request = Request(toxic.url + "/m", {"vs": "usd", "pct": "7d,30d"}, request_secrets, item="btc")
        answer = make().get(request, OPEN, until=time.monotonic() + 5)
        line, *lines = toxic.heads[0].split("\r\n")
    assert line == "GET /m?vs=usd&pct=7d%2C30d HTTP/1.1"
    assert f"x-cg-demo-api-key: {CANARY}" in lines
    assert any(header.startswith("User-Agent: DailyDataCollector/") for header in lines)
    assert "Accept-Encoding: gzip, deflate" in lines
    assert answer.request is request
    assert answer.content_type == "application/json"


def test_an_unset_secret_sends_no_header(make: Make) -> None:
    with Toxic(reply()) as toxic:
        ask(make(secret=lambda name: None), toxic.url, plan=KEYED)
        assert "x-cg-demo-api-key" not in toxic.heads[0]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://", "http://[::1", "http://127.0.0.1:x/", "127.0.0.1/x"]
)
def test_an_address_that_is_none_is_refused(make: Make, url: str) -> None:
    with pytest.raises(Refused) as caught:
        ask(make(), url)
    assert caught.value.code == "unexpected"


@pytest.mark.parametrize("key", [CANARY + "\r\nX-Evil: 1", CANARY + "é한"])
def test_a_key_that_fits_no_header_is_refused_unseen(make: Make, key: str) -> None:
    with Toxic(reply()) as toxic:
        fails(make(secret=lambda name: key), toxic.url, "unexpected", Refused, plan=KEYED)
        assert toxic.hits == 0


def test_a_message_shows_neither_query_nor_credentials_nor_a_key_in_the_path(make: Make) -> None:
    with Toxic(reply(404)) as toxic:
        url = toxic.url.replace("//", f"//user:{CANARY}@") + f"/{CANARY}/x%0Ay?token={CANARY}"
        error = fails(make(), url, "http_404", Refused, plan=KEYED)
    assert "/***/x" in str(error)
    assert "token" not in str(error)
    assert "user" not in str(error)


def test_nothing_secret_is_logged(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with Toxic(reply(500), reply(401)) as toxic:
        fails(make(), toxic.url, "http_401", Refused, plan=KEYED)
    assert caplog.records
    assert CANARY not in caplog.text


def test_redacting_covers_the_forms_of_a_secret() -> None:
    assert redact("a=p+%2F b=p /x c=p+/x", ["p+/x", "", None]) == "a=p+%2F b=p /x c=***"
    assert redact("q=a%2Fb+c q=a%2Fb%20c", ["a/b c"]) == "q=*** q=***"
    assert redact("abc abcd", ["abc", "abcd"]) == "*** ***"


def dated(seconds_ago: float, *more: str) -> Play:
    """A reply whose Date is that old when it is sent."""

    def play(peer: socket.socket, toxic: Toxic) -> None:
        date = datetime.now(UTC) - timedelta(seconds=seconds_ago)
        reply(200, b"[1]", f"Date: {format_datetime(date, True)}", *more)(peer, toxic)

    return play


@pytest.mark.parametrize(
    ("play", "expected_s"),
    [
        (dated(50), 0),
        (dated(50, "Age: 30"), 30),
        (dated(7200), 7200),
        (dated(7200, "Age: 100"), 7300),
        (dated(-7200), -7200),
        (reply(200, b"[1]", "Age: 20"), 20),
        (reply(200, b"[1]", "Date: yesterday", "Age: -4"), 0),
        (reply(200, b"[1]", "Age: soon"), 0),
        (reply(200, b"[1]", "Age: " + "9" * 400), 86_400),
    ],
)
def test_the_instant_of_an_answer(make: Make, play: Play, expected_s: float) -> None:
    with Toxic(play) as toxic:
        at = ask(make(), toxic.url).at
    assert at.tzinfo is UTC
    assert (datetime.now(UTC) - at).total_seconds() == pytest.approx(expected_s, abs=5)


def test_answers_that_agree_with_our_clock_keep_their_order(make: Make) -> None:
    with Toxic(dated(1), dated(0)) as toxic:
        http = make()
        first, second = (ask(http, toxic.url).at for _ in range(2))
    assert first < second


CHILD = r"""
import re, sqlite3, sys, time
from collectors.body import Body, Broken
from collectors.http import Http
from collectors.model import Changed, Plan, Request
from storage.hosts import SCHEMA, Hosts
def connect():
    return sqlite3.connect(sys.argv[1], isolation_level=None)
connect().execute(SCHEMA)
http = Http(Hosts(connect), secret=lambda name: None, pace_s=0, timeout_s=20)
try:
    http.get(Request(sys.argv[2]), Plan("open"), until=time.monotonic() + 20)
except Changed as error:
    # ru_maxrss would count what the parent had before exec.
    peak = re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())
    print(error.code, int(peak[1]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from Linux' /proc")
def test_a12_half_a_gigabyte_in_a_bomb_takes_less_than_300_megabytes(tmp_path: Path) -> None:
    packed = b"".join(bomb(500))
    with Toxic(flood(head(200, "Content-Encoding: gzip"), [packed])) as toxic:
        command = [sys.executable, "-c", CHILD, str(tmp_path / "x.sqlite"), toxic.url]
        root = Path(__file__).parent.parent
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=30, check=True)
    code, megabytes = done.stdout.split()
    assert code == "too_large"
    assert int(megabytes) < 300


HANGING = """
import sqlite3, sys, time
from collectors.body import Body, Broken
from collectors.http import Http
from collectors.model import Plan, Request, Unavailable
from storage.hosts import SCHEMA, Hosts
import socket, threading
socket.getaddrinfo = lambda *args, **named: threading.Event().wait(60)
def connect():
    return sqlite3.connect(sys.argv[1], isolation_level=None)
connect().execute(SCHEMA)
http = Http(Hosts(connect), secret=lambda name: None, pace_s=0, timeout_s=20)
try:
    http.get(Request("http://nowhere.test/"), Plan("open"), until=time.monotonic() + 0.3)
except Unavailable as error:
    print(error.code)
"""


def test_an_exchange_that_hangs_does_not_hold_the_end_of_the_process(tmp_path: Path) -> None:
    begun = time.monotonic()
    command = [sys.executable, "-c", HANGING, str(tmp_path / "x.sqlite")]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "deadline"
    assert time.monotonic() - begun < 8
