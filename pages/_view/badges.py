"""Words, signs and colours of what a run, a step and a pipeline are in: never a colour alone.

Three facts stay three facts: what the data is as of, how the last run ended, when the next one is.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages._view import formats
from storage import clock
from storage.records import QUARANTINE, REASONS, TRIGGERS
from storage.texts import N_, _, ngettext

if TYPE_CHECKING:
    from collectors.freshness import PipelineStatus, SourceStatus
    from storage.records import Counts, RunRecord, StepRecord
    from storage.settings import Settings


# More sources than this are told by upstream: a card is no wall.
MANY = 8
# From this many steps on that say the same, it is said once.
ALIKE = 3


@dataclass(frozen=True, slots=True)
class Look:
    """`word` is a gettext id; `sign` is plain text for tables, `icon` and `color` are for badges."""

    word: str
    sign: str
    icon: str
    color: str


STATES = {
    "ok": Look(N_("ok"), "✓", ":material/check:", "green"),
    "partial": Look(N_("partial"), "△", ":material/warning:", "orange"),
    "failed": Look(N_("failed"), "✕", ":material/close:", "red"),
    "skipped": Look(N_("skipped"), "–", ":material/remove:", "gray"),
    "cached": Look(N_("stored values"), "↺", ":material/history:", "orange"),
    "pending": Look(N_("pending"), "…", ":material/hourglass_empty:", "orange"),
    "queued": Look(N_("starting"), "▷", ":material/schedule:", "blue"),
    "running": Look(N_("running"), "▶", ":material/play_arrow:", "blue"),
    "cancelled": Look(N_("cancelled"), "■", ":material/stop:", "gray"),
    "interrupted": Look(N_("interrupted"), "↯", ":material/power_off:", "red"),
}
_UNKNOWN = Look(N_("unknown"), "?", ":material/help:", "gray")
FRESHNESS = {
    "fresh": Look(N_("fresh"), "✓", ":material/check:", "green"),
    "due": Look(N_("due"), "…", ":material/schedule:", "orange"),
    "late": Look(N_("late after {time}"), "!", ":material/warning:", "red"),
    "never": Look(N_("never collected"), "○", ":material/radio_button_unchecked:", "gray"),
}
# It answers, and never moves.
FROZEN = Look(N_("frozen"), "❄", ":material/ac_unit:", "blue")
GAPS = {
    "missing": Look(N_("gap"), "◌", ":material/event_busy:", "orange"),
    "unrecoverable": Look(N_("lost"), "✕", ":material/event_busy:", "gray"),
}
# What the operator does next, one word for each kind of failure.
KINDS = {
    "unavailable": Look(N_("wait"), "…", ":material/schedule:", "orange"),
    "refused": Look(N_("key or address"), "✕", ":material/key:", "red"),
    "changed": Look(N_("parser"), "✕", ":material/build:", "red"),
    "store": Look(N_("disk or lock"), "✕", ":material/database:", "red"),
    "bug": Look(N_("report"), "✕", ":material/bug_report:", "red"),
}


def plain(text: str) -> str:
    """Any text as it is, inside Markdown: an upstream's words must not become a link or an icon."""
    # Streamlit finds :material/home: and :smile: where escapes are gone; an invisible joiner hides them.
    text = re.sub(r":(?=(?:[A-Za-z+\-][\w+/\-]*|100|1234):)", ":\u2060", " ".join(text.split()))
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~:$&=])", r"\\\1", text)


def state(name: str) -> Look:
    """How a state of a run or a step looks."""
    return STATES.get(name, _UNKNOWN)


def cell(name: str) -> str:
    """A state in a table: "✓ ok"."""
    look = state(name)
    return f"{look.sign} {_(look.word)}"


def pipelines(names: Iterable[str]) -> str:
    """Pipelines as a person calls them: "Crypto"."""
    known = {"crypto": _("Crypto"), "liquidity": _("Liquidity"), "news": _("News")}
    known[QUARANTINE] = _("Quarantine")
    return " + ".join(known.get(name, name) for name in names)


