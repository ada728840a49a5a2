"""What a check is: a name, a subject, bounds for a warning and for a failure, and a pure measure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from storage.read import Known, Seen

if TYPE_CHECKING:
    from collectors.model import Answer, Batch, Row

State = Literal["pass", "warn", "fail"]
# What a failure keeps out of the record: the rows that failed, the whole batch, or nothing (a watch only).
Fails = Literal["rows", "batch", "nothing"]
Limits = tuple[float | None, float | None]
NO_LIMITS: Limits = (None, None)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a check may know besides the batch: the store as the run found it, the answers (`beside`: those
    to questions that were asked for a check), the newest values that other steps have told, and when."""

    known: Known = field(default_factory=Known)
    at: datetime | None = None
    answers: Sequence["Answer"] = ()
    beside: Sequence["Answer"] = ()
    told: Mapping[str, Seen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """One value that was measured. `row`: the row it is of; `refused`: it was set aside already, whatever
    the bounds say; `believed`: it was kept for a reason, and is worth a warning at most."""

    value: float | None
    row: "Row | None" = None
    values: Mapping[str, object] = field(default_factory=dict)
    refused: bool = False
    believed: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """Within `warn` a value passes, within `fail` it is told of, beyond that it fails. `message` is a gettext
    id that says what was found, filled by value, low, high, subject and what the measure adds; `refusal`
    what is said instead where the batch is refused. No measure: there was nothing to compare with."""

    name: str
    subject: str
    message: str
    measure: Callable[["Batch", Facts], Iterable[Measured]]
    warn: Limits = NO_LIMITS
    fail: Limits = NO_LIMITS
    fails: Fails = "rows"
    refusal: str = ""

    def state(self, one: Measured) -> State:
        """What a measured value comes to."""
        if one.refused:
            return "fail"
        if _beyond(one.value, self.fail):
            return "warn" if one.believed else "fail"
        return "warn" if _beyond(one.value, self.warn) else "pass"

    def bounds(self, state: State) -> Limits:
        """The bounds that a value of that state has crossed, or would cross next."""
        return self.fail if state == "fail" or self.warn == NO_LIMITS else self.warn

    def distance(self, one: Measured) -> float:
        """How near to failing, or how far beyond; what has no value is the farthest."""
        if one.value is None:
            return float("inf")
        low, high = self.fail if self.fail != NO_LIMITS else self.warn
        return max(
            low - one.value if low is not None else float("-inf"),
            one.value - high if high is not None else float("-inf"),
        )


def _beyond(value: float | None, limits: Limits) -> bool:
    low, high = limits
    if value is None:
        return False
    return (low is not None and value < low) or (high is not None and value > high)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check of one step: the worst of what it measured, and the rows that failed."""

    check: Check
    state: State
    value: float | None
    values: Mapping[str, object]
    failed: Sequence["Row"] = ()

    @property
    def limits(self) -> Limits:
        return self.check.bounds(self.state)


def result_of(check: Check, measured: Sequence[Measured]) -> Result:
    """The worst of what was measured; `measured` is not empty."""
    ranked: tuple[State, ...] = ("pass", "warn", "fail")
    worst = max(measured, key=lambda one: (ranked.index(check.state(one)), check.distance(one)))
    state = check.state(worst)
    low, high = check.bounds(state)
    values = {
        "subject": check.subject,
        "value": figure(worst.value),
        "low": figure(low),
        "high": figure(high),
        **worst.values,
    }
    failed = [one.row for one in measured if one.row is not None and check.state(one) == "fail"]
    return Result(check, state, worst.value, values, failed)


def figure(value: float | None) -> str:
    """A number as it is told in a sentence: five digits at most, a dash where there is none."""
    if value is None:
        return "–"
    if value and (abs(value) >= 1e7 or abs(value) < 1e-3):
        return f"{value:.3g}"
    return f"{value:.5g}" if abs(value) < 1e5 else f"{value:.0f}"
