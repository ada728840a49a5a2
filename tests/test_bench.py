"""The benchmarks run and say what they measure. Their bounds are for a quiet machine, not for a test."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "scripts" / "bench"
NAMES = sorted(file.stem for file in BENCH.glob("[a-z]*.py"))
# Benchmarks that compare with something that is not among the requirements.
NEEDS = {"store_day": "dlt"}


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_runs_and_prints_each_bound_with_its_verdict(name: str) -> None:
    command = [sys.executable, str(BENCH / f"{name}.py"), "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
        assert done.returncode == 2
        assert "pip install" in done.stderr
        pytest.skip(f"{NEEDS[name]} is not installed")
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