def trigger(name: str) -> str:
    """Who started a run."""
    return _(TRIGGERS[name]) if name in TRIGGERS else name


def reason(name: str | None) -> str:
    """Why something was skipped, in words."""
    return _(REASONS[name]) if name in REASONS else (name or "")


def inline(look: Look, text: str | None = None) -> str:
    """A badge as Markdown, to stand in a line."""
    return f":{look.color}-badge[{look.icon} {plain(text or _(look.word))}]"


def freshness(settings: "Settings", status: "PipelineStatus", known: bool = True) -> str:
    """The badge of a pipeline; late says since when, in the zone of the settings. Not `known`: the
    store could not be read, and that nothing was found in it means nothing."""
    unread = not known and status.freshness == "never"
    look = _UNKNOWN if unread else FRESHNESS.get(status.freshness, _UNKNOWN)
    after = status.late_after.astimezone(settings.zone) if status.late_after else None
    return inline(look, _(look.word).format(time=f"{after:%H:%M}" if after else formats.DASH))


def counts(found: "Counts") -> str:
    """ "19,085 inserted · 0 updated · 0 unchanged"."""
    parts = (
        (ngettext("{n} inserted", "{n} inserted", found.inserted), found.inserted),
        (ngettext("{n} updated", "{n} updated", found.updated), found.updated),
        (ngettext("{n} unchanged", "{n} unchanged", found.unchanged), found.unchanged),
    )
    return " · ".join(text.format(n=formats.number(n)) for text, n in parts)


def outcome(settings: "Settings", run: "RunRecord | None", pipeline: str) -> str:
    """ "06:01 · ✓ ok in 00:09"."""
    if run is None:
        return formats.DASH
    word = cell(run.outcomes.get(pipeline, run.state))
    when = formats.moment(settings, run.started_at or run.queued_at)
    if run.finished_at is None or run.seconds is None:
        return f"{when} · {word}"
    return _("{time} · {state} in {span}").format(time=when, state=word, span=formats.span(run.seconds))


def facts(rows: Iterable[Sequence[str]], hints: Sequence[str] = ()) -> None:
    """`grid` as an element of the page."""
    st.html(grid(rows, hints))


def grid(rows: Iterable[Sequence[str]], hints: Sequence[str] = ()) -> str:
    """Rows of text in columns that line up, the first one muted, as HTML; text only, never markup. `hints`:
    what the pointer says of each row."""
    lines = [[html.escape(cell) for cell in row] for row in rows]
    said = [f' title="{html.escape(hint)}"' if hint else "" for hint in hints] or [""] * len(lines)
    cells = "".join(
        f"<span style='opacity:{0.65 if n == 0 else 1}'{hint}>{cell}</span>"
        for line, hint in zip(lines, said, strict=True)
        for n, cell in enumerate(line)
    )
    columns = " ".join(["max-content"] * (max(map(len, lines), default=1) - 1))
    style = f"display:grid;grid-template-columns:{columns} 1fr;gap:.3rem 1.1rem;font-size:.95rem"
    return f"<div style='{style}'>{cells}</div>"


def pipeline_facts(
    settings: "Settings", status: "PipelineStatus", last: "RunRecord | None", provisional: bool
) -> str:
    """Data as of, last run (`last`: the newest that has ended), next run; as HTML."""
    as_of = formats.day(status.data_as_of)
    if provisional and status.data_as_of is not None:
        as_of = _("{day} · provisional, the day is not over").format(day=as_of)
    return grid(
        (
            (_("data as of"), as_of),
            (_("last run"), outcome(settings, last, status.pipeline)),
            (_("next run"), formats.moment(settings, status.next_due)),
        )
    )


