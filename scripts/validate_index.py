"""Replays the StressIndex over a folder of histories and prints what it reaches beside what it must.

python scripts/validate_index.py FOLDER      exit 1 where a bar is missed, 2 where the folder is not one

The folder holds `NAME.csv` (date,value) by FRED id, `yahoo_X_adjusted.csv`, `yahoo_VIX.csv`, the
official indices and `reference_index_2021.csv`. Nothing after 2021 is read, whatever it holds.
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import fields
from datetime import date
from pathlib import Path
from random import Random
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
for place in (ROOT, ROOT / "scripts"):
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))

import numpy as np  # noqa: E402

from _history import LAST, REFERENCE, series, snapshot, table  # noqa: E402
from collectors.stress import alerts, explain, validation  # noqa: E402
from collectors.stress.index import ALL, YAHOO_ONLY, Replay, replay, update  # noqa: E402
from collectors.stress.inputs import MARKET, MODULES  # noqa: E402
from collectors.stress.observations import Floats, Levels, Snapshot, until  # noqa: E402
from storage.texts import _  # noqa: E402

OFFICIAL = (("OFR_FSI", "OFR FSI"), ("STLFSI4", "value"), ("NFCI", "value"))
SEED = 20211231
CUTS, DROPPED_DAYS = 25, 500
EVENT = dict(validation.EVENTS)


class Row(NamedTuple):
    """One line of the table: what is tested, what was reached and must be, whether it was."""

    test: str
    reached: str
    bar: str
    reference: str
    passed: bool


# ---------------------------------------------------------------- the rows of the table


def at_least(test: str, reached: Iterable[float], bars: Iterable[float], reference: str) -> Row:
    """Every figure at or above its bar."""
    got, need = tuple(reached), tuple(bars)
    digits = 3 if max(need) <= 1 else 1
    return Row(
        test,
        " / ".join(f"{value:.{digits}f}" for value in got),
        " / ".join(f"≥ {value:g}" for value in need),
        reference,
        all(value >= bar for value, bar in zip(got, need, strict=True)),
    )


def market(found: Replay) -> Levels:
    """The market-only index on the days that have one."""
    there = np.isfinite(found.market_only)
    return Levels(found.days[there], found.market_only[there])


def correlations(found: Replay, official: Iterable[Levels], first: int, change: bool = False) -> list[float]:
    """Weekly rank correlations with each official index from `first` on."""
    ours = validation.weekly(*market(found))
    pairs = [(ours, validation.weekly(*other)) for other in official]
    if change:
        pairs = [(validation.changes(a), validation.changes(b)) for a, b in pairs]
    since = date(first, 1, 1)
    return [
        validation.spearman(validation.within(a, since, LAST), validation.within(b, since, LAST))
        for a, b in pairs
    ]


def auroc(found: Replay, first: int) -> float:
    """Event days against all others from `first` on."""
    days = validation.within(market(found), date(first, 1, 1), LAST)
    return validation.auroc(days, EVENT.values())


def peak(found: Replay, event: str) -> float:
    """Highest percentile inside an event's window."""
    rows = validation.inside(found.days, [EVENT[event]])
    return float(np.nanmax(found.standing.percentile[rows]))


def official_rows(full: Replay, yahoo: Replay, official: list[Levels]) -> list[Row]:
    """Rank correlation with the official indices, and events told from other days."""
    who = "OFR FSI / STLFSI4 / NFCI"
    level, change = _("Spearman with {who}, {since}–2021"), _("4-week changes with {who}, {since}–2021")
    two = [*correlations(yahoo, official, 2010), correlations(yahoo, official[:1], 2010, change=True)[0]]
    return [
        at_least(
            level.format(who=who, since=2006), correlations(full, official, 2006),
            (0.85, 0.81, 0.79), "0.858 / 0.824 / 0.812",
        ),
        at_least(
            level.format(who=who, since=2010), correlations(full, official, 2010),
            (0.85, 0.80, 0.71), "0.856 / 0.814 / 0.721",
        ),
        at_least(
            change.format(who=who, since=2006), correlations(full, official, 2006, change=True),
            (0.71, 0.66, 0.56), "0.725 / 0.674 / 0.580",
        ),
        at_least(
            _("Yahoo only, 2010–2021; its 4-week change with OFR FSI"), two,
            (0.65, 0.67, 0.55, 0.77), "0.660 / 0.688 / 0.564; 0.792",
        ),
        at_least(
            _("AUROC of event days, 2006–2021, full / Yahoo only"), (auroc(full, 2006), auroc(yahoo, 2006)),
            (0.895, 0.93), "0.901 / 0.941",
        ),
        at_least(_("AUROC of event days, 2010–2021, full"), (auroc(full, 2010),), (0.92,), "0.924"),
    ]  # fmt: skip


