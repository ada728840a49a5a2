"""The page Runs: its history by filter and address, a run in words, on its axis and in its log, how long it
took against the median, and Retry of one source."""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from collectors import launch
from collectors.registry import PIPELINES
from pages._view import badges, palette, run_durations, run_parts, run_tables, run_timeline, run_words
from storage import clock, journal, ledger
from storage.ledger import PipelineTook, RunRecord, StepRecord
from storage.records import Counts
from storage.settings import ROOT, load
from storage.texts import speaking

T0 = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
HOSTILE = "<b>x</b> %{y} [a](javascript:alert(1)) :material/home: $a$"
TVL = "defillama.total_tvl"


@pytest.fixture(autouse=True)
def english(home: Path) -> Any:
    with speaking("en"):
        yield


def at_second(monkeypatch: pytest.MonkeyPatch, seconds: float) -> datetime:
    """The clock of the project stands there from now on."""
    now = T0 + timedelta(seconds=seconds)
    monkeypatch.setattr(clock, "now", lambda: now)
    return now


def step(n: int, name: str, begin: float, end: float | None, pipeline: str = "crypto", **more: Any) -> Any:
    """A step from second `begin` to `end` after T0."""
    given = {"state": "ok", "counts": Counts(10, 1, 2, 6, 0, 1), "requests": 2, **more}
    finished = None if end is None else T0 + timedelta(seconds=end)
    source = given.pop("source", name)
    began = T0 + timedelta(seconds=begin)
    return StepRecord("r", n, name, pipeline, source=source, started_at=began, finished_at=finished, **given)


def record(run_id: str = "r", end: float | None = 9, state: str = "ok", **more: Any) -> RunRecord:
    """A run of both pipelines that began at T0."""
    finished = None if end is None else T0 + timedelta(seconds=end)
    given = {"pipelines": ("liquidity", "crypto"), "trigger": "schedule", "reason": None, **more}
    return RunRecord(
        run_id=run_id, state=state, exit_code=0, demo=True, starter=None, pid=1, queued_at=T0, started_at=T0,
        finished_at=finished, heartbeat_at=T0, outcomes=given.pop("outcomes", {}), **given,
    )  # fmt: skip


def ran(
    monkeypatch: pytest.MonkeyPatch,
    begin: float,
    steps: Sequence[StepRecord] = (),
    pipelines: Sequence[str] = ("crypto",),
    trigger: str = "schedule",
    state: str = "ok",
    end: float | None = None,
) -> str:
    """A run in the ledger, with its steps; its id."""
    settings = load()
    began = at_second(monkeypatch, begin)
    run_id = ledger.new_run_id(began)
    ledger.reserve(settings, run_id, pipelines, trigger)
    ledger.claim(settings, run_id, os.getpid())
    for one in steps:
        fields = {name: getattr(one, name) for name in StepRecord.__dataclass_fields__}
        ledger.step_finished(settings, StepRecord(**(fields | {"run_id": run_id})))
    at_second(monkeypatch, begin + 9 if end is None else end)
    ledger.finish(settings, run_id, state, 0, dict.fromkeys(pipelines, state))
    return run_id


def failed(name: str = TVL, n: int = 1, **more: Any) -> StepRecord:
    given = {
        "state": "failed",
        "kind": "unavailable",
        "code": "http_503",
        "message": "Wait: {host} answered 503.",
        "values": {"host": "api.llama.fi"},
        "counts": Counts(),
        **more,
    }
    return step(n, name, 1, 2, **given)


def visit(**query: str) -> AppTest:
    """The page inside its frame."""
    at = AppTest.from_file(str(ROOT / "pages" / "_frame.py"), default_timeout=20).run()
    at.switch_page("runs.py")
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def said(at: AppTest) -> str:
    parts = [element.value for kind in ("markdown", "caption", "header") for element in at.get(kind)]
    parts += [f"{one.label} {one.value}" for one in at.metric]
    text = "\n".join([*parts, *(table.value.to_csv() for table in at.dataframe)]).replace("\\", "")
    assert not re.search(r"\bnan\b|\bNone\b", text, re.IGNORECASE)
    return text


def listed(at: AppTest) -> list[str]:
    return list(at.dataframe[0].value["run"])


# ---------------------------------------------------------------- the ledger's answers


