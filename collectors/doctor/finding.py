"""What one check found: a state, a sentence that says what is so, and one that says what to do."""

from collections.abc import Iterable
from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"
STATES = (OK, WARN, FAIL)


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` is a name that programs may rely on; both sentences are in the language of whoever looked."""

    check: str
    state: str
    message: str
    advice: str | None = None


def ok(check: str, message: str) -> Finding:
    """Nothing to do."""
    return Finding(check, OK, message)


def warn(check: str, message: str, advice: str) -> Finding:
    """It goes on as it is, for now."""
    return Finding(check, WARN, message, advice)


def fail(check: str, message: str, advice: str) -> Finding:
    """Something is not collected, not kept or not shown."""
    return Finding(check, FAIL, message, advice)


def worst(findings: Iterable[Finding]) -> str:
    """What all of them add up to."""
    return max((one.state for one in findings), key=STATES.index, default=OK)


def counted(findings: Iterable[Finding]) -> tuple[int, int]:
    """How many fail, how many warn."""
    states = [one.state for one in findings]
    return states.count(FAIL), states.count(WARN)
