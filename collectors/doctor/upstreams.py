"""Whether each upstream answers: one small question each, side by side, under the manners of every run."""

import queue
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextvars import copy_context
from dataclasses import dataclass

from collectors import plans
from collectors.doctor import clocks
from collectors.doctor.case import Case
from collectors.doctor.finding import Finding, fail, ok, warn
from collectors.doctor.words import parted
from collectors.http import Http
from collectors.model import Answer, CollectError, Plan, Refused, Request, Upstream
from collectors.registry import SOURCES, UPSTREAMS
from collectors.run import isolated
from storage import clock, hosts, ledger
from storage.settings import Settings, parse_feeds
from storage.texts import _, say

# One question, with its retries and the turn that it may have to wait for.
ASK_S = 4.5
# Of this a third may pass in silence: over an ocean a second is nothing.
_PATIENCE_S = 10.0
# Of a long answer the beginning says that somebody answers.
_ENOUGH_BYTES = 65_536
_CUT = "too_large"
_LATER = ("rate_limited", "circuit_open")
_SILENT = ("timeout", "deadline")


@dataclass(frozen=True, slots=True)
class _Heard:
    finding: Finding
    ahead_s: float | None = None


def ask(case: Case) -> list[Finding]:
    """A finding for each upstream, and what their clocks say of ours."""
    reason = _why_not(case)
    if reason is not None:
        return [*(ok(_check(one), reason) for one in UPSTREAMS.values()), clocks.clock(())]
    heard: queue.SimpleQueue[tuple[str, _Heard]] = queue.SimpleQueue()
    http = _http(case.settings)
    for upstream in UPSTREAMS.values():
        # Their sentences come in the language of whoever looks.
        work = copy_context().run
        threading.Thread(target=work, args=(_into, heard, case, http, upstream), daemon=True).start()
    told = _gathered(heard)
    late = _Heard(Finding("", "", ""))
    findings = []
    for upstream in UPSTREAMS.values():
        one = told.get(upstream.name, late)
        findings.append(one.finding if one is not late else _no_answer(upstream))
    ahead = [one.ahead_s for one in told.values() if one.ahead_s is not None]
    return [*findings, clocks.clock(ahead)]


def not_asked() -> list[Finding]:
    """What is said where nobody is to be asked."""
    return [ok("upstreams", _("Not asked.")), clocks.clock(())]


def _check(upstream: Upstream) -> str:
    return f"upstream.{upstream.name}"


def _why_not(case: Case) -> str | None:
    """Turns and waits are kept in the ledger, and a run needs every turn that there is."""
    if case.settings.demo:
        return _("Not asked: this is a demo.")
    if case.live is not None:
        return _("Not asked: the run that is on asks.")
    try:
        ledger.require_writable(case.settings)
    except (OSError, sqlite3.Error):
        return _("Not asked: whose turn it is stands in the ledger, which cannot be written.")
    return None


def _http(settings: Settings) -> Http:
    return Http(
        hosts.Hosts(lambda: ledger.connect(settings)),
        secret=settings.secret,
        pace_s=settings.pace_s,
        timeout_s=min(_PATIENCE_S, settings.request_timeout_s),
        now=lambda: clock.now(),
    )


def _into(heard: "queue.SimpleQueue[tuple[str, _Heard]]", case: Case, http: Http, upstream: Upstream) -> None:
    with isolated() as caught:
        caught.result = _of(case, http, upstream)
    heard.put((upstream.name, caught.result or _Heard(_no_answer(upstream))))


def _gathered(heard: "queue.SimpleQueue[tuple[str, _Heard]]") -> Mapping[str, _Heard]:
    until = time.monotonic() + ASK_S + 0.5
    told: dict[str, _Heard] = {}
    while len(told) < len(UPSTREAMS):
        try:
            name, one = heard.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        told[name] = one
    return told


def _no_answer(upstream: Upstream) -> Finding:
    text = _("{upstream} did not answer within {n} seconds.").format(upstream=upstream.title, n=round(ASK_S))
    return fail(_check(upstream), text, _("Wait: the next run tries again."))


def _of(case: Case, http: Http, upstream: Upstream) -> _Heard:
    check, settings = _check(upstream), case.settings
    if upstream.key and not settings.secret(upstream.key) and _all_need_it(upstream):
        return _Heard(ok(check, _("Not asked: {key} is not set.").format(key=upstream.key)))
    began = time.monotonic()
    try:
        answer = _answer(settings, http, upstream)
    except CollectError as error:
        if error.code != _CUT:
            return _Heard(_failed(upstream, error))
        answer = None
    text = _("It answered in {n} ms.").format(n=round((time.monotonic() - began) * 1000))
    return _Heard(ok(check, text), answer.ahead_s if answer else None)


def _all_need_it(upstream: Upstream) -> bool:
    return all(source.needs_key for source in SOURCES.values() if source.upstream is upstream)


def _answer(settings: Settings, http: Http, upstream: Upstream) -> Answer:
    """Raises CollectError."""
    plan, until = plans.choose(settings, upstream), time.monotonic() + ASK_S
    try:
        return http.get(_question(settings, upstream, plan), plan, until=until)
    except Refused as refused:
        other = plans.other(settings, upstream, refused)
        if other is None or other is plan:
            raise
        return http.get(_question(settings, upstream, other), other, until=until)


def _question(settings: Settings, upstream: Upstream, plan: Plan) -> Request:
    probe, base = upstream.probe, plans.base(settings, upstream, plan)
    if "=" in base.partition("://")[0]:
        # Of many feeds the first.
        base = next(iter(parse_feeds(base).values()))
    return Request(
        base + probe.path,
        probe.params,
        secret_params=probe.secret_params,
        max_bytes=_ENOUGH_BYTES,
        upstream=upstream.name,
        as_browser=probe.as_browser,
    )


def _failed(upstream: Upstream, error: CollectError) -> Finding:
    if error.code in _SILENT:
        return _no_answer(upstream)
    message, advice = parted(say(error.message, error.values))
    # Left alone because it asked for it, or was in trouble; one that refused a key needs another.
    later = error.code in _LATER and not isinstance(error, Refused)
    tell = warn if later else fail
    return tell(_check(upstream), message, advice or _("Wait: the next run tries again."))