def test_runs_are_asked_for_by_who_started_them(monkeypatch: pytest.MonkeyPatch) -> None:
    by_hand = ran(monkeypatch, 0, trigger="console")
    ran(monkeypatch, 100, trigger="schedule")
    settings = load()
    assert [run.run_id for run in ledger.runs(settings, trigger="console")] == [by_hand]
    assert ledger.runs(settings, trigger="console", state="failed") == []
    assert len(ledger.runs(settings, pipeline="crypto", trigger="schedule", state="ok")) == 1


def test_a_pipeline_took_its_own_part_of_a_run_and_no_later_merge(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (
        step(1, "fred.SOFR", 1, 5, "liquidity"),
        step(2, "coingecko.markets", 5.5, 7),
        # Merged by a run that came a day later.
        step(3, TVL, 6, 86_400, reason="replayed"),
        step(4, "export", 7, 8, source=None),
    )
    first = ran(monkeypatch, 0, steps, ("liquidity", "crypto"))
    settings = load()
    (crypto,) = ledger.durations(settings, "crypto")
    assert (crypto.run_id, crypto.state, crypto.sources) == (first, "ok", 2)
    assert crypto.seconds == 3.5
    assert [one.seconds for one in ledger.durations(settings, "liquidity")] == [4.0]
    assert ledger.durations(settings, "news") == []


def test_starts_that_did_nothing_take_no_place_among_the_durations(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ran(monkeypatch, 0, (step(1, TVL, 1, 2),))
    for n in range(5):
        ledger.record_skip(load(), ledger.new_run_id(clock.now()), ["crypto"], "api", "busy", 75 + n)
    assert [one.run_id for one in ledger.durations(load(), "crypto", limit=2)] == [first]


def test_durations_are_the_last_ones_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [ran(monkeypatch, n * 100, (step(1, TVL, n * 100, n * 100 + n),)) for n in range(5)]
    found = ledger.durations(load(), "crypto", limit=3)
    assert [one.run_id for one in found] == ids[2:]
    assert [one.seconds for one in found] == [2, 3, 4]


# ---------------------------------------------------------------- history and address


def test_the_address_filters_the_history_and_rubbish_is_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ran(monkeypatch, 0, (failed(),), state="partial", trigger="api")
    second = ran(monkeypatch, 100, (step(1, "fred.SOFR", 100, 103, "liquidity"),), ("liquidity",))
    assert listed(visit()) == [second, first]
    assert listed(visit(pipeline="crypto")) == [first]
    assert listed(visit(state="partial", trigger="api")) == [first]
    assert listed(visit(trigger="schedule")) == [second]
    for rubbish in ("'; DROP TABLE run--", "", "x" * 5000, "\x00", "⚡"):
        at = visit(pipeline=rubbish, state=rubbish, trigger=rubbish, run=rubbish)
        assert listed(at) == [second, first]
        assert not {"pipeline", "state", "trigger"} & set(at.query_params)
        assert second in said(at)


def test_a_filter_goes_into_the_address_and_shows_the_newest_that_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = ran(monkeypatch, 0, (failed(),), state="partial")
    second = ran(monkeypatch, 100)
    at = visit(run=second)
    at.selectbox(key="runs_state").set_value("partial").run()
    assert at.query_params["state"] in ("partial", ["partial"]) and "run" not in at.query_params
    assert listed(at) == [first]
    assert any("2 of" in one.value or "1 of 1 steps" in one.value for one in at.markdown)
    at.selectbox(key="runs_state").set_value("cancelled").run()
    assert "No run is like this." in said(at)
    at.button(key="runs_clear").click().run()
    assert listed(at) == [second, first] and "state" not in at.query_params
    assert not at.exception


def test_a_link_to_a_run_that_the_filter_leaves_out_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ran(monkeypatch, 0, (failed(),), state="partial")
    ran(monkeypatch, 100)
    at = visit(run=first, state="ok")
    assert first not in listed(at)
    words = said(at)
    assert "is not in this list" in words and f"started by the scheduler · {first}" in words


def test_what_is_no_run_is_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = ran(monkeypatch, 0)
    for asked in ("20260101-000000-abcdef", "../../etc/passwd", "r"):
        assert f"started by the scheduler · {newest}" in said(visit(run=asked))


# ---------------------------------------------------------------- a run in words


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("ok", None, "Every step did its work"),
        ("partial", None, "what the others brought is stored"),
        ("failed", None, "did not do its work."),
        ("cancelled", None, "nothing is half-written. To collect the rest, press Collect now"),
        ("interrupted", None, "its work was done: the computer went off"),
        ("skipped", "busy", "Another run was under way"),
        ("skipped", "fresh", "Everything was fresh already"),
        ("skipped", None, "No source had anything to do"),
        ("queued", None, "Its process is starting"),
        ("running", None, "1 step is done; more to come"),
    ],
)
def test_how_a_run_ended_is_told_in_words(state: str, reason: str | None, words: str) -> None:
    steps = [failed() if state in ("partial", "failed") else step(1, TVL, 1, 2)]
    assert words in run_words.outcome(record(state=state, reason=reason), steps, made_up=False)


