"""What caches are keyed on: it changes with all that changes the store, and with nothing else."""

from pathlib import Path

from storage import clock, ledger
from storage.records import Counts, StepRecord
from storage.settings import Settings, load

RUN = "20260101-000000-abcdef"


def began(settings: Settings, run_id: str) -> None:
    ledger.reserve(settings, run_id, ["crypto"], "cli")
    assert ledger.claim(settings, run_id, 1)


def ended(settings: Settings, run_id: str, state: str, *steps: StepRecord) -> None:
    for step in steps:
        ledger.step_finished(settings, step)
    ledger.finish(settings, run_id, state, 0, {"crypto": state})


def test_the_end_of_a_run_is_a_new_mark_because_it_seals_days(home: Path) -> None:
    settings = load()
    began(settings, RUN)
    at = clock.now()
    ledger.step_finished(
        settings,
        StepRecord(RUN, 1, "s", "crypto", "s", state="ok", finished_at=at, counts=Counts(1, 1)),
    )
    # A page drawn now does not know yet what the run seals after its last merge.
    before = ledger.merge_mark(settings)
    ended(settings, RUN, "ok")
    assert ledger.merge_mark(settings) != before


def test_a_start_that_collects_nothing_is_no_new_mark(home: Path) -> None:
    settings = load()
    began(settings, RUN)
    ended(settings, RUN, "ok")
    before = ledger.merge_mark(settings)
    began(settings, "20260101-000001-abcdef")
    ended(settings, "20260101-000001-abcdef", "skipped")
    ledger.record_skip(settings, "20260101-000002-abcdef", ["crypto"], "cli", "busy", 75)
    assert ledger.merge_mark(settings) == before