def event_rows(full: Replay) -> list[Row]:
    """How high the events stand, what fires where the headline does not, and how calm calm is."""
    minor = ("downgrade", "china", "early_2016", "december_2018")
    years = np.array([date.fromordinal(int(day)).year for day in full.days])
    calm = float(np.nanmean(full.standing.percentile[years == 2017]))
    return [
        at_least(
            _("peak percentile: Lehman, Covid"), (peak(full, "lehman"), peak(full, "covid")),
            (98, 98), "100 / 98.8",
        ),
        at_least(
            _("peak percentile: Aug–Oct 2011, Aug 2015, Jan 2016, Dec 2018"),
            (peak(full, name) for name in minor), (78,) * 4, "83 / 85 / 89 / 79",
        ),
        *(fires(full, day) for day in (date(2018, 2, 2), date(2019, 9, 17))),
        Row(_("mean percentile of 2017"), f"{calm:.1f}", "< 30", "6.5", calm < 30),
    ]  # fmt: skip


def fires(full: Replay, day: date) -> Row:
    """Whether a market alert is raised on that day or within two business days after it."""
    row = full.row(day)
    said = [
        (full.day(at), alert)
        for at in range(row, row + 3)
        for alert in alerts.alerts(full, at)
        if alert.kind in ("extreme", "rise", "isolated")
    ]
    words = ", ".join(dict.fromkeys(f"{on} {alert.kind} {alert.about}".strip() for on, alert in said[:2]))
    percentile = f"p {full.standing.percentile[row]:.0f}"
    test = _("an alert within 2 business days of {day}").format(day=day)
    return Row(test, f"{words or _('none')} ({percentile})", _("fires"), "", bool(said))


def agreement_row(full: Replay, yahoo: Replay, file: Path) -> Row:
    """Every input, module and both indices against the reference, day by day."""
    rows = list(table(file))
    columns: dict[str, Floats] = {"full": full.market_only, "yahoo": yahoo.market_only}
    columns |= {f"module_{module.name}": full.score[:, m] for m, module in enumerate(MODULES)}
    columns |= {one.name: 100 * full.rank[:, k] for k, one in enumerate(full.inputs)}
    days = [date.fromisoformat(row["date"]).toordinal() for row in rows]
    same = days == full.days.tolist()
    worst = 0.0
    for name in (name for name in rows[0] if name != "date") if same else ():
        theirs = np.array([float(row[name]) if row[name] else np.nan for row in rows])
        same = same and bool((np.isnan(theirs) == np.isnan(columns[name])).all())
        worst = max(worst, float(np.nanmax(np.abs(theirs - columns[name]))))
    reached = f"{worst:.7f}" if same else _("other days")
    test = _("agreement with the reference, every input, module and index")
    return Row(test, reached, "≤ 0.01", "", same and worst <= 0.01)


def same_bits(a: Replay, b: Replay, rows: int) -> bool:
    """Whether the first `rows` days of both have the same bits in everything that was computed."""
    arrays = [
        (getattr(x, field.name), getattr(y, field.name))
        for x, y in ((a, b), (a.standing, b.standing))
        for field in fields(x)
    ]
    return a.inputs == b.inputs and all(
        one[:rows].tobytes() == other[:rows].tobytes() for one, other in arrays if isinstance(one, np.ndarray)
    )


