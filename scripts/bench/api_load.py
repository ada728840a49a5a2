"""The HTTP API under load: status from 20 connections during a collection, and 100 starts at once.

The console is served as always (`streamlit run console_app.py`), and the upstreams are the local fake in a
process of its own. Promised: at least 150 answers a second with p99 of at most 250 ms; 100 POSTs in the same
moment start exactly one run, p99 at most 500 ms.
"""

import os
import sys
import tempfile
import time
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import NamedTuple

from _measure import ROOT, Broken, arguments, at_least, at_most, ended, within
from _served import STATUS, Server, exchange, served
from crypto_run import upstream

from storage.texts import _

CRYPTO = "/api/v1/collector/crypto"
CONNECTIONS, POSTS = 20, 100
RATE, STATUS_MS, POST_MS = 150.0, 250.0, 500.0
SECONDS = 10.0


class Asked(NamedTuple):
    """One answer: its status, how long it took, and the run it speaks of."""

    status: int
    seconds: float
    run_id: str | None = None


def watch(server: Server, until: float) -> list[Asked]:
    """One connection that asks for the status again and again."""
    connection = server.connect()
    found = []
    while time.monotonic() < until:
        began = time.perf_counter()
        status, _body = exchange(connection, "GET", STATUS)
        found.append(Asked(status, time.perf_counter() - began))
    connection.close()
    return found


def collect_on(server: Server, until: float) -> int:
    """Keeps one collection after the other under way; how many there were."""
    runs = 0
    while time.monotonic() < until:
        runs += server.post(f"{CRYPTO}?wait=60")[0] == 200
    return runs


def start(server: Server, together: Barrier) -> Asked:
    """One of the starts, in the moment in which all are connected."""
    connection = server.connect()
    together.wait()
    began = time.perf_counter()
    status, body = exchange(connection, "POST", CRYPTO)
    seconds = time.perf_counter() - began
    connection.close()
    return Asked(status, seconds, body["run_id"] if status == 202 else body["error"].get("run_id"))


def p99_ms(asked: list[Asked]) -> float:
    """The time that 99 of 100 answers took at most, in milliseconds."""
    return 1e3 * within([one.seconds for one in asked], 0.99)


def status_bounds(server: Server, seconds: float) -> list[bool]:
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(CONNECTIONS + 1) as pool:
        collecting = pool.submit(collect_on, server, until)
        watching = [pool.submit(watch, server, until) for _n in range(CONNECTIONS)]
        asked = [one for watcher in watching for one in watcher.result()]
        runs = collecting.result()
    if not runs or any(one.status != 200 for one in asked):
        raise Broken(_("no collection, or an answer that is none"))
    about = _("  {n} answers in {seconds} s to {connections} connections, {runs} collections meanwhile")
    print(about.format(n=len(asked), seconds=f"{seconds:g}", connections=CONNECTIONS, runs=runs))
    return [
        at_least(_("GET status"), len(asked) / seconds, RATE, "/s"),
        at_most(_("GET status, p99"), p99_ms(asked), STATUS_MS, "ms"),
    ]


def post_bounds(server: Server, rounds: int) -> list[bool]:
    asked, runs = [], []
    for _round in range(rounds):
        together = Barrier(POSTS)
        with ThreadPoolExecutor(POSTS) as pool:
            found = list(pool.map(lambda _n, at=together: start(server, at), range(POSTS)))
        if {one.status for one in found} != {202, 409}:
            raise Broken(str({one.status for one in found}))
        asked += found
        runs.append(sum(one.status == 202 for one in found))
        # Until that run is over, then the next round finds none.
        while server.post(f"{CRYPTO}?wait=60")[0] != 200:
            time.sleep(0.2)
    print(_("  {n} rounds of {posts} POSTs").format(n=rounds, posts=POSTS))
    return [
        at_most(_("runs started by 100 POSTs at once"), max(runs), 1, _("run")),
        at_most(_("POST, p99"), p99_ms(asked), POST_MS, "ms"),
    ]


def bounds(given: Namespace) -> list[bool]:
    with tempfile.TemporaryDirectory() as folder, upstream(full_size=not given.quick) as fake:
        home = {"COLLECTOR_HOME": str(Path(folder) / "home"), "COLLECTOR_PACE_S": "0"}
        with served({**fake.settings, **home}) as server:
            held = status_bounds(server, 2.0 if given.quick else SECONDS)
            return held + post_bounds(server, given.pairs)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(ended(bounds, arguments(__doc__ or "", pairs=5)))
