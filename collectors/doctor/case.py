"""What several checks need to know of one home, looked at once. Nothing here writes."""

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from collectors.schedule import state as schedule
from storage import clock, db, ledger, ledger_health, store_health
from storage.ledger import RunRecord
from storage.ledger_health import LedgerHealth
from storage.settings import Settings
from storage.store_error import StoreError, file_problem, ledger_problem
from storage.store_health import StoreHealth
from storage.texts import N_, say

# PowerShell on a machine that has just been started takes its time; the others answer in 20 ms.
SCHEDULE_S = 5.0


@dataclass
class Case:
    """One look at one home. `inside`: it is the console that looks."""

    settings: Settings
    inside: bool = False
    now: datetime = field(default_factory=lambda: clock.now())

    @cached_property
    def ledger(self) -> LedgerHealth | StoreError | None:
        """None: there is none yet."""
        try:
            found = ledger_health.look(self.settings)
        except sqlite3.Error as error:
            return ledger_problem(self.settings, error)
        except OSError as error:
            return file_problem(self.settings, error)
        if found is not None and found.faults:
            return StoreError(
                "corrupt",
                N_("The ledger is damaged ({fault}). Move ledger.sqlite aside; nothing was deleted."),
                fault=found.faults[0],
            )
        return found

    @cached_property
    def said_to_live(self) -> list[tuple[RunRecord, bool]]:
        """Runs that the ledger holds for living, each with whether it does."""
        held = self.ledger.open if isinstance(self.ledger, LedgerHealth) else ()
        return [(run, ledger.seen(self.settings, run).state in ledger.LIVE) for run in held]

    @cached_property
    def live(self) -> RunRecord | None:
        """The run that is on."""
        return next((run for run, lives in self.said_to_live if lives), None)

    @cached_property
    def store(self) -> StoreHealth | StoreError | None:
        """None: there is none yet."""
        try:
            return store_health.look(self.settings)
        except db.StoreMissing:
            return None
        except StoreError as problem:
            return problem
        except OSError as error:
            return file_problem(self.settings, error)

    @cached_property
    def schedule(self) -> schedule.State:
        """What the operating system starts by itself."""
        # A page waits for less.
        return schedule.state(self.settings, schedule.WITHIN_S if self.inside else SCHEDULE_S)


def told(problem: StoreError) -> str:
    """What is wrong with store or ledger, in the current language."""
    return say(problem.message, problem.values)