def causal_rows(history: Snapshot, full: Replay) -> list[Row]:
    """Nothing looks ahead, and the daily update is the replay."""
    random = Random(SEED)
    cuts = sorted(random.sample(range(600, len(full.days) - 1), CUTS))
    equal = sum(same_bits(replay(until(history, full.day(row))), full, row + 1) for row in cuts)
    first, steps = len(full.days) - 30, 30
    past = replay(until(history, full.day(first)))
    updated = 0
    for row in range(first, first + steps):
        past = update(until(history, full.day(row)), past)
        updated += same_bits(past, full, row + 1)
    sums = np.abs(explain.contributions(full).sum(axis=1) - (full.index - explain.NEUTRAL))
    gap = float(np.nanmax(sums))
    return [
        Row(
            _("cut at 25 random dates (no look-ahead), bit-equal"),
            f"{equal}/{CUTS}",
            f"{CUTS}/{CUTS}",
            "",
            equal == CUTS,
        ),
        Row(
            _("30 daily updates beside the replay, bit-equal"),
            f"{updated}/{steps}",
            f"{steps}/{steps}",
            "",
            updated == steps,
        ),
        Row(_("contributions sum to index − 50, largest gap"), f"{gap:.1e}", "≤ 1e-9", "", gap <= 1e-9),
    ]


def robustness_rows(history: Snapshot, full: Replay) -> list[Row]:
    """What one missing module does, and how often the band changes."""
    rows = np.flatnonzero((full.standing.band >= 0) & (full.days >= date(2006, 1, 1).toordinal()))
    errors, near = [], []
    for module in MARKET:
        less = replay(history, modules=tuple(name for name in ALL if name != module.name))
        usable = rows[np.isfinite(less.market_only[rows]) & (less.standing.band[rows] >= 0)]
        taken = sorted(Random(SEED).sample(usable.tolist(), DROPPED_DAYS))
        errors.append(float(np.mean(np.abs(less.market_only[taken] - full.market_only[taken]))))
        apart = np.abs(less.standing.band[taken] - full.standing.band[taken])
        near.append(float(100 * np.mean(apart <= 1)))
    yearly = validation.changes_a_year(full.standing.band)
    spread = " / ".join(f"{error:.1f}" for error in errors)
    return [
        Row(
            _("one module dropped, 500 days: mean absolute error"),
            spread,
            "≤ 7",
            "2.3 – 5.8",
            max(errors) <= 7,
        ),
        Row(
            _("one module dropped: band within one, % of days, worst module"),
            f"{min(near):.1f}",
            "≥ 99",
            "",
            min(near) >= 99,
        ),
        Row(_("band changes a year"), f"{yearly:.1f}", "≤ 6", "4.5 – 5.7", yearly <= 6),
    ]


def rows(folder: Path) -> list[Row]:
    """The whole table. Raises OSError or ValueError where the folder is not as described."""
    history = snapshot(folder)
    full, yahoo = replay(history), replay(history, modules=YAHOO_ONLY)
    official = [series(folder / f"{name}.csv", column).known() for name, column in OFFICIAL]
    return [
        *official_rows(full, yahoo, official),
        *event_rows(full),
        agreement_row(full, yahoo, folder / REFERENCE),
        *causal_rows(history, full),
        *robustness_rows(history, full),
    ]


def printed(found: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    heads = (_("Test"), _("Reached"), _("At least"), _("Reference"), "")
    lines = [f"| {' | '.join(heads)} |", "|---|---|---|---|---|"]
    for row in found:
        word = _("PASS") if row.passed else _("FAIL")
        lines.append(f"| {row.test} | {row.reached} | {row.bar} | {row.reference} | {word} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help=_("where the histories are"))
    folder = parser.parse_args().folder
    try:
        found = rows(folder)
    except (OSError, KeyError, ValueError) as problem:
        print(_("Not a folder of histories: {problem}").format(problem=problem), file=sys.stderr)
        return 2
    print(printed(found))
    return 0 if all(row.passed for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
