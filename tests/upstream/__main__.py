"""Runs the fake by hand: `python -m tests.upstream` prints the settings that point at it and serves."""

import argparse
import shlex
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from .faults import Fault
from .hosts import PREFIXES
from .server import FakeUpstream


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.utcoffset() is None:
        raise argparse.ArgumentTypeError("give a time zone, as in 2026-11-23T06:00:00+09:00")
    return instant


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.upstream",
        description="Plays CoinGecko, DefiLlama, alternative.me, FRED, Yahoo, OFR, the Fed's speeches and"
        " ten news feeds on 127.0.0.1.",
        epilog="example: python -m tests.upstream --port 8899 --full-size --down defillama",
    )
    parser.add_argument("--port", type=int, default=8899, help="default 8899; 0: any free port")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--full-size", action="store_true", help="/protocols with 6,900 rows, 8.3 MB")
    size.add_argument("--small", action="store_true", help="/protocols with 61 rows (default)")
    parser.add_argument("--moving", action="store_true", help="prices change with each request")
    parser.add_argument("--gzip", action="store_true", help="gzip for clients that accept it")
    parser.add_argument("--clock", type=_instant, metavar="TIME", help="stand still at this time")
    parser.add_argument("--seed", type=int, default=1, help="another market; default 1")
    parser.add_argument("--history", type=Path, metavar="DIR",
                        help="FRED, Yahoo and OFR from the CSV files in DIR, up to the clock")  # fmt: skip
    parser.add_argument("--down", nargs="+", default=[], choices=sorted(PREFIXES), metavar="HOST",
                        help=f"hosts that reset every connection: {', '.join(sorted(PREFIXES))}")  # fmt: skip
    return parser.parse_args(argv)


def _greet(fake: FakeUpstream) -> None:
    print("# bash")
    for name, value in fake.env().items():
        print(f"export {name}={shlex.quote(value)}")
    print("# PowerShell")
    for name, value in fake.env().items():
        print(f"$env:{name} = '{value}'")
    print(f"# keys it knows: demo {fake.demo_key}; pro {fake.pro_key} at {PREFIXES['coingecko-pro']};"
          f" FRED {fake.fred_key}")  # fmt: skip
    print(f"# scripted by POST {fake.url}/control; requests at {fake.url}/control/requests")
    print("# Ctrl-C ends it", flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until Ctrl-C or SIGTERM; 2 when the port is taken or the histories are not there."""
    chosen = _arguments(argv)
    try:
        fake = FakeUpstream(
            chosen.full_size, chosen.clock, chosen.moving, chosen.seed,
            port=chosen.port, gzip=chosen.gzip, history=chosen.history, since=date.min,
        )  # fmt: skip
    except NotADirectoryError as missing:
        print(f"no such folder: {missing}", file=sys.stderr)
        return 2
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with fake:
            for host in chosen.down:
                fake.fault(host, "*", Fault.reset())
            _greet(fake)
            # A wait without a limit cannot be interrupted on Windows.
            while not ended.wait(0.5):
                pass
    except OSError as taken:
        print(f"cannot listen on port {chosen.port}: {taken.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
