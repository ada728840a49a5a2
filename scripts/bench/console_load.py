"""The Overview in many windows at once: ten sessions redraw it, p95 at most 4 s; fifty without an error.

A session is a websocket that speaks Streamlit's own protocol: it asks for the page, waits until the script
is over, and asks again; all sessions begin in the same moment. What a browser would have kept is sent anew
each time. Memory is the largest resident size (VmHWM) of the server and of each of its children, added up,
after all of it: at most 600 MB. One redraw before does not count: it imports what the page needs.
"""

import asyncio
import os
import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

from _measure import ROOT, Broken, arguments, at_most, ended, within
from _served import Server, demo_console
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets import ClientConnection, ConnectionClosed, InvalidHandshake, Subprotocol, connect

from storage.texts import _

FEW, MANY = 10, 50
REDRAW_S, MEMORY_MB = 4.0, 600.0
PATIENCE_S = 60.0
# The index and the four of the market.
FIGURES = 5


class Drawn(NamedTuple):
    """One redraw: from asking to the end of the script, and what was wrong with it."""

    seconds: float
    problem: str | None = None


class Redraw:
    """What the server has sent of one redraw so far."""

    def __init__(self) -> None:
        self.elements: Counter[str] = Counter()
        self.over = False
        self.problem: str | None = None

    def take(self, message: ForwardMsg) -> None:
        """Counts an element; at the end of the script, says what went wrong: `problem`."""
        kind = message.WhichOneof("type")
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self.elements[str(message.delta.new_element.WhichOneof("type"))] += 1
        elif kind == "script_finished":
            self.over = True
            self.problem = self._problem(message.script_finished)

    def _problem(self, outcome: int) -> str | None:
        if outcome != ForwardMsg.FINISHED_SUCCESSFULLY:
            return f"script_finished {outcome}"
        if self.elements["exception"]:
            return "exception"
        # Without them it is an Overview of nothing.
        return None if self.elements["metric"] >= FIGURES else "no figures"


async def redraw(socket: ClientConnection) -> Drawn:
    """Asks for the page once, as a browser does, and waits for all of it."""
    asking = BackMsg()
    asking.rerun_script.query_string = ""
    page, began = Redraw(), time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await socket.send(asking.SerializeToString())
            while not page.over:
                sent = await socket.recv(decode=False)
                page.take(ForwardMsg.FromString(sent))
    except (TimeoutError, ConnectionClosed) as error:
        page.problem = repr(error)
    return Drawn(time.perf_counter() - began, page.problem)


async def session(server: Server, redraws: int, together: asyncio.Barrier) -> list[Drawn]:
    """One window; it begins in the moment in which all are connected."""
    # No proxy of the environment is asked for loopback, and a browser does not ping.
    async with connect(
        f"ws://127.0.0.1:{server.port}/_stcore/stream",
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
        proxy=None,
        ping_interval=None,
    ) as socket:
        await together.wait()
        return [await redraw(socket) for _n in range(redraws)]


async def windows(server: Server, sessions: int, redraws: int) -> list[Drawn]:
    together = asyncio.Barrier(sessions)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(session(server, redraws, together)) for _n in range(sessions)]
    return [one for task in tasks for one in task.result()]


def family(pid: int) -> list[int]:
    """A process and all that it started, as far as they live."""
    found = [pid]
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += [one for child in file.read_text().split() for one in family(int(child))]
    return found


def largest_mb(pid: int) -> float:
    """The largest resident size of a process so far, in MB; 0 for one that is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


@asynccontextmanager
async def watched(pid: int) -> AsyncIterator[dict[int, float]]:
    """Largest sizes by process of a family, looked at every 0.2 s because children go."""
    seen: dict[int, float] = {}

    def look() -> None:
        for one in family(pid):
            seen[one] = max(seen.get(one, 0.0), largest_mb(one))

    async def looking() -> None:
        while True:
            look()
            await asyncio.sleep(0.2)

    task = asyncio.create_task(looking())
    yield seen
    task.cancel()
    look()


async def load(server: Server, few: int, many: int, redraws: int) -> list[bool]:
    await windows(server, 1, 1)
    async with watched(server.pid) as sizes:
        first = told(few, await windows(server, few, redraws))
        second = told(many, await windows(server, many, redraws))
    held = [
        at_most(_("{n} sessions, p95 of a redraw").format(n=few), p95_s(first), REDRAW_S, "s"),
        at_most(_("redraws that went wrong"), wrong([*first, *second]), 0, _("redraws")),
    ]
    if any(sizes.values()):
        memory = sum(sizes.values())
        held.append(at_most(_("{n} sessions, memory").format(n=many), memory, MEMORY_MB, "MB"))
    return held


def p95_s(drawn: list[Drawn]) -> float:
    """The seconds that 95 of 100 redraws took at most."""
    return within([one.seconds for one in drawn], 0.95)


def wrong(drawn: list[Drawn]) -> int:
    """How many redraws went wrong; each kind of it is told once."""
    problems = Counter(one.problem for one in drawn if one.problem)
    for problem, times in problems.items():
        print(f"  {times} × {problem}", file=sys.stderr)
    return problems.total()


def told(sessions: int, drawn: list[Drawn]) -> list[Drawn]:
    times = [one.seconds for one in drawn]
    about = _("  {sessions} sessions, {n} redraws: median {median} s, p95 {p95} s, longest {longest} s")
    figures = {"median": median(times), "p95": within(times, 0.95), "longest": max(times)}
    shown = {name: f"{seconds:.2f}" for name, seconds in figures.items()}
    print(about.format(sessions=sessions, n=len(drawn), **shown), flush=True)
    return drawn


def bounds(given: Namespace) -> list[bool]:
    few, many = (2, 4) if given.quick else (FEW, MANY)
    with demo_console() as server:
        try:
            return asyncio.run(load(server, few, many, given.pairs))
        except* (OSError, InvalidHandshake) as refused:
            raise Broken(repr(refused.exceptions)) from refused


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(ended(bounds, arguments(__doc__ or "", pairs=5)))
