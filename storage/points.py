"""Named points of a run at which a test can make the process die, as a power cut would.

`FAULT_POINT=before_commit` kills the process with SIGKILL when it gets there, so that no handler,
no buffer and no lock release runs; `before_commit:3` lets it pass twice before. Without the variable
a point costs one dictionary look-up.
"""

import os
import signal
from itertools import count

NAMES = (
    "after_reserve",
    "after_claim",
    "after_fetch",
    "before_landing",
    "after_landing",
    "after_merge",
    "before_commit",
    "after_commit",
    "after_receipt",
    "before_seal",
    "during_checkpoint",
    "before_export",
    "during_export",
    "after_export",
    "before_finish",
    "during_creation",
    "during_migration",
)


_nth = count(1)


def reach(name: str) -> None:
    """Dies here if FAULT_POINT names this point."""
    wanted, _, nth = os.environ.get("FAULT_POINT", "").partition(":")
    if wanted == name and next(_nth) == int(nth or 1):
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
