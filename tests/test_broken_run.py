"""Whatever breaks a run: one line that says what to do, exit code 3 or 2, and no row left `running`."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import ledger
from storage.settings import load
from tests import child
from tests.upstream import FakeUpstream, Fault


@pytest.fixture(scope="module")
def market() -> Iterator[FakeUpstream]:
    with child.frozen_upstream() as fake:
        yield fake


@pytest.fixture
def up(market: FakeUpstream) -> Iterator[FakeUpstream]:
    yield market
    market.clear_faults()


BREAKING = """
import sqlite3, sys
sys.path.insert(0, ".")
import collect
from collectors import housekeeping
def broken(*_arguments):
    raise eval(sys.argv[1])
setattr(housekeeping, sys.argv[2], broken)
sys.exit(collect.main(["crypto", *sys.argv[3:]]))
"""


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        ("OSError(28, 'No space left on device')", "full", "disk is full"),
        ("PermissionError(13, 'Permission denied', 'some file')", "unexpected", "some file"),
        ("sqlite3.OperationalError('disk I/O error')", "unexpected", "disk I/O error"),
        ("LookupError('nobody thought of this')", "unexpected", "LookupError"),
    ],
)
@pytest.mark.parametrize("place", ["open_store", "close_store"])
def test_whatever_breaks_a_run_it_ends_as_failed_with_one_line(
    error: str, code: str, word: str, place: str, home: Path, up: FakeUpstream
) -> None:
    done = child.ended(child.python(BREAKING, error, place, "--json", up=up))
    assert (done.code, done.err) == (3, "")
    told = done.events[-1]
    assert (told["event"], told["code"]) == ("error", code) and word in told["message"]
    assert [event["event"] for event in done.events].count("run_finished") == 1
    assert done.finished is not None and (done.finished["state"], done.finished["exit_code"]) == ("failed", 3)
    (run,) = ledger.runs(load())
    assert (run.state, run.exit_code) == ("failed", 3)
    assert "Traceback" in child.log_text()
    child.assert_settled()


def test_a_person_is_told_on_one_line_what_broke_the_run(home: Path, up: FakeUpstream) -> None:
    done = child.ended(child.python(BREAKING, "LookupError('a secret place')", "open_store", up=up))
    assert (done.code, done.err) == (3, "")
    assert "stumbled over LookupError" in done.out.splitlines()[-1]
    assert "a secret place" not in done.out and "a secret place" in child.log_text()


def test_a_ledger_that_cannot_be_written_at_the_end_costs_no_traceback(home: Path, up: FakeUpstream) -> None:
    code = BREAKING.replace("housekeeping, sys.argv[2]", "ledger, sys.argv[2]").replace(
        "import housekeeping", "import housekeeping\nfrom storage import ledger"
    )
    done = child.ended(
        child.python(code, "sqlite3.OperationalError('database is locked')", "finish", "--json", up=up)
    )
    assert (done.code, done.err) == (3, "")
    assert done.events[-1]["event"] == "error"
    # Its process is gone: the next look says so.
    assert ledger.running(load()) is None
    assert [run.state for run in ledger.runs(load())] == ["interrupted"]
    child.assert_settled()


@pytest.mark.parametrize("verb", ["status", "export"])
def test_a_ledger_that_cannot_be_read_is_told_by_every_verb(verb: str, home: Path) -> None:
    home.mkdir()
    (home / "ledger.sqlite").write_bytes(b"garbage " * 1000)
    done = child.collect(None, verb)
    assert (done.code, done.err) == (3, "")
    assert "ledger" in done.out and len(done.out.splitlines()) == 1


# ---------------------------------------------------------------- where the store may be


@pytest.mark.parametrize("where", ["folder", "below a file"])
@pytest.mark.parametrize("verb", ["crypto", "replay"])
def test_a_database_that_cannot_be_there_is_told_with_the_setting(
    where: str, verb: str, home: Path, tmp_path: Path, up: FakeUpstream
) -> None:
    place = tmp_path / "taken"
    if where == "folder":
        place.mkdir()
    else:
        place.write_text("")
        place = place / "store.duckdb"
    done = child.collect(up, verb, COLLECTOR_DATABASE=str(place))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("collect.py: COLLECTOR_DATABASE is not usable.")
    assert len(done.err.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["a#b", "it's", 'a "b"', "a*b[c", "100%23 {a,b}", "a;b\\c"])
def test_a_path_may_have_any_letter_but_one(name: str, home: Path, tmp_path: Path, up: FakeUpstream) -> None:
    folder = tmp_path / name / "home"
    done = child.collect(up, "crypto", COLLECTOR_HOME=str(folder))
    assert (done.code, done.err) == (0, "")
    status = child.collect(None, "status", COLLECTOR_HOME=str(folder))
    crypto = status.out.partition("crypto:")[2].partition("news:")[0]
    assert (status.code, status.err) == (0, "") and "fresh" in crypto and "never" not in crypto
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such names")
@pytest.mark.parametrize("setting", ["COLLECTOR_HOME", "COLLECTOR_DATABASE"])
def test_a_question_mark_in_the_path_is_refused_because_duckdb_would_lose_its_log(
    setting: str, home: Path, tmp_path: Path, up: FakeUpstream
) -> None:
    done = child.collect(up, "crypto", **{setting: str(tmp_path / "what?" / "store")})
    assert (done.code, done.out) == (2, "")
    assert setting in done.err and "question mark" in done.err
    assert not (tmp_path / "what?").exists()


# ---------------------------------------------------------------- the watcher


DEAF = """
import sqlite3, sys
sys.path.insert(0, ".")
import collect
from storage import ledger
asked, failed = ledger.cancel_asked, []
def busy(*given):
    if len(failed) < 3:
        failed.append(1)
        raise sqlite3.OperationalError("database is locked")
    return asked(*given)
ledger.cancel_asked = busy
sys.exit(collect.main(["crypto", "--json"]))
"""


def test_a_run_hears_of_its_cancel_also_after_the_ledger_was_locked(home: Path, up: FakeUpstream) -> None:
    up.fault("alternative_me", "/fng", Fault.hang(60))
    process = child.python(DEAF, up=up)
    run = child.eventually(child.live)
    time.sleep(1.5)
    assert ledger.cancel(load(), run.run_id)
    done = child.ended(process, 5)
    assert (done.code, done.err) == (130, "")
    assert [run.state for run in ledger.runs(load())] == ["cancelled"]
