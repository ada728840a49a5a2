"""`collect.py crypto` beside a bare script that fetches the same bodies: at most 4 times as long, 250 MB.

The upstreams are the local fake in a process of its own, with bodies of full size and no pause
between requests. The bare script fetches with requests, parses with json, and stops. Timed are the
first run of a home, and a daily run: the day after a week of runs.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from _measure import ROOT, Broken, Pairs, Spent, arguments, at_most, by_turns, child, ended, environment

from storage.texts import _

BOUND, PEAK_MB = 4.0, 250.0
HISTORY_DAYS = 7
SETTING = {
    "coingecko": "COLLECTOR_COINGECKO_URL",
    "defillama": "COLLECTOR_DEFILLAMA_URL",
    "alternative_me": "COLLECTOR_FEAR_GREED_URL",
}
BARE = """
import json, sys
import requests
for url in sys.argv[1:]:
    json.loads(requests.get(url, timeout=60).content)
"""


class Fake:
    """The fake upstream of `tests/upstream`, reached over its control route."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.settings: Mapping[str, str] = self._ask("/control/state")["settings"]

    def order(self, **what: object) -> None:
        self._ask("/control", json.dumps(what).encode())

    def asked(self) -> list[str]:
        """The addresses that were fetched since the last `reset_counts`."""
        return [
            f"{self.settings[SETTING[seen['host']]]}{seen['path']}?{urllib.parse.urlencode(seen['query'])}"
            for seen in self._ask("/control/requests")
        ]

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        # Without an opener of its own, a proxy of the environment would be asked for loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + path, body, timeout=60) as got:
            return json.load(got)


@contextmanager
def upstream(full_size: bool) -> Iterator[Fake]:
    """The fake, listening, in a process of its own."""
    words = [sys.executable, "-m", "tests.upstream", "--port", "0", *(["--full-size"] if full_size else [])]
    process = subprocess.Popen(words, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("export ") and "/defillama" in line:
                yield Fake(line.split("=", 1)[1].strip().removesuffix("/defillama"))
                return
        raise Broken("tests.upstream")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)


def collect(fake: Fake, home: Path) -> Spent:
    env = environment(**fake.settings, COLLECTOR_PACE_S="0", COLLECTOR_HOME=str(home))
    return child(["collect.py", "crypto"], env)


def week(fake: Fake, home: Path, days: int) -> None:
    """A home with one run a day up to yesterday."""
    for ago in range(days, 0, -1):
        fake.order(clock=(datetime.now(UTC) - timedelta(days=ago)).isoformat())
        collect(fake, home)
    fake.order(clock=None)


def compare(fake: Fake, n: int, home: Callable[[], Path]) -> Pairs:
    """Pairs of a run in a home as `home` makes it, and of the bare script with what a run fetches."""
    fake.order(reset_counts=True)
    collect(fake, home())
    urls = fake.asked()
    # Homes are made outside the measured time.
    waiting = [home() for _turn in range(n + 1)]
    return by_turns(
        n, lambda: collect(fake, waiting.pop()), lambda: child(["-c", BARE, *urls], environment())
    )


def bounds(given: Namespace) -> list[bool]:
    held = []
    with tempfile.TemporaryDirectory() as folder, upstream(full_size=not given.quick) as fake:
        base = Path(folder)
        lived = base / "lived"
        week(fake, lived, 1 if given.quick else HISTORY_DAYS)
        homes = iter(range(1000))

        def fresh() -> Path:
            return base / f"fresh{next(homes)}"

        def daily() -> Path:
            return Path(shutil.copytree(lived, base / f"daily{next(homes)}"))

        for what, home in ((_("first run of a home"), fresh), (_("daily run"), daily)):
            pairs = compare(fake, given.pairs, home)
            print(pairs.line("collect.py crypto", _("bare script")))
            held.append(at_most(what, pairs.ratio, BOUND))
            peaks = [spent.peak_mb for spent in pairs.first if spent.peak_mb is not None]
            if peaks:
                held.append(at_most(_("{what}, peak memory").format(what=what), max(peaks), PEAK_MB, "MB"))
    return held


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(ended(bounds, arguments(__doc__ or "", pairs=9)))
