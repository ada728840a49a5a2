"""What a backfill's plan says: in sentences, and as one object for programs."""

from collectors import console_lines, gaps
from collectors.backfill.plan import Plan
from storage.texts import _, figure, ngettext


def total(made: Plan) -> str:
    """ "51 calls, 4.1 min, up to 17,000 rows of 42 steps"."""
    calls = sum(part.calls for part in made.parts)
    text = ngettext(
        "{n} call, {minutes} min at the pace of the upstreams, up to {rows} rows",
        "{n} calls, {minutes} min at the pace of the upstreams, up to {rows} rows",
        calls,
    )
    return text.format(
        n=figure(calls),
        minutes=figure(made.minutes()),
        rows=figure(sum(part.rows for part in made.parts)),
    )


def lines(made: Plan) -> list[str]:
    """A line for every source: its days, and what they take."""
    found = []
    for name in dict.fromkeys(part.source.name for part in made.parts):
        parts = made.of(name)
        days = sorted({day for part in parts for day in part.days})
        text = ngettext(
            "{source}: {n} day, {day}; {calls} calls, {minutes} min, up to {rows} rows",
            "{source}: {n} days, {day} to {until}; {calls} calls, {minutes} min, up to {rows} rows",
            len(days),
        )
        found.append(
            text.format(
                source=name,
                n=figure(len(days)),
                day=days[0].isoformat(),
                until=days[-1].isoformat(),
                calls=figure(sum(part.calls for part in parts)),
                minutes=figure(made.minutes(parts)),
                rows=figure(sum(part.rows for part in parts)),
            )
        )
    return found


def show(made: Plan) -> None:
    """Puts the whole plan on the command line."""
    for line in lines(made) or [_("Nothing to fill: no day is missing that can still be had.")]:
        console_lines.put(line)
    put_gone(made)
    if made.parts:
        console_lines.put(_("In all: {total}. Nobody was asked yet.").format(total=total(made)))


def put_gone(made: Plan) -> None:
    """Puts a line for all that nobody can give any more."""
    for gap in made.gone:
        console_lines.put(gaps.said(gap, console_lines.dated))


def as_json(made: Plan) -> dict[str, object]:
    """A plan for programs: one entry a source, and what cannot be had any more."""
    entries = []
    for name in dict.fromkeys(part.source.name for part in made.parts):
        parts = made.of(name)
        days = sorted({day for part in parts for day in part.days})
        entries.append(
            {
                "pipeline": parts[0].pipeline,
                "source": name,
                "table": parts[0].source.table.name,
                "from": days[0].isoformat(),
                "to": days[-1].isoformat(),
                "days": len(days),
                "items": [part.item for part in parts if part.item],
                "calls": sum(part.calls for part in parts),
                "minutes": round(made.minutes(parts), 1),
                "rows": sum(part.rows for part in parts),
            }
        )
    gone = [
        {
            "source": gap.source,
            "from": gap.since.isoformat(),
            "to": gap.until.isoformat(),
            "days": len(gap.days),
        }
        for gap in made.gone
    ]
    want = made.want
    return {
        "schema": 1,
        "mode": want.mode,
        "since": want.since.isoformat() if want.since else None,
        "until": (want.until or made.today).isoformat(),
        "plan": entries,
        "unrecoverable": gone,
        "calls": sum(part.calls for part in made.parts),
        "minutes": round(made.minutes(), 1),
        "rows": sum(part.rows for part in made.parts),
    }