def test_what_a_later_run_made_up_for_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = ran(monkeypatch, 0, (step(1, TVL, 1, 2),), state="interrupted")
    assert "To collect the rest" in said(visit(run=lost))
    ran(monkeypatch, 100, (step(1, TVL, 101, 102),))
    assert "A later run has collected the rest" in said(visit(run=lost))


def test_a_run_whose_process_never_came_says_where_to_look() -> None:
    assert "never came up" in run_words.outcome(record(state="interrupted"), [], made_up=False)


def test_every_pipeline_of_a_run_has_its_own_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (step(1, "fred.SOFR", 1, 5, "liquidity"), failed(n=2))
    run_id = ran(monkeypatch, 0, steps, ("liquidity", "crypto"), state="partial")
    words = said(visit(run=run_id))
    assert "**Liquidity** 4.0" in words and "**Crypto** 1.0" in words
    assert "Inserted 1" in words and "Rejected 1" in words and "Requests 4" in words


# ---------------------------------------------------------------- the steps on their axis


def test_steps_stand_where_they_were_by_pipeline_and_start() -> None:
    steps = [step(3, TVL, 6, 8), step(1, "fred.SOFR", 1, 5, "liquidity"), step(2, "a", 0.5, 1, "liquidity")]
    zero, found = run_timeline.bars(record(), steps, T0)
    assert zero == T0
    assert [(bar.step.step, bar.start, bar.end) for bar in found] == [
        ("a", 0.5, 1.0),
        ("fred.SOFR", 1.0, 5.0),
        (TVL, 6.0, 8.0),
    ]


def test_what_runs_ends_now_and_what_was_merged_later_ends_with_its_run() -> None:
    now = T0 + timedelta(seconds=30)
    _zero, live = run_timeline.bars(record(end=None), [step(1, "a", 2, None, state="running")], now)
    assert (live[0].start, live[0].end) == (2.0, 30.0)
    _zero, later = run_timeline.bars(record(end=9), [step(1, "a", 2, 90_000, reason="replayed")], now)
    assert (later[0].start, later[0].end) == (2.0, 9.0)


def test_a_clock_that_was_set_back_gives_no_negative_bar() -> None:
    steps = [step(1, "a", -5, -7), StepRecord("r", 2, "b", "crypto", state="skipped")]
    _zero, found = run_timeline.bars(record(), steps, T0)
    assert [(bar.start, bar.end) for bar in found] == [(0.0, 0.0)]
    drawn = run_timeline.chart(load(), record(), steps, palette.LIGHT, T0)
    assert min(drawn.data[0].x) > 0


def test_a_long_run_fits_and_every_bar_has_its_sign() -> None:
    states = ("ok", "failed", "pending", "skipped", "cached")
    steps = [step(n, f"fred.S{n}", n, n + 1, "liquidity", state=states[n % 5]) for n in range(45)]
    for shade in (palette.LIGHT, palette.DARK):
        drawn = run_timeline.chart(load(), record(end=50), steps, shade, T0)
        assert drawn.layout.height < 800
        bar = drawn.data[0]
        assert [text.split()[0] for text in bar.text[:5]] == ["✓", "✕", "…", "–", "↺"]
        colors = (shade.ok, shade.bad, shade.warn, shade.flat, shade.warn)
        assert tuple(bar.marker.color[:5]) == colors
        assert len(drawn.layout.yaxis.ticktext) == 45


