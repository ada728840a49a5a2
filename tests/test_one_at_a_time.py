"""One run at a time, whoever starts it and how many do: starts of every kind in the same second, starts that
wait for their turn, one pipeline whose hosts drip, and a child that dies before it takes up its run.
"""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from collectors import launch
from collectors.pipeline import SHARE_S
from collectors.registry import PIPELINES
from storage import clock, ledger
from storage.settings import load
from tests import child
from tests.api_client import Answer, served
from tests.test_processes import gated
from tests.upstream import FakeUpstream, Fault
from tests.upstream.feeds import FEEDS

posix = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL of POSIX")
ALL = tuple(PIPELINES)
STARTS = 20
SHARE_OF_LIQUIDITY_S = 8.0
# The feeds of news are on the same host: they do not drip.
DRIPPING = [(host, "*") for host in ("fred", "yahoo", "ofr", "fed")]
DRIPPING += [("feeds", f"/{name}.xml") for name in FEEDS]

# collect.py as it is, held back at the door: all of them stand in front of the ledger when it opens.
STARTING = """
import runpy, sys, time
from pathlib import Path
gate = Path(sys.argv.pop(1))
sys.path.insert(0, ".")
sys.modules.setdefault("pandas", None)
from collectors import pipeline
execute = pipeline.execute
def at_the_door(*given):
    print("ready", flush=True)
    while not gate.exists():
        time.sleep(0.001)
    return execute(*given)
pipeline.execute = at_the_door
runpy.run_path("collect.py", run_name="__main__")
"""


@pytest.fixture
def up(home: Path) -> Iterator[FakeUpstream]:
    """An upstream that the test itself, and whatever it starts, is pointed at."""
    with child.frozen_upstream() as fake:
        os.environ.update(child.environment(fake))
        yield fake


def ready(gate: Path, *lines: Sequence[str]) -> "list[subprocess.Popen[str]]":
    """`collect.py LINE --json` for each of the lines; they all go on when the file `gate` is there."""
    starts = [child.python(STARTING, str(gate), *words, "--json") for words in lines]
    for one in starts:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    return starts


def pressed() -> tuple[str | None, str]:
    """What a button of the console does: the run that it began, if any, and the one that it heard of."""
    try:
        run_id = launch.launch(load(), ALL, "console")
    except ledger.Busy as busy:
        return None, busy.run_id
    return run_id, run_id


def posted(answer: Answer) -> tuple[str | None, str]:
    """The same of an answer to a POST."""
    if answer.status == 202:
        return answer.json["run_id"], answer.json["run_id"]
    assert (answer.status, answer.code) == (409, "busy")
    return None, answer.json["error"]["run_id"]


# ---------------------------------------------------------------- in the same second


