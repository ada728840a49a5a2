"""The benchmarks run and say what they measure. Their bounds are for a quiet machine, not for a test."""

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "scripts" / "bench"
NAMES = sorted(file.stem for file in BENCH.glob("[a-z]*.py"))
# Benchmarks that ask for a library that is not among the requirements.
NEEDS = {
    "store_day": "dlt",
    "backfill_store": "dlt",
    "merge_million": "dlt",
    "first_sight": "playwright",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def lacking(name: str) -> str | None:
    """What a benchmark needs and does not find here."""
    if name in NEEDS and find_spec(NEEDS[name]) is None:
        return NEEDS[name]
    return "Chromium" if name == "first_sight" and not any(map(shutil.which, BROWSERS)) else None


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a benchmark by name, as it imports its neighbours."""
    monkeypatch.syspath_prepend(BENCH)
    return import_module


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_runs_and_prints_each_bound_with_its_verdict(name: str) -> None:
    command = [sys.executable, str(BENCH / f"{name}.py"), "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    if missing := lacking(name):
        assert done.returncode == 2
        assert missing in done.stderr
        pytest.skip(f"{missing} is not installed")
    assert done.returncode in (0, 1), done.stderr
    verdicts = re.findall(
        r": [\d.]+ \(promised: at (?:most|least) [\d.]+ \S+\) (PASS|FAIL)$", done.stdout, re.M
    )
    assert verdicts
    assert (done.returncode == 0) == ("FAIL" not in verdicts)


def test_every_benchmark_has_its_figures_in_the_documentation() -> None:
    said = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert set(re.findall(r"python scripts/bench/(\w+)\.py", said)) == set(NAMES)


def test_a_child_that_fails_is_not_measured() -> None:
    code = "import _measure; _measure.child(['-c', 'raise SystemExit(3)'], _measure.environment())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=BENCH, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Broken" in done.stderr and "3" in done.stderr


def test_p95_leaves_out_the_slowest_twentieth_and_no_more(bench: Any) -> None:
    within = bench("_measure").within
    assert within([float(n) for n in range(100, 0, -1)], 0.95) == 96
    assert within([3.0, 1.0, 2.0], 0.95) == 3


FIVE = ("metric",) * 5


def sent(*kinds: str, outcome: int = 0) -> list[Any]:
    """What a server sends of one redraw: an element of each kind, and the end of the script."""
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    messages = [ForwardMsg() for _kind in kinds]
    for message, kind in zip(messages, kinds, strict=True):
        getattr(message.delta.new_element, kind).SetInParent()
    return [*messages, ForwardMsg(script_finished=outcome)]


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        (sent(*FIVE), None),
        (sent(*FIVE, "exception"), "exception"),
        (sent("markdown"), "no figures"),
        (sent(*FIVE, outcome=1), "script_finished 1"),
        (sent(*FIVE, outcome=2), "script_finished 2"),
    ],
)
def test_a_redraw_is_right_only_if_all_of_it_came(
    bench: Any, messages: list[Any], problem: str | None
) -> None:
    redraw = bench("console_load").Redraw()
    for message in messages:
        assert not redraw.over
        redraw.take(message)
    assert redraw.over
    assert redraw.problem == problem


def test_the_memory_of_what_a_server_started_counts(bench: Any) -> None:
    if not Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists():
        pytest.skip("no /proc with children here")
    load = bench("console_load")
    large = "x = bytearray(80_000_000); print('there', flush=True); input()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {large!r}], check=True)"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as outer:
        assert outer.stdout is not None and outer.stdout.readline() == b"there\n"
        sizes = [load.largest_mb(one) for one in load.family(outer.pid)]
        outer.communicate(b"\n")
    assert len(sizes) == 2
    assert sizes[0] < 80 < sizes[1] < 200
    assert load.family(outer.pid) == [outer.pid] and load.largest_mb(outer.pid) == 0


def test_one_slow_visit_does_not_decide(bench: Any) -> None:
    compared = bench("first_sight").compared
    assert compared("cold", [1.2, 1.2, 9.0], [1.0, 1.0, 0.1])
    assert not compared("cold", [1.4, 1.4, 0.1], [1.0, 1.0, 9.0])
