"""What the liquidity page says in sentences: the headline, as-of, sets, alerts, how old it all is."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from collectors.stress.alerts import WORDS
from pages._view import formats, tiles
from pages._view.badges import inline, plain
from pages._view.stress_record import NO_KEY, SETS, Record, band_of, indexed, keyless, modules_of, title
from storage.texts import N_, _, ngettext

if TYPE_CHECKING:
    from collectors.freshness import PipelineStatus
    from storage.settings import Settings

_SAID = {
    "Calm": N_("Liquidity is calm"),
    "Watch": N_("Liquidity is to be watched"),
    "Stress": N_("Liquidity is under stress"),
    "Crisis": N_("Liquidity is in crisis"),
}
NOWCAST = N_(
    "A nowcast, never a forecast: from 0 to 100, how unusual the day is against all that was known by then."
)
FRED_NOTICE = N_(
    "This product uses the FRED® API but is not endorsed or certified by the Federal Reserve Bank of "
    "St. Louis."
)
_SET_SAID = {
    "full": N_("{share} of the market weight"),
    "partial": N_("{share} of the market weight; the rest carries what is missing"),
    "limited": N_("{share} of the market weight: from Yahoo alone, ± 21 points against the full index"),
}
# From this age on the newest day is old whatever the sources say: over New York's longest weekend it
# is four days.
OLD_DAYS = 4
_FAILED = ("failed", "interrupted", "cancelled")


def headline(record: Record, brief: bool = False) -> str:
    """One sentence: band, index, percentile, and, unless `brief`, what moved it in a day."""
    found = indexed(record.days)
    if found.empty:
        return _("Not enough data for a StressIndex yet")
    row = found.iloc[-1]
    start = standing(row)
    if row["date"] != record.days["date"].iloc[-1]:
        missing = formats.day(record.days["date"].iloc[-1])
        return _("{standing} on {day}; not enough data on {missing}").format(
            standing=start, day=formats.day(row["date"]), missing=missing
        )
    moved = "" if brief else _moved(record, row)
    return f"{start}; {moved}" if moved else start


def standing(row: "pd.Series[Any]") -> str:
    """ "Liquidity is calm: StressIndex 24.1, 17th percentile"."""
    said = _SAID.get(row["band"], "") if isinstance(row["band"], str) else ""
    start = _(said) if said else _("Liquidity has no band yet")
    text = _("{start}: StressIndex {index}, {percentile}")
    return text.format(
        start=start, index=formats.fixed(row["index"]), percentile=percentile(row["percentile"])
    )


def percentile(value: Any) -> str:
    """ "17th percentile"."""
    if value != value or value is None:
        return _("no percentile yet")
    return _("{nth} percentile").format(nth=formats.ordinal(value))


def _moved(record: Record, row: "pd.Series[Any]") -> str:
    """ "−1.8 in a day, led by Volatility (−1.2)"."""
    total = row["move"]
    if total != total or total is None:
        return ""
    if not formats.direction(total):
        return _("hardly changed in a day")
    parts = modules_of(record, row["date"])["move"].dropna().to_dict()
    parts["coverage"] = 0.0 if row["coverage_effect"] != row["coverage_effect"] else row["coverage_effect"]
    sign = 1 if total > 0 else -1
    name = max(parts, key=lambda name: sign * parts[name])
    if not formats.direction(parts[name], 1):
        # Nothing that could be named moved as much as is shown.
        return _("hardly changed in a day")
    who = _("a change of coverage") if name == "coverage" else title(str(name))
    text = _("{move} in a day, led by {name} ({part})")
    return text.format(move=formats.change(total, 1), name=who, part=formats.change(parts[name], 1))


def badges(row: "pd.Series[Any]", stale: str) -> str:
    """Band, set, provisional and stale as badges, in Markdown."""
    look = band_of(row)
    word = _("{band}, provisional").format(band=_(look.word)) if row["provisional"] else _(look.word)
    said = [inline(look, word)]
    if row["set_label"] in ("partial", "limited"):
        said.append(inline(SETS[row["set_label"]]))
    if stale:
        said.append(f":red-badge[:material/warning: {plain(_('stale'))}] {plain(stale)}")
    return " ".join(said)


def as_of(row: "pd.Series[Any]") -> str:
    """ "Fri 20 Nov, provisional"."""
    said = formats.day(row["date"])
    return _("{day}, provisional").format(day=said) if row["provisional"] else said


def set_words(row: "pd.Series[Any]") -> str:
    """ "full set"; empty where the day has no label."""
    return _(SETS[row["set_label"]].word) if row["set_label"] in SETS else ""


def coverage(row: "pd.Series[Any]") -> str:
    """What the index is made of that day, in words."""
    share = formats.percent(100 * row["coverage"], 0, signed=False)
    label = row["set_label"]
    if row["coverage"] != row["coverage"]:
        return _("not enough data for an index")
    if label not in _SET_SAID:
        return _("coverage {share}").format(share=share)
    return _(_SET_SAID[label]).format(share=share)


def about(record: Record, settings: "Settings") -> list[str]:
    """As of, coverage, and where it comes from, in short parts."""
    row = record.days.iloc[-1]
    parts = [_("As of {day}, New York's close").format(day=as_of(row)), set_words(row), coverage(row)]
    if not row["published"]:
        parts.append(_("computed later over history, not published on its day"))
    if row["provisional"]:
        parts.append(_("the day is not final: band and index may still change"))
    if record.problem:
        seen = formats.moment(settings, record.read_at)
        parts.append(_("the store cannot be read now, shown is what was read at {time}").format(time=seen))
    return [part for part in parts if part]


def key_notice(record: Record) -> str:
    """Which modules are left out for want of a key, and what to do; empty where none is."""
    names = ", ".join(title(name) for name in keyless(record))
    return f"{names}: {_(NO_KEY)}" if names else ""


def stale(status: "PipelineStatus | None", settings: "Settings", newest: date, now: datetime) -> str:
    """Why the newest day is old, with its age; empty where it is not."""
    days = (now.astimezone(settings.zone).date() - newest).days
    word, run = (status.freshness, status.last_run) if status else ("", None)
    failed = run is not None and run.outcomes.get("liquidity", run.state) in _FAILED
    if failed and run is not None and word not in ("fresh", ""):
        text = _("{age} old: the run of {time} did not end well, see Runs; the newest day stays")
        return text.format(age=age(days), time=formats.moment(settings, run.started_at or run.queued_at))
    if word == "late" or days > OLD_DAYS:
        return _("{age} old: press Collect now on the Overview").format(age=age(days))
    return ""


def age(days: int) -> str:
    """ "3 days"."""
    return ngettext("{n} day", "{n} days", days).format(n=formats.number(days))


# ---------------------------------------------------------------- alerts


def alert_lines(alerts: object) -> list[str]:
    """Every kind of alert in a line of its own, with all that it is about."""
    found: dict[str, list[tuple[str, float]]] = {}
    for kind, about, points in alerts if isinstance(alerts, Iterable) and not isinstance(alerts, str) else ():
        found.setdefault(str(kind), []).append((str(about), float(points)))
    return [_alert(kind, named) for kind, named in found.items() if kind in WORDS]


def _alert(kind: str, named: Sequence[tuple[str, float]]) -> str:
    points = formats.fixed(named[0][1])
    if kind in ("rise", "coverage"):
        return _(WORDS[kind]).format(points=points, title="")
    if kind == "extreme" and len(named) > 1:
        names = ", ".join(title(about) for about, _points in named)
        return _("{titles} at or above their 99th percentile").format(titles=names)
    names = ", ".join(_named(kind, about, points) for about, points in named)
    return _(WORDS[kind]).format(title=names, points=points)


def _named(kind: str, about: str, points: float) -> str:
    if kind == "isolated":
        return _("{title} at {score}").format(title=title(about), score=formats.fixed(points, 0))
    if kind == "stale":
        return _("{title} ({age})").format(title=title(about), age=age(round(points)))
    return title(about)


def alert_markdown(alerts: object) -> list[str]:
    """The alerts as lines of Markdown, each with its sign."""
    return [
        f":orange-badge[:material/notifications: {plain(_('alert'))}] {plain(one)}"
        for one in alert_lines(alerts)
    ]


def origin(row: "pd.Series[Any]", settings: "Settings") -> str:
    """Where a figure of the index comes from, for the pointer: with what was first published."""
    said = tiles.provenance(settings, row)
    versions = _("weights {weights}, words {words}").format(
        weights=row["weights_version"], words=row["lexicon_version"]
    )
    first = row["first_index"]
    parts = [said, plain(versions)]
    if row["published"] and first == first and abs(first - row["index"]) >= 0.05:
        text = _("corrected since; first published: {index}")
        parts.append(plain(text.format(index=formats.fixed(first))))
    return " · ".join(parts)


def empty_words() -> str:
    """In one line, how to get the index."""
    command = "`python collect.py liquidity`"
    return _("No StressIndex yet: run {command}; Yahoo alone is enough for a start.").format(command=command)