def source_facts(status: "PipelineStatus", titles: Mapping[str, str] | None = None) -> str:
    """Every source of a pipeline with its own newest day and whether that is the newest there is, as HTML;
    more than MANY of them by upstream, whose `titles` are given by source."""
    if len(status.sources) > MANY:
        found = by_upstream(status.sources, titles or {})
        return grid([row for row, _hint in found], [hint for _row, hint in found])
    rows = []
    for one in status.sources:
        if one.required:
            look = FRESHNESS.get(one.freshness, _UNKNOWN)
            # One word: since when a pipeline counts as late stands in its badge.
            word = _("late") if one.freshness == "late" else _(look.word)
            if one.frozen:
                look, word = FROZEN, _(FROZEN.word)
            rows.append((one.source, formats.day(one.data_as_of), f"{look.sign} {word}"))
    return grid(rows)


def by_upstream(
    sources: Iterable["SourceStatus"], titles: Mapping[str, str]
) -> list[tuple[tuple[str, str, str], str]]:
    """One row an upstream: name and number of its sources, their oldest newest day, how many are behind;
    and with each row the names of those that are."""
    groups: dict[str, list[SourceStatus]] = {}
    for one in sources:
        groups.setdefault(titles.get(one.source, one.source.split(".")[0]), []).append(one)
    return [_group(title, found) for title, found in groups.items()]


def _group(title: str, found: Sequence["SourceStatus"]) -> tuple[tuple[str, str, str], str]:
    days = [one.data_as_of for one in found if one.data_as_of]
    behind = [one for one in found if (one.freshness != "fresh" and one.required) or one.frozen]
    look, word = FRESHNESS["fresh"], _(FRESHNESS["fresh"].word)
    if not days:
        look, word = FRESHNESS["never"], _(FRESHNESS["never"].word)
    elif behind:
        order = list(FRESHNESS)
        look = FRESHNESS.get(max((one.freshness for one in behind), key=order.index), _UNKNOWN)
        look = FROZEN if look is FRESHNESS["fresh"] else look
        word = ngettext("{n} behind", "{n} behind", len(behind)).format(n=formats.number(len(behind)))
    name = f"{title} × {len(found)}" if len(found) > 1 else title
    names = ", ".join(one.source for one in behind)
    return (name, formats.day(min(days, default=None)), f"{look.sign} {word}"), names


def said(settings: "Settings", step: "StepRecord") -> str | None:
    """What a step left as its message; instants in it are told in the zone of the settings."""

    def local(instant: str) -> str:
        return f"{formats.moment(settings, clock.parse(instant))} {formats.zone(settings)}"

    return step.said(local)


def advice(settings: "Settings", step: "StepRecord", others: int = 0) -> str:
    """A step that needs a hand as one line of Markdown: what to do, where, why; `others`: of how many more
    the same is to be said."""
    look = KINDS.get(step.kind or "") or state(step.state)
    why = said(settings, step) or reason(step.reason) or _(state(step.state).word)
    name = step.source or step.step
    name = _("{sources} and {n} more").format(sources=name, n=others) if others else name
    return f"{inline(look)} **{plain(name)}** {plain(why)}"


def advices(settings: "Settings", steps: Sequence["StepRecord"]) -> list[str]:
    """`advice` of every step; where many steps say the same, once, with their number: a key that was
    taken away stops two dozen series."""
    grouped: dict[tuple[str | None, str, str | None, str | None], list[StepRecord]] = {}
    for step in steps:
        grouped.setdefault((step.kind, step.state, said(settings, step), step.reason), []).append(step)
    lines = []
    for found in grouped.values():
        if len(found) < ALIKE:
            lines += [advice(settings, step) for step in found]
        else:
            lines.append(advice(settings, found[0], others=len(found) - 1))
    return lines


def needs_a_hand(steps: Iterable["StepRecord"]) -> Sequence["StepRecord"]:
    """The steps that did not do their work; a skip for want of an optional key is not one, nor is one
    that had nothing new to work with: what it waited for is."""
    neutral = ("no_key", "fresh", "not_due", "upstream_failed")
    bad = ("failed", "pending", "cached", "skipped")
    return [step for step in steps if step.state in bad and step.reason not in neutral]
