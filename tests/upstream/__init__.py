"""A fake of every crypto upstream on one local server, with scriptable faults.

    with FakeUpstream() as up:
        up.fault("defillama", "/protocols", Fault.status(503), times=2)
        run(env=up.env())
        assert up.count("defillama", "/protocols") == 3

It imports nothing of the program it is used against.
"""

from .coins import Coin
from .faults import Fault
from .hosts import Seen
from .server import DEMO_KEY, PRO_KEY, FakeUpstream

__all__ = ["DEMO_KEY", "PRO_KEY", "Coin", "FakeUpstream", "Fault", "Seen"]
