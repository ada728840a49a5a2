"""Reads a folder of histories, one CSV file a series, and never further than 2021."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from collectors.stress.inputs import INPUTS
from collectors.stress.observations import Observations

LAST = date(2021, 12, 31)
REFERENCE = "reference_index_2021.csv"


def table(file: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file, by column."""
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def series(file: Path, column: str = "value") -> Observations:
    """One column by its days, up to LAST; blank is missing."""
    rows = ((date.fromisoformat(row.get("date") or row["Date"]), row[column]) for row in table(file))
    return Observations.of((day, float(text) if text else None) for day, text in rows if day <= LAST)


def file_name(name: str) -> str:
    """Of a series: `fred.DGS10` is in DGS10.csv, `yahoo.^VIX` in yahoo_VIX.csv."""
    return name.removeprefix("fred.").replace("^", "").replace(".", "_") + ".csv"


def snapshot(folder: Path) -> dict[str, Observations]:
    """Every series of the inputs that the folder has."""
    names = {name for one in INPUTS for name in one.series}
    return {
        name: series(folder / file_name(name))
        for name in sorted(names)
        if (folder / file_name(name)).is_file()
    }