def test_the_pointer_says_source_counts_requests_and_message() -> None:
    drawn = run_timeline.chart(load(), record(), [failed(table="defi_tvl")], palette.LIGHT, T0)
    (words,) = drawn.data[0].customdata
    assert words.startswith(f"<b>{TVL}</b><br>06:00:01 – 06:00:02 KST")
    assert "✕ failed · unavailable · http_503" in words and "2 requests · defi_tvl" in words
    assert "Wait: api.llama.fi answered 503." in words


def test_words_of_an_upstream_come_alive_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = failed(message=HOSTILE, values={})
    drawn = run_timeline.chart(load(), record(), [bad, step(2, HOSTILE, 1, 2)], palette.LIGHT, T0)
    written = " ".join([*drawn.data[0].customdata, *drawn.layout.yaxis.ticktext])
    assert "<b>x" not in written and "%{" not in written
    run_id = ran(monkeypatch, 0, (bad,), state="partial")
    line = next(one.value for one in visit(run=run_id).markdown if "alert" in one.value)
    words = line.partition("**")[2]
    assert "](" not in words and ":material" not in words.replace(":\u2060", "").partition(":green")[0]


# ---------------------------------------------------------------- durations


def took(run_id: str, seconds: float, sources: int = 7, state: str = "ok") -> PipelineTook:
    return PipelineTook(run_id, state, T0, seconds, sources)


def test_the_median_is_of_whole_runs_only() -> None:
    found = [
        took("a", 4),
        took("b", 6),
        took("c", 8),
        took("d", 0.2, sources=1),
        took("e", 90, state="failed"),
    ]
    assert run_durations.usual(found) == 6
    drawn = run_durations.chart(load(), "crypto", found, "c", palette.LIGHT)
    assert (
        drawn.layout.meta["title"].replace("\u00a0", " ") == "Crypto took 8.0 s in this run, 6.0 s as a rule"
    )
    dots, ring = drawn.data
    assert list(dots.marker.symbol) == ["circle"] * 3 + ["circle-open", "x-thin-open"]
    assert (list(ring.x), list(ring.y)) == ([2], [8])
    assert drawn.layout.shapes[0].y0 == 6


@pytest.mark.parametrize("found", [[], [took("a", 0)], [took("a", 3, state="cancelled")]])
def test_few_durations_draw_too(found: list[PipelineTook]) -> None:
    drawn = run_durations.chart(load(), "crypto", found, "x", palette.DARK)
    assert "nan" not in drawn.to_json().lower()


# ---------------------------------------------------------------- the log


def test_the_end_of_the_log_is_shown_and_all_of_it_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = ran(monkeypatch, 0, (step(1, TVL, 1, 2),))
    path = journal.run_log_path(load(), run_id)
    assert path is not None
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"line {n} <b>{HOSTILE}</b>\n" for n in range(1000)), encoding="utf-8")
    at = visit(run=run_id)
    shown = at.code[0].value.splitlines()
    assert len(shown) == run_parts.LINES == 400
    assert shown[0].startswith("line 600 ") and shown[-1].startswith("line 999 ")
    assert at.code[0].language in (None, "", "plaintext")
    assert "the last 400 of 1,000 lines" in said(at)
    assert not at.exception


def test_a_log_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    at = visit(run=ran(monkeypatch, 0, (step(1, TVL, 1, 2),)))
    assert "Nothing is kept of it" in said(at) and not at.code


# ---------------------------------------------------------------- Retry


def test_retry_starts_a_run_of_that_source_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    spawned: list[list[str]] = []
    monkeypatch.setattr(launch, "_spawn", lambda command, folder: spawned.append(list(command)))
    run_id = ran(monkeypatch, 0, (failed(), step(2, "coingecko.markets", 1, 2)), state="partial")
    at, other_tab = visit(run=run_id), visit(run=run_id)
    assert [one.key for one in at.button if str(one.key).startswith("retry_")] == [f"retry_{TVL}"]
    at.button(key=f"retry_{TVL}").click().run()
    (command,) = spawned
    assert command[command.index("--source") + 1] == TVL and "crypto" in command
    newest = ledger.runs(load())[0]
    assert (newest.trigger, newest.state, newest.pipelines) == ("console", "queued", ("crypto",))
    # It is what is looked at now; who looks at the old one cannot press again.
    assert f"started by this console · {newest.run_id}" in said(at)
    assert visit(run=run_id).button(key=f"retry_{TVL}").disabled
    other_tab.button(key=f"retry_{TVL}").click().run()
    assert len(spawned) == 1
    assert newest.run_id in other_tab.toast[0].value.replace("\\", "")
    assert not at.exception and not other_tab.exception


