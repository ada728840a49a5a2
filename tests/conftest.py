"""What every test may rely on: a home of its own, an environment without settings, no way out."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guard import sitecustomize as guard

GUARD = Path(__file__).parent / "guard"
SETTINGS = ("COLLECTOR_", "COINGECKO_", "FRED_")

# Files of minutes, longest first: side by side, none of them is still running when all others are over.
LONGEST = (
    "test_backfill.py",
    "browser/test_console.py",
    "browser/test_liquidity_page.py",
    "test_liquidity_run.py",
    "test_month.py",
    "browser/test_crypto_page.py",
    "browser/test_run_control.py",
    "test_kill.py",
    "test_bench.py",
    "browser/test_legacy_page.py",
    "browser/test_runs_page.py",
    "test_one_at_a_time.py",
    "test_processes.py",
    "test_publish.py",
    "test_store_faults.py",
    "test_quarantine.py",
    "test_news_run.py",
    "test_vintages_run.py",
    "browser/test_news_page.py",
)

sys.addaudithook(guard.hook)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    place = {here / name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(LONGEST)))


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test that asked for any host but this machine, even if it swallowed the refusal."""
    already = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(GUARD), already))))
    guard.refused.clear()
    yield
    left = list(guard.refused)
    guard.refused.clear()
    if left:
        pytest.fail(f"reached for another host: {left}")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """COLLECTOR_HOME in a temporary folder, every other setting at its default, no `.env` read.

    Whatever the test does to the environment is undone.
    """
    from storage import texts
    from storage.settings import Settings

    before = dict(os.environ)
    language = list(texts._default)
    for name in before:
        if name.upper().startswith(SETTINGS):
            del os.environ[name]
    folder = tmp_path / "home"
    os.environ["COLLECTOR_HOME"] = str(folder)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    yield folder
    os.environ.clear()
    os.environ.update(before)
    texts._default[:] = language
