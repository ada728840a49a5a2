"""What a run came to, in words: how it ended, what that means, and what to do about it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pages._view import badges, formats
from storage import clock
from storage.records import Counts
from storage.texts import N_, _, ngettext

if TYPE_CHECKING:
    from storage.records import RunRecord, StepRecord
    from storage.settings import Settings

LIVE = ("queued", "running")
_ENDED = {
    "cancelled": N_(
        "It was cancelled between two transactions: what was merged stays, and nothing is half-written."
    ),
    "interrupted": N_(
        "Its process ended before its work was done: the computer went off, or something killed it. "
        "What was merged stays; what was fetched and not yet merged is merged by the next run."
    ),
}
_NEVER = N_("Its process never came up. The end of logs/collector.log may say why.")
_AGAIN = N_("To collect the rest, press Collect now on the Overview.")
_DONE = N_("A later run has collected the rest: nothing is left to do.")
_SKIPPED = {
    "busy": N_("Another run was under way, so that this one did nothing."),
    "fresh": N_("Everything was fresh already, so that nobody was asked."),
}


def headline(settings: "Settings", run: "RunRecord") -> str:
    """ "Last run: Liquidity + Crypto, ok at 06:01"."""
    names = badges.pipelines(run.pipelines)
    if run.state in LIVE:
        # Not in which state: the heading is not drawn anew while the run goes on.
        since = formats.moment(settings, run.queued_at)
        return _("Under way: {pipelines}, since {time}").format(pipelines=names, time=since)
    when = formats.moment(settings, run.finished_at or run.started_at or run.queued_at)
    text = _("Last run: {pipelines}, {state} at {time}")
    return text.format(pipelines=names, state=_(badges.state(run.state).word), time=when)


def about(settings: "Settings", run: "RunRecord") -> str:
    """When, how long, by whom: one line."""
    facts = [
        f"{formats.moment(settings, run.started_at or run.queued_at)} {formats.zone(settings)}",
        formats.span(run.seconds) if run.seconds is not None else "",
        _("started by {who}").format(who=badges.trigger(run.trigger)),
        badges.reason(run.reason),
    ]
    return " · ".join(filter(None, facts))


def outcome(run: "RunRecord", steps: Sequence["StepRecord"], made_up: bool) -> str:
    """How it ended and what that means. `made_up`: a later run did what this one left."""
    if run.state == "queued":
        return _("Its process is starting.")
    if run.state == "running":
        done = sum(step.state != "running" for step in steps)
        text = ngettext("{n} step is done; more to come.", "{n} steps are done; more to come.", done)
        return text.format(n=formats.number(done))
    if run.state == "skipped":
        return _(_SKIPPED.get(run.reason or "", N_("No source had anything to do.")))
    if run.state in _ENDED:
        ended = _NEVER if run.state == "interrupted" and not steps else _ENDED[run.state]
        return f"{_(ended)} {_(_DONE if made_up else _AGAIN)}"
    return _worked(run, steps)


def _worked(run: "RunRecord", steps: Sequence["StepRecord"]) -> str:
    bad = len(badges.needs_a_hand(steps))
    if run.state == "ok" and not bad:
        if not run.counts.inserted + run.counts.updated:
            return _("Every step did its work; the upstreams had nothing that was not stored already.")
        return _("Every step did its work.")
    if not steps:
        return _("It ended before a step began. The log below may say why.")
    text = ngettext(
        "{n} of {all} steps did not do its work; what the others brought is stored.",
        "{n} of {all} steps did not do their work; what the others brought is stored.",
        bad,
    )
    if run.state == "failed":
        text = ngettext(
            "{n} of {all} steps did not do its work.", "{n} of {all} steps did not do their work.", bad
        )
    return text.format(n=formats.number(bad), all=formats.number(len(steps)))


def state_of(run: "RunRecord", pipeline: str, steps: Sequence["StepRecord"]) -> str:
    """How a pipeline did within a run, also while the run is on."""
    if pipeline in run.outcomes or run.state not in LIVE:
        return run.outcomes.get(pipeline, run.state)
    return "running" if steps else "pending"


def pipeline_line(
    run: "RunRecord", pipeline: str, steps: Sequence["StepRecord"], usual: Mapping[str, float]
) -> str:
    """A pipeline of a run as one line of Markdown; `usual`: the median seconds of each pipeline."""
    own = [step for step in steps if step.pipeline == pipeline]
    look = badges.state(state_of(run, pipeline, own))
    parts = []
    if own:
        took = formats.span(seconds(run, own))
        if pipeline in usual:
            took = _("{span} (median {median})").format(span=took, median=formats.span(usual[pipeline]))
        counted = ngettext("{n} step", "{n} steps", len(own)).format(n=formats.number(len(own)))
        parts = [took, counted, badges.counts(sum((step.counts for step in own), Counts()))]
    name = badges.pipelines([pipeline])
    return f"{badges.inline(look)} **{badges.plain(name)}** {badges.plain(' · '.join(parts))}"


def seconds(run: "RunRecord", steps: Sequence["StepRecord"]) -> float | None:
    """From the start of the first of these steps to the end of the last, not beyond the end of their run;
    what still runs ends now. None where no time is known."""
    began = [step.started_at for step in steps if step.started_at]
    until = run.finished_at or clock.now()
    ended = [min(step.finished_at or until, until) for step in steps]
    if not began or not ended:
        return None
    return max(0.0, (max(ended) - min(began)).total_seconds())
