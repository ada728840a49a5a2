"""How the benchmarks measure: children by turns, medians side by side, one line a bound.

Two programs are timed A B A B within one run, so that whatever else the machine does meets both.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
for place in (ROOT, ROOT / "scripts"):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))

from storage.texts import _  # noqa: E402

# What a setting of the person who measures would change.
_OWN = ("COLLECTOR_", "COINGECKO_", "FRED_", "FAULT_POINT")


class Broken(Exception):
    """A measured program failed: its time says nothing."""


class Spent(NamedTuple):
    """One child: wall and processor seconds, and its largest resident size in MB (None: unknown here)."""

    wall_s: float
    cpu_s: float
    peak_mb: float | None


class Pairs(NamedTuple):
    """Two programs, timed by turns."""

    first: tuple[Spent, ...]
    second: tuple[Spent, ...]

    @property
    def ratio(self) -> float:
        """Median wall time of the first over that of the second."""
        return middle(self.first) / middle(self.second)

    def line(self, first: str, second: str) -> str:
        """The medians side by side, in milliseconds, wall and processor time."""
        return _("  {first} {a} ms (processor {ca} ms) · {second} {b} ms (processor {cb} ms)").format(
            first=first,
            second=second,
            a=round(1e3 * middle(self.first)),
            b=round(1e3 * middle(self.second)),
            ca=round(1e3 * median(spent.cpu_s for spent in self.first)),
            cb=round(1e3 * median(spent.cpu_s for spent in self.second)),
        )


def middle(spent: Sequence[Spent]) -> float:
    """Median wall time in seconds."""
    return median(one.wall_s for one in spent)


def within(times: Sequence[float], share: float) -> float:
    """This share of all took less, in seconds; of few times it is the longest."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def by_turns(n: int, first: Callable[[], Spent], second: Callable[[], Spent]) -> Pairs:
    """`n` pairs A B A B, after one of each that does not count: it fills the disk cache."""
    first(), second()
    pairs = [(first(), second()) for _turn in range(n)]
    return Pairs(tuple(a for a, _b in pairs), tuple(b for _a, b in pairs))


def timed(what: Callable[[], object]) -> Spent:
    """Wall and processor time of one call in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    what()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu, None)


def environment(**settings: str) -> dict[str, str]:
    """The environment of a measured child: nobody's settings but these. What Python has compiled it keeps, as
    everywhere but in some containers."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OWN) and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**kept, **settings}


def child(words: Sequence[str], env: Mapping[str, str]) -> Spent:
    """Runs Python with `words` to its end. Raises Broken with the end of what it said."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    with process.stdout:
        said = process.stdout.read()
    code, cpu_s, peak_mb = _reap(process)
    wall_s = time.perf_counter() - started
    if code != 0:
        raise Broken(f"{' '.join(words)[:200]}: {code}\n{said.decode(errors='replace')[-2000:]}")
    return Spent(wall_s, cpu_s, peak_mb)


def _reap(process: "subprocess.Popen[bytes]") -> tuple[int, float, float | None]:
    """Exit code, processor seconds and peak. The usage is that of this one child, not of all so far."""
    if not hasattr(os, "wait4"):
        return process.wait(), 0.0, None
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # Kilobytes on Linux, bytes on macOS.
    unit = 1e6 if sys.platform == "darwin" else 1e6 / 1024
    return process.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss / unit


def verdict(what: str, reached: float, bound: str, passed: bool) -> bool:
    """Prints one line a bound; gives `passed` back."""
    word = _("PASS") if passed else _("FAIL")
    print(
        _("{what}: {reached} (promised: {bound}) {word}").format(
            what=what, reached=f"{reached:.2f}", bound=bound, word=word
        ),
        flush=True,
    )
    return passed


def at_most(what: str, reached: float, bound: float, unit: str = "×") -> bool:
    """A bound from above."""
    return verdict(
        what, reached, _("at most {bound} {unit}").format(bound=f"{bound:g}", unit=unit), reached <= bound
    )


def at_least(what: str, reached: float, bound: float, unit: str = "×") -> bool:
    """A bound from below."""
    return verdict(
        what, reached, _("at least {bound} {unit}").format(bound=f"{bound:g}", unit=unit), reached >= bound
    )


def arguments(about: str, pairs: int) -> argparse.Namespace:
    """`--pairs N` and `--quick`, which every benchmark takes."""
    parser = argparse.ArgumentParser(description=about.strip().splitlines()[0])
    parser.add_argument("--pairs", type=int, default=pairs, metavar="N", help=_("how many pairs to time"))
    parser.add_argument(
        "--quick", action="store_true", help=_("one small pair: shows that it works, no more")
    )
    given = parser.parse_args()
    given.pairs = 1 if given.quick else max(1, given.pairs)
    return given


def ended(bounds: Callable[[argparse.Namespace], Sequence[bool]], given: argparse.Namespace) -> int:
    """Exit code: 0 every bound holds, 1 one does not, 2 nothing could be measured."""
    try:
        return 0 if all(bounds(given)) else 1
    except Broken as problem:
        print(_("Not measured: {problem}").format(problem=problem), file=sys.stderr)
        return 2
