"""What the ledger answered is kept as long as its files are untouched, and not a transaction longer."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage import ledger, ledger_file, ledger_memo
from storage.settings import Settings, load


@pytest.fixture
def settings(home: Path) -> Iterator[Settings]:
    ledger_memo._kept.clear()
    yield load()
    ledger_memo._kept.clear()


def skip(settings: Settings, name: str) -> None:
    ledger.record_skip(settings, name, ["crypto"], "cli", "fresh", 0)


def settle() -> None:
    """Until the files are old enough to be trusted."""
    time.sleep(ledger_memo.SETTLED_NS / 1e9 + 0.02)


def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often the ledger is opened to be read from now on."""
    seen: list[str] = []
    connect = ledger_file.sqlite3.connect

    def noted(*given: Any, **more: Any) -> Any:
        seen.append(str(given[0]))
        return connect(*given, **more)

    monkeypatch.setattr(ledger_file.sqlite3, "connect", noted)
    return seen


def test_an_untouched_ledger_is_asked_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    skip(settings, "20261124-000000-aaaaaa")
    settle()
    seen = opened(monkeypatch)
    for _n in range(5):
        assert [run.run_id for run in ledger.runs(settings)] == ["20261124-000000-aaaaaa"]
        assert ledger.run(settings, "20261124-000000-bbbbbb") is None
    assert len(seen) == 2


def test_every_write_is_seen_at_once(settings: Settings) -> None:
    for n in range(40):
        skip(settings, f"20261124-0000{n:02}-aaaaaa")
        assert len(ledger.runs(settings, limit=100)) == n + 1
        if n % 10 == 0:
            settle()
            assert len(ledger.runs(settings, limit=100)) == n + 1


def test_nobody_changes_another_ones_answer(settings: Settings) -> None:
    skip(settings, "20261124-000000-aaaaaa")
    settle()
    ledger.runs(settings).clear()
    ledger.last_steps(settings, "crypto")["x"] = None  # type: ignore[assignment]
    assert len(ledger.runs(settings)) == 1 and ledger.last_steps(settings, "crypto") == {}


def test_other_questions_and_other_homes_have_other_answers(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip(settings, "20261124-000000-aaaaaa")
    monkeypatch.setenv("COLLECTOR_HOME", str(tmp_path / "other"))
    other = load()
    skip(other, "20261124-000000-bbbbbb")
    settle()
    for _twice in range(2):
        assert ledger.runs(settings)[0].run_id.endswith("aaaaaa")
        assert ledger.runs(other)[0].run_id.endswith("bbbbbb")
        assert ledger.runs(settings, pipeline="news") == []


def test_a_ledger_that_was_replaced_is_read_anew(settings: Settings, home: Path) -> None:
    skip(settings, "20261124-000000-aaaaaa")
    settle()
    assert len(ledger.runs(settings)) == 1
    for file in home.glob("ledger.sqlite*"):
        file.unlink()
    assert ledger.runs(settings) == []
    assert ledger.merge_mark(settings) == ledger.merge_mark(settings)
