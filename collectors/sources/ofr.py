"""The Office of Financial Research's Financial Stress Index: a second opinion that needs no key.

One CSV file with the whole history since 2000, published two business days later. Unlike NFCI and
STLFSI4 it does not restate its past (five vintages of 2020 to 2025 are identical on common days).
https://www.financialresearch.gov/financial-stress-index/ (as of 2026-11).
"""

import csv
import math
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any

from collectors.model import (
    WHOLE,
    Answer,
    Ask,
    Batch,
    Believable,
    Changed,
    Request,
    Row,
    Series,
    Source,
    Upstream,
)
from collectors.payload import Unfit, each, member
from collectors.rhythm import Rhythm
from storage.tables import OBSERVATION
from storage.texts import N_

UPSTREAM = Upstream(
    name="ofr",
    title="OFR",
    home="https://www.financialresearch.gov/financial-stress-index/",
    credit=N_("Office of Financial Research, U.S. Treasury"),
    licence=N_("U.S. government work"),
    url="ofr_url",
)

FSI = Series("ofr.fsi", N_("OFR Financial Stress Index"), N_("index"), "daily", UPSTREAM.home)
_COLUMN = "OFR FSI"


def fsi(ask: Ask) -> Sequence[Request]:
    """The whole history in one file; there is no shorter one."""
    return [Request(ask.base)]


def parse_fsi(answers: Sequence[Answer], ask: Ask) -> Batch:
    """Rows of `observation`. Raises Changed `schema` where the file has not got its two columns."""
    text = answers[0].body.decode("utf-8-sig", errors="replace")
    lines = list(csv.DictReader(text.splitlines()))
    if not lines:
        raise Changed("suspect", N_("The file has no rows. Old values stay; wait."))
    for name in ("Date", _COLUMN):
        member(lines[0], name, "fsi.csv")
    # A blank is missing, never zero.
    return each([line for line in lines if (line.get(_COLUMN) or "").strip()], _day)


def _day(line: Mapping[str, Any]) -> Row:
    try:
        day = date.fromisoformat(str(line["Date"]).strip())
    except ValueError:
        raise Unfit("timestamp") from None
    try:
        value = float(str(line[_COLUMN]))
    except ValueError:
        raise Unfit("not_a_number") from None
    if not math.isfinite(value):
        raise Unfit("non_finite")
    return {"series": FSI.series, "date": day, "value": value, "note": None}


SOURCE = Source(
    name="ofr.fsi",
    upstream=UPSTREAM,
    table=OBSERVATION,
    requests=fsi,
    parse=parse_fsi,
    rhythm=Rhythm("nyse", time(18), lag=2, counted="nyse"),
    reread=timedelta(days=14),
    series=(FSI,),
    believable=Believable(-15, 60, 12, absolute=True),
    dead_after=timedelta(days=45),
    required=False,
    history=WHOLE,
)
