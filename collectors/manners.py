"""How a host is treated: its turns, the waits it asks for, its circuit breaker. What is remembered
between processes is in storage/hosts.py; here is what one run makes of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collectors import reply as say
from collectors.call import Call
from collectors.model import CollectError, Refused, Unavailable
from collectors.retry import PATIENCE_S, backoff, http_date, retry_after
from storage import clock
from storage.hosts import Hosts

# A turn that comes later than this before the end of the budget is not waited for.
MARGIN_S = 2.0


@dataclass(slots=True)
class Manners:
    """One run's conduct towards every host. `probe`: a person's run may try a paused host at once."""

    hosts: Hosts
    probe: bool
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    random: Callable[[], float]
    # What this run saw itself: who refused which credentials, and who is not to be probed again.
    locked_out: set[tuple[str, str]] = field(default_factory=set, repr=False)
    given_up: set[str] = field(default_factory=set)

    def admit(self, call: Call) -> bool:
        """Whether this is the probe of a paused host. Raises `circuit_open`: Unavailable where the host
        was in trouble, Refused where it does not want these credentials."""
        if (call.host, call.credentials) in self.locked_out:
            raise _locked_out(call)
        eager = self.probe and call.host not in self.given_up
        claim_s = max(0.0, call.until - self.monotonic()) + MARGIN_S
        gate = self.hosts.admit(call.host, self.now, call.credentials, eager=eager, probe_s=claim_s)
        if gate.state == "open":
            if gate.denied:
                raise _locked_out(call, gate.until)
            values = {**call.place.values, "until": clock.stamp(gate.until) if gate.until else ""}
            raise Unavailable("circuit_open", say.PAUSED, retry_at=gate.until, **values)
        if gate.state == "probe":
            call.attempts = 1
        return gate.state == "probe"

    def learn(self, call: Call, error: CollectError | None, probing: bool) -> None:
        """What the end of `call` says of its host; `error` None: it answered as it should."""
        code = error.code if error else ""
        if call.silent or code == "deadline":
            # Our own time was over: nothing was learnt.
            if probing:
                self.hosts.released(call.host, self.now)
        elif say.shut_out(error):
            self.locked_out.add((call.host, call.credentials))
            self.hosts.denied(call.host, self.now, call.credentials)
        elif code == "rate_limited":
            # It answers, and says when: that is no trouble of its own.
            if probing:
                self.hosts.released(call.host, self.now)
        elif isinstance(error, Unavailable) or code == "tls":
            if self.hosts.failed(call.host, self.now) or probing:
                self.given_up.add(call.host)
        else:
            self.hosts.succeeded(call.host, self.now)

    def take_turn(self, call: Call, last: Unavailable | None = None) -> None:
        """Waits until `call` may send. Raises `last`, else Unavailable `rate_limited`, at once when the
        turn comes too late."""
        begun = self.monotonic()
        while wait := self.hosts.take_turn(call.host, self.now, call.pace_s, call.per_minute):
            if self.monotonic() + wait > call.until - MARGIN_S:
                retry_at = self.now() + timedelta(seconds=wait)
                values = {**call.place.values, "until": clock.stamp(retry_at)}
                raise last or Unavailable("rate_limited", say.PACED, retry_at=retry_at, **values)
            self.sleep(wait)
        call.end += self.monotonic() - begun

    def heed(self, call: Call, reply: say.Reply) -> datetime | None:
        """When the host wants to be asked again, remembered for every process; None: it does not say."""
        status, _ = say.meaning(reply)
        if status < 500 and status not in (408, 429):
            return None
        asked = retry_after(reply.retry_after, http_date(reply.headers.get("date", "")) or reply.at)
        if asked is None and status == 429:
            asked = call.rest_s
        if asked is None:
            return None
        retry_at = self.now() + timedelta(seconds=asked)
        self.hosts.defer(call.host, retry_at, self.now)
        return retry_at

    def pause(self, call: Call, error: Unavailable, attempt: int) -> bool:
        """Sleeps before the next attempt; False: there is none, or it would not fit."""
        # A body that was cut off twice will be cut off again.
        call.cut += error.code == "truncated"
        wait = backoff(attempt, self.random())
        if error.retry_at is not None:
            asked = max(0.0, (error.retry_at - self.now()).total_seconds())
            # A little later than asked, so that processes which heard the same do not come together.
            wait = asked + 0.05 + min(1.0, wait)
            if asked > PATIENCE_S:
                return False
        if attempt + 1 >= call.attempts or call.cut > 1 or self.monotonic() + wait >= call.limit:
            return False
        self.sleep(wait)
        return True


def _locked_out(call: Call, until: datetime | None = None) -> Refused:
    message = say.LOCKED_OUT if call.keyed else say.SHUT_OUT
    return Refused("circuit_open", message, retry_at=until, **call.place.values)
