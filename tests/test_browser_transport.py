"""The transport that asks as a browser does, against servers that misbehave: the same bounds as the other."""

import gzip
import time
from typing import Any

import pytest
import trustme

from collectors import browser
from collectors.http import Http, Tally
from collectors.model import Answer, Changed, CollectError, Refused, Request, Unavailable
from tests.test_http import OPEN, Make, fails, hosts, make, tls_of  # noqa: F401
from tests.toxic import Toxic, closed_port, drip, head, raw, reply, reset, silent, zipped


def ask(http: Http, url: str, tally: Tally | None = None, **named: Any) -> Answer:
    request = Request(url, as_browser=True, **named)
    return http.get(request, OPEN, until=time.monotonic() + 30, tally=tally)


def fails_as_browser(
    http: Http, url: str, code: str, kind: type[CollectError] = Unavailable, **named: Any
) -> CollectError:
    return fails(http, url, code, kind, as_browser=True, **named)


def test_it_reads_what_was_sent_and_says_it_is_a_browser(make: Make) -> None:
    with Toxic(zipped(b'{"chart": 1}')) as toxic:
        answer = ask(make(), toxic.url)
        said = toxic.heads[0].lower()
    assert answer.body == b'{"chart": 1}'
    assert "mozilla/5.0" in said and "chrome" in said
    assert "dailydatacollector" not in said and "cookie" not in said
    assert "accept-encoding: gzip, deflate\r\n" in said


def test_parameters_and_the_instant_of_the_server_are_kept(make: Make) -> None:
    lines = "Date: Tue, 03 Nov 2026 17:00:00 GMT"
    with Toxic(raw(head(200, "Content-Length: 2", lines) + b"{}")) as toxic:
        answer = ask(make(), toxic.url, params={"range": "1d"})
        assert "range=1d" in toxic.heads[0]
    assert answer.at.isoformat() == "2026-11-03T17:00:00+00:00"


def test_nobody_listens(make: Make) -> None:
    tally = Tally()
    fails_as_browser(make(), closed_port(), "connect", tally=tally)
    assert tally.sent == 4


def test_silence_and_drip_end_with_the_time_of_the_request(make: Make) -> None:
    slow = drip(b"x" * 200, 0.1, first=head(200, "Content-Length: 200"))
    for play in (silent, slow):
        begun = time.monotonic()
        with Toxic(play, play, play, play) as toxic:
            fails_as_browser(make(timeout_s=1.0), toxic.url, "timeout")
        assert time.monotonic() - begun < 2.5


def test_a_reset_is_retried_and_leaves_nothing_of_the_first_body(make: Make) -> None:
    with Toxic(reset(head(200, "Content-Length: 9") + b"[1,"), reply()) as toxic:
        assert ask(make(), toxic.url).body == b"[1]"
        assert toxic.hits == 2


@pytest.mark.parametrize(
    "data",
    [
        head(200, "Content-Length: 50") + b"[1, 2",
        head(200, "Transfer-Encoding: chunked") + b"5\r\n[1, 2\r\n",
        head(200, "Content-Encoding: gzip", "Content-Length: 20")
        + gzip.compress(b"[" + b"1," * 4000 + b"1]")[:20],
    ],
    ids=["short", "chunked", "gzip"],
)
def test_a_cut_body_is_noticed_retried_once_and_refused(make: Make, data: bytes) -> None:
    with Toxic(raw(data), raw(data), raw(data)) as toxic:
        fails_as_browser(make(), toxic.url, "truncated")
        assert toxic.hits == 2


@pytest.mark.parametrize("layers", [1, 2])
def test_what_unpacks_beyond_its_cap_or_twice_is_refused(make: Make, layers: int) -> None:
    body = b" " * 50_000_000
    for _layer in range(layers):
        body = gzip.compress(body, 9)
    packed = raw(head(200, "Content-Encoding: gzip", f"Content-Length: {len(body)}") + body)
    with Toxic(packed) as toxic:
        fails_as_browser(
            make(), toxic.url, "too_large" if layers == 1 else "parse", Changed, max_bytes=1_000_000
        )


def test_more_bytes_than_the_cap_are_not_read(make: Make) -> None:
    with Toxic(raw(head(200) + b"x" * 3_000_000)) as toxic:
        fails_as_browser(make(), toxic.url, "too_large", Changed, max_bytes=1_000_000)


def test_no_redirect_leads_to_another_host(make: Make) -> None:
    with Toxic(reply()) as target, Toxic(raw(head(302, f"Location: {target.url}"))) as toxic:
        fails_as_browser(make(), toxic.url, "http_302", Refused)
        assert target.hits == 0


def test_proxies_of_the_environment_are_ignored(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with Toxic(reply()) as toxic, Toxic(reply()) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert ask(make(), toxic.url).body == b"[1]"
        assert proxy.hits == 0


def test_a_certificate_that_nobody_knows_is_refused_without_retry(make: Make) -> None:
    tally = Tally()
    with Toxic(reply(), tls=tls_of(trustme.CA(), "127.0.0.1")) as toxic:
        fails_as_browser(make(), toxic.url, "tls", Refused, tally=tally)
    assert tally.sent == 1


def test_a_429_without_a_date_rests_the_host_for_everybody(make: Make) -> None:
    from dataclasses import replace

    resting = replace(OPEN, rest_s=900.0)
    with Toxic(raw(head(429) + b"Too Many Requests\r\n")) as toxic:
        http = make()
        for _turn in range(3):
            with pytest.raises(Unavailable) as caught:
                http.get(Request(toxic.url, as_browser=True), resting, until=time.monotonic() + 30)
            assert caught.value.code == "rate_limited"
        assert toxic.hits == 1


# ---------------------------------------------------------------- the session that yfinance takes for its own


def test_every_request_of_the_session_goes_to_the_base_and_none_for_cookies() -> None:
    asked: list[tuple[str, dict[str, str]]] = []

    def get(url: str, params: Any) -> Answer:
        asked.append((url, dict(params)))
        return Answer(b'{"a": 1}', None, Request(url))  # type: ignore[arg-type]

    session = browser.session("http://127.0.0.1:9/yahoo", get)
    assert session.get("https://fc.yahoo.com", timeout=3, allow_redirects=True).text == "<html></html>"
    assert "<html>" in session.get(url="https://query1.finance.yahoo.com/v1/test/getcrumb", timeout=3).text
    assert session.get(url="https://guce.yahoo.com/consent").content == b"<html></html>"
    assert asked == []
    answered = session.get(
        url="https://query2.finance.yahoo.com/v8/finance/chart/%5EVIX",
        params={"includePrePost": False, "n": 5},
    )
    assert answered.json() == {"a": 1}
    assert asked == [
        ("http://127.0.0.1:9/yahoo/v8/finance/chart/%5EVIX", {"includePrePost": "false", "n": "5"})
    ]


def test_what_get_raises_comes_out_of_yfinance(tmp_path: Any) -> None:
    from datetime import UTC, date, datetime

    from collectors.model import Ask
    from collectors.sources import yahoo
    from tests.scripted import Script

    def refuse(_url: str) -> bytes:
        raise Refused("http_404", "gone")

    script = Script(refuse, datetime(2026, 11, 4, tzinfo=UTC), tmp_path)
    (source,) = (one for one in yahoo.SOURCES if one.name == "yahoo.SPY")
    assert source.collect is not None
    with pytest.raises(Refused) as caught:
        source.collect(script, Ask("https://up.example", OPEN, script.at, date(2026, 11, 1)))
    assert caught.value.code == "http_404"
    assert len(script.asked) == 1
