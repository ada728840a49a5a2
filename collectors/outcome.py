"""What a run's steps add up to: the outcome of a pipeline, of a run, and its exit code."""

from collections.abc import Iterable, Sequence

from storage.ledger import StepRecord

NEUTRAL = frozenset({"no_key", "fresh", "not_due"})
EXIT = {"ok": 0, "skipped": 0, "partial": 1, "failed": 3}
BUSY, CANCELLED, TERMINATED, USAGE = 75, 130, 143, 2


def is_bad(step: StepRecord) -> bool:
    """Whether a step lowers the outcome: failed, cached, pending, or skipped for no neutral reason."""
    if step.state == "skipped":
        return step.reason not in NEUTRAL
    return step.state in ("failed", "cached", "pending")


def of_steps(collection: Sequence[StepRecord], computed: Sequence[StepRecord] = ()) -> str:
    """`ok`, `partial`, `failed` or `skipped`. Collection steps decide; a computed step that went
    wrong can only lower `ok` to `partial`."""
    attempted = [step for step in collection if step.state != "skipped" or is_bad(step)]
    if not attempted:
        return "skipped"
    bad = [step for step in attempted if is_bad(step)]
    if not bad:
        return "partial" if any(is_bad(step) for step in computed) else "ok"
    if len(bad) < len(attempted) or any(step.state == "pending" for step in bad):
        return "partial"
    return "failed"


def of_pipelines(outcomes: Iterable[str]) -> str:
    """The state of a run from the outcomes of its pipelines."""
    done = [outcome for outcome in outcomes if outcome != "skipped"]
    if not done:
        return "skipped"
    if len(set(done)) == 1:
        return done[0]
    return "partial"
