"""A fake of every upstream on one local server, with scriptable faults.

    with FakeUpstream() as up:
        up.fault("defillama", "/protocols", Fault.status(503), times=2)
        run(env=up.env())
        assert up.count("defillama", "/protocols") == 3

        up.fault("fred", "/series/observations", Fault.fred("rate_limited"), times=1)
        up.set_observation("DGS10", date(2026, 11, 18), 4.31)
        up.set_split("SPY", date(2026, 11, 20), 2, 1)

It imports nothing of the program it is used against.
"""

from .coins import Coin
from .faults import Fault
from .hosts import Seen
from .liquidity import FRED_KEY
from .server import DEMO_KEY, PRO_KEY, FakeUpstream

__all__ = ["DEMO_KEY", "FRED_KEY", "PRO_KEY", "Coin", "FakeUpstream", "Fault", "Seen"]
