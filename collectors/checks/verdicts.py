"""What the checks of a step found, as it is kept and as the log tells it."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from collectors.checks.kinds import Result
from storage import clock
from storage.check_results import CheckResult

if TYPE_CHECKING:
    from collectors.under_way import Fetched, Run

log = logging.getLogger("collector")


def tell(fetched: "Fetched") -> None:
    """Warnings and failures in the log; what passes is only kept."""
    for result in fetched.results:
        if result.state != "pass":
            word = "WARN" if result.state == "warn" else "FAIL"
            check = result.check
            said = check.message.format(**_plain(result))
            log.warning("[%s] %s check %s: %s", word, fetched.step.step, check.name, said)


def of_step(run: "Run", fetched: "Fetched") -> list[CheckResult]:
    """The results of a step as rows of the store."""
    source = "DEMO" if run.settings.demo else fetched.source.name
    return [
        CheckResult(
            run.run_id,
            fetched.step.step,
            result.check.name,
            result.check.subject,
            result.state,
            result.value,
            *result.limits,
            result.check.message,
            _plain(result),
            source,
            fetched.at or clock.now(),
        )
        for result in fetched.results
    ]


def _plain(result: Result) -> Mapping[str, object]:
    return {name: str(value) for name, value in result.values.items()}