def test_of_twenty_starts_a_post_and_a_button_in_the_same_second_one_works_and_the_ledger_tells_of_all(
    up: FakeUpstream, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    with served(tmp_path) as console, ThreadPoolExecutor(2) as pool:
        with gated(up) as gate:
            starts = ready(go, *[["all"]] * STARTS)
            go.touch()
            post, button = pool.submit(console.ask, "collector/run-all", "POST"), pool.submit(pressed)
            (began, of_post), (pushed, of_button) = posted(post.result()), button.result()
            busy = STARTS - (began is None and pushed is None)
            child.eventually(lambda: sum(one.poll() is not None for one in starts) == busy)
            gate.set()
            done = [child.ended(one) for one in starts]
        child.eventually(lambda: ledger.running(load()) is None)
        runs = ledger.runs(load(), 100)
        (worked,) = [run for run in runs if run.reason != "busy"]
        assert (worked.state, worked.exit_code, dict(worked.outcomes)) == ("ok", 0, dict.fromkeys(ALL, "ok"))
        assert {of_post, of_button} == {worked.run_id}
        assert sorted(one.code for one in done) == [0] * (STARTS - busy) + [75] * busy
        assert {one.err for one in done} == {""}
        told = {one.finished["run_id"] for one in done if one.finished is not None}
        assert told | {worked.run_id} == {run.run_id for run in runs} and len(told) == STARTS
        others = [(run.state, run.reason, run.exit_code, run.trigger, run.pipelines) for run in runs]
        assert others.count(("skipped", "busy", 75, "cli", ALL)) == busy == len(runs) - 1
        assert {run_id for run_id, _step in child.receipts()} == {worked.run_id}
        assert up.count("defillama", "/protocols") == 1
        child.assert_whole()
        child.assert_settled()


def test_starts_that_wait_run_one_after_another_and_every_pipeline_in_its_order(
    up: FakeUpstream, tmp_path: Path
) -> None:
    wait = ("--wait", "1800")
    starts = ready(
        tmp_path / "go",
        *[("all", *wait)] * 2,
        # These look at freshness again when their turn comes.
        *[("all", "--trigger", "catchup", *wait)] * 2,
        ("news", "--after", "liquidity", "crypto", "--trigger", "schedule", *wait),
        ("crypto", "liquidity", "--trigger", "schedule", *wait),
    )
    (tmp_path / "go").touch()
    done = [child.ended(one) for one in starts]
    assert [(one.code, one.err) for one in done] == [(0, "")] * 6
    runs = sorted(ledger.runs(load()), key=lambda run: run.started_at or clock.now())
    assert len(runs) == 6 and {run.state for run in runs} <= {"ok", "skipped"}
    assert {run.reason for run in runs if run.state == "skipped"} <= {"fresh"}
    assert [run.state for run in runs if run.trigger == "cli"] == ["ok"] * 2
    for before, after in itertools.pairwise(runs):
        assert before.finished_at is not None and after.started_at is not None
        assert before.finished_at <= after.started_at
    # The first to come saw to everything that those behind it wanted done before them.
    assert list(dict.fromkeys(name for run in runs for name in run.pipelines)) == list(ALL)
    for run in runs:
        steps = sorted(ledger.steps(load(), run.run_id), key=lambda step: step.started_at or clock.now())
        taken = [name for name, _steps in itertools.groupby(step.pipeline for step in steps)]
        assert taken == [name for name in ALL if name in taken]
    child.assert_whole()
    child.assert_settled()


# ---------------------------------------------------------------- the share of each


def test_a_pipeline_whose_every_host_drips_leaves_the_others_their_time(up: FakeUpstream) -> None:
    for host, route in DRIPPING:
        up.fault(host, route, Fault.drip(1.0))
    deadline_s = SHARE_OF_LIQUIDITY_S + SHARE_S * 2
    settings = {"FRED_API_KEY": up.fred_key, "COLLECTOR_DEADLINE_S": f"{deadline_s:g}"}
    done = child.ended(child.start(up, "all", **settings), 60)
    assert (done.code, done.err) == (1, "")
    assert done.finished is not None and done.finished["state"] == "partial"
    assert done.finished["outcomes"] == {"liquidity": "failed", "crypto": "ok", "news": "ok"}
    dripped = [step for step in done.steps.values() if step["pipeline"] == "liquidity" and step["source"]]
    assert {step["step"] for step in dripped} == {source.name for source in PIPELINES["liquidity"]}
    assert {(step["state"], step["code"]) for step in dripped} == {("failed", "deadline")}
    begun = clock.parse(done.finished["started_at"])
    ended = max(clock.parse(step["finished_at"]) for step in dripped)
    assert (ended - begun).total_seconds() < SHARE_OF_LIQUIDITY_S + 4
    child.assert_whole()
    child.assert_settled()


# ---------------------------------------------------------------- the child that never came


@posix
def test_a_child_that_dies_before_it_takes_up_its_run_blocks_nobody_for_more_than_20_s(
    up: FakeUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load()
    (waiting,) = ready(tmp_path / "go", ("crypto", "--wait", "40"))
    monkeypatch.setenv("FAULT_POINT", "after_reserve")
    run_id = launch.launch(settings, ALL, "console")
    monkeypatch.delenv("FAULT_POINT")
    assert launch._children[-1].wait(30) == -9
    # Twelve of the seconds are over at once.
    child.turn_back(run_id, "queued_at", 12)
    (lost,) = ledger.runs(settings, state="queued")
    (tmp_path / "go").touch()
    done = child.ended(waiting)
    assert (done.code, done.err) == (0, "")
    following, gone = ledger.runs(settings)
    assert (gone.run_id, gone.state, following.state) == (run_id, "interrupted", "ok")
    assert following.started_at is not None
    assert following.started_at - lost.queued_at < timedelta(seconds=21.5)
    child.assert_whole()
    child.assert_settled()
