"""What needs a hand: the card of the Overview."""

from collections.abc import Sequence

import streamlit as st

from collectors import gaps
from collectors.freshness import Status
from pages._view import badges, check_parts, formats
from storage import check_results, ledger
from storage.ledger import StepRecord
from storage.settings import Settings
from storage.texts import _

# Of frozen sources and of gaps as many are told one by one.
TOLD = 3


def hand_card(settings: Settings, status: Status) -> None:
    """What the last look at every step left undone, with what to do."""
    steps = [
        step
        for name in status.pipelines
        for step in badges.needs_a_hand(ledger.last_steps(settings, name).values())
    ]
    lines = [
        *badges.advices(settings, steps),
        *_late(settings, status),
        *_frozen(status),
        *_checked(settings, steps),
        *_missing(settings),
    ]
    if not lines:
        ran = any(one.last_run for one in status.pipelines.values())
        said = _("Nothing. Every step did its work.") if ran else _("Nothing has run yet.")
        lines = [f":gray[{badges.plain(said)}]"]
    with st.container(border=True, height="stretch"):
        # One element: each costs the browser more than what stands in it.
        st.markdown("\n\n".join((f"**{_('Needs a hand')}**", *lines)))
        if steps:
            newest = max(step.run_id for step in steps)
            st.page_link(
                "runs.py", label=_("See the run"), icon=":material/history:", query_params={"run": newest}
            )
        elif any(gap.recoverable for gap in gaps.to_tell(settings).gaps):
            st.page_link("runs.py", label=_("Fill in missing days"), icon=":material/healing:")


def _late(settings: Settings, status: Status) -> list[str]:
    text = _("{name} is late: press Collect now.")
    return [
        f"{badges.freshness(settings, one)} "
        f"{badges.plain(text.format(name=badges.pipelines([one.pipeline])))}"
        for one in status.pipelines.values()
        if one.freshness == "late"
    ]


def _frozen(status: Status) -> list[str]:
    text = _("answers, but has not moved since {day}: look whether its own page still does.")
    found = [source for one in status.pipelines.values() for source in one.sources if source.frozen]
    lines = [
        f"{badges.inline(badges.FROZEN)} **{badges.plain(source.source)}** "
        f"{badges.plain(text.format(day=formats.day(source.data_as_of)))}"
        for source in found
    ]
    return _first(lines)


def _checked(settings: Settings, steps: Sequence[StepRecord]) -> list[str]:
    """What the checks warn of, or set aside; of a step that failed its own line tells."""
    failed = {step.step for step in steps}
    found = check_results.standing(settings).results
    return _first(check_parts.lines([one for one in found if one.step not in failed]))


def _missing(settings: Settings) -> list[str]:
    """What missed days lack, first what can still be had."""
    ranked = sorted(
        gaps.to_tell(settings).gaps, key=lambda gap: (not gap.recoverable, -gap.until.toordinal())
    )
    lines = []
    for gap in ranked:
        look = badges.GAPS["missing" if gap.recoverable else "unrecoverable"]
        lines.append(f"{badges.inline(look)} {badges.plain(gaps.said(gap, formats.day))}")
    return _first(lines)


def _first(lines: Sequence[str]) -> list[str]:
    """The first few lines, and how many more there are."""
    if len(lines) <= TOLD:
        return list(lines)
    more = _("and {n} more").format(n=formats.number(len(lines) - TOLD))
    return [*lines[:TOLD], f":gray[{badges.plain(more)}]"]