def test_retry_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_given: object) -> str:
        raise OSError(28, "No space left on device")

    at = visit(run=ran(monkeypatch, 0, (failed(),), state="partial"))
    monkeypatch.setattr(launch, "launch", full)
    at.button(key=f"retry_{TVL}").click().run()
    assert "cannot be written" in at.toast[0].value
    assert not at.exception


@pytest.mark.parametrize(
    ("fields", "offered"),
    [
        ({}, True),
        ({"state": "pending"}, True),
        ({"state": "cached"}, True),
        ({"state": "skipped", "reason": "rate_limited"}, True),
        ({"state": "skipped", "reason": "no_key"}, False),
        ({"state": "skipped", "reason": "not_due"}, False),
        ({"state": "ok"}, False),
        ({"source": None}, False),
        ({"source": "gone.source"}, False),
    ],
)
def test_retry_is_offered_where_it_can_help(fields: dict[str, Any], offered: bool) -> None:
    assert bool(run_parts.again([failed(**fields)], {TVL: object()})) is offered


def test_many_failed_steps_are_one_list_and_not_a_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [source.name for source in PIPELINES["liquidity"]][:12]
    steps = [failed(name, n, pipeline="liquidity") for n, name in enumerate(names, 1)]
    run_id = ran(monkeypatch, 0, steps, ("liquidity",), state="failed")
    started: list[Sequence[str]] = []
    at = visit(run=run_id)
    assert len([one for one in at.button if str(one.key).startswith("retry_")]) == 1
    assert "and 11 more" in said(at)
    monkeypatch.setattr(
        launch, "launch", lambda *given: started.append(given[1:]) or "20261123-210000-abcdef"
    )
    at.selectbox(key="retry_source").set_value(names[5]).run()
    at.button(key=f"retry_{names[5]}").click().run()
    assert started == [(["liquidity"], "console", [names[5]])]
    assert not at.exception


def test_a_step_that_a_later_run_did_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = ran(monkeypatch, 0, (failed(),), state="partial")
    assert "ok since" not in said(visit(run=run_id))
    ran(monkeypatch, 100, (step(1, TVL, 101, 102),))
    assert "ok since" in said(visit(run=run_id))


# ---------------------------------------------------------------- while a run is on


def test_a_run_under_way_is_drawn_with_its_open_step(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load()
    run_id = ledger.new_run_id(clock.now())
    ledger.reserve(settings, run_id, ["crypto"], "schedule")
    at = visit()
    assert "Its process is starting." in said(at) and "Under way: Crypto, since" in said(at)
    monkeypatch.setattr("storage.ledger_life.alive", lambda *_given: True)
    ledger.claim(settings, run_id, os.getpid())
    ledger.step_started(settings, StepRecord(run_id, 1, TVL, "crypto", source=TVL, started_at=clock.now()))
    at = visit()
    assert "0 steps are done" in said(at)
    assert list(at.dataframe[-1].value["state"]) == ["▶ running"]
    assert list(at.dataframe[-1].value["seconds"]) == ["–"]
    assert not at.exception


def test_every_state_is_drawn_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    states = ("ok", "partial", "failed", "skipped", "cancelled", "interrupted")
    for n, state in enumerate(states):
        run_id = ran(monkeypatch, n * 100, (failed(),) if n % 2 else (), state=state)
        for language in ("en", "ko"):
            said(visit(run=run_id, lang=language))


def test_steps_leave_as_they_were_recorded() -> None:
    rows = run_tables.rows(load(), record(), [failed(), step(2, "export", 1, None, source=None)])
    assert rows["seconds"].tolist()[0] == 1.0 and rows["started_at"][0] == "2026-11-23T21:00:01.000Z"
    assert rows["message"][0] == "Wait: api.llama.fi answered 503."


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [(":material/home:", True), (":smile:", True), (":+1:", True), ("21:00:05", False), ("a: b: c", False)],
)
def test_no_word_becomes_an_icon(hostile: str, shown: bool) -> None:
    assert ("\u2060" in badges.plain(hostile)) is shown
