"""What every test may rely on: a home of its own, an environment without settings, no way out."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guard import sitecustomize as guard

GUARD = Path(__file__).parent / "guard"
SETTINGS = ("COLLECTOR_", "COINGECKO_", "FRED_")

sys.addaudithook(guard.hook)


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
