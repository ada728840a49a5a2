"""What docs/checks.md says of every source, from the registry: `python -m tests.check_lines` prints it."""

from itertools import groupby

from collectors.checks.judge import of
from collectors.checks.kinds import NO_LIMITS, Check, Limits, figure
from collectors.model import Source
from collectors.registry import PIPELINES

# The same for all: the manual's first table has their bounds.
ALIKE = frozenset({"unit", "ahead", "refused", "row_count", "null_share"})


def beyond(both: Limits) -> str:
    """ "outside 0.99 to 1.01", "> 10", "< 1"."""
    low, high = both
    if low is not None and high is not None:
        return f"outside {figure(low)} to {figure(high)}"
    return f"> {figure(high)}" if high is not None else f"< {figure(low)}"


def told(check: Check) -> str:
    """When a check warns and when it fails."""
    if check.name in ALIKE:
        return ""
    found = [
        f"{word} {beyond(at)}" for word, at in (("warn", check.warn), ("fail", check.fail)) if at != NO_LIMITS
    ]
    return " " + ", ".join(found)


def line(source: Source) -> str:
    """The row of one source; checks with the same bounds stand together."""
    parts = []
    for (name, bounds), alike in groupby(of(source), key=lambda check: (check.name, told(check))):
        subjects = [check.subject for check in alike]
        own = {source.table.name, *(series.series for series in source.series)}
        about = "" if set(subjects) <= own else f" ({', '.join(subjects)})"
        parts.append(f"**{name}**{about}{bounds}")
    return f"| `{source.name}` | {' · '.join(parts)} |"


def table() -> list[str]:
    """The rows of all sources, in run order."""
    return [line(source) for sources in PIPELINES.values() for source in sources]


if __name__ == "__main__":
    print("\n".join(table()))
