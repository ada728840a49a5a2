"""alternative.me: the Crypto Fear & Greed Index, 0 to 100, one value a UTC day, final at 00:00.

The provider's own label is stored; its classes are Extreme Fear to 25, Fear to 46, Neutral to 54,
Greed to 75, Extreme Greed above. The value must be shown right beside its source.
https://alternative.me/crypto/fear-and-greed-index/ (as of 2026-11).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from collectors.checks.compare import within
from collectors.checks.kinds import Check, Facts, Measured
from collectors.model import WHOLE, Answer, Ask, Batch, Probe, Request, Row, Series, Source, Upstream
from collectors.payload import Unfit, each, given, instant, json_of, list_of, member, number, text
from collectors.rhythm import utc_days
from storage.tables import OBSERVATION
from storage.texts import N_

REREAD = timedelta(days=7)
# The documented classes, lowest and highest value; so far off its class a label belongs to another value.
CLASSES = {
    "Extreme Fear": (0, 25),
    "Fear": (26, 46),
    "Neutral": (47, 54),
    "Greed": (55, 75),
    "Extreme Greed": (76, 100),
}
LABEL_FAR = 2.0

UPSTREAM = Upstream(
    name="alternative_me",
    title="alternative.me",
    home="https://alternative.me/crypto/fear-and-greed-index/",
    credit="alternative.me",
    licence=N_("Free also commercially, with attribution right next to the data"),
    url="fear_greed_url",
    probe=Probe("/fng/", {"limit": "1", "format": "json"}),
)


def fear_greed(ask: Ask) -> Sequence[Request]:
    """The days since the newest stored one and the week before it; everything on the first run.
    `limit` counts rows, not days."""
    limit = 0 if ask.since is None else max(1, (ask.now.date() - ask.since + REREAD).days + 1)
    return [Request(f"{ask.base}/fng/", {"limit": str(limit), "format": "json"})]


def parse_fear_greed(answers: Sequence[Answer], ask: Ask) -> Batch:
    """Rows of `observation`; every number comes as text."""
    answer = answers[0]
    items = list_of(member(json_of(answer.body), "data", "/fng/"), "data")
    return each(items, lambda item: _day(item, answer.at))


def _day(item: Mapping[str, Any], at: datetime) -> Row:
    value, stamp = given(item, "value"), given(item, "timestamp")
    if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 3):
        raise Unfit("not_a_number")
    if not (isinstance(stamp, str) and stamp.isascii() and stamp.isdigit()):
        raise Unfit("timestamp")
    return {
        "series": INDEX.series,
        "date": instant(stamp, at).date(),
        "value": number(int(value), least=0, most=100),
        "note": text(given(item, "value_classification"), 40),
    }


def _off_its_class(batch: Batch, facts: Facts) -> Iterable[Measured]:
    """How far each value lies outside the class that its label names."""
    for row in batch.rows:
        value, label = cast(float, row["value"]), str(row["note"])
        if label in CLASSES:
            low, high = CLASSES[label]
            off = max(low - value, value - high, 0.0)
            yield Measured(off, row, {"label": label, "index": f"{value:.0f}", "day": str(row["date"])})
        else:
            # A new word is no proof of a wrong value.
            yield Measured(LABEL_FAR, row, {"label": label, "index": f"{value:.0f}", "day": str(row["date"])})


INDEX = Series(
    "alternative_me.fear_greed_index",
    N_("Crypto Fear & Greed Index"),
    N_("index, 0 to 100"),
    "daily",
    "https://alternative.me/crypto/fear-and-greed-index/",
)

# The index has no value of these days, in any answer.
HOLES = frozenset(date(2018, 4, day) for day in (14, 15, 16))
FEAR_GREED = Source(
    name="alternative_me.fear_greed",
    upstream=UPSTREAM,
    table=OBSERVATION,
    requests=fear_greed,
    parse=parse_fear_greed,
    rows=(1, 100_000),
    rhythm=utc_days(timedelta(minutes=15)),
    reread=REREAD,
    series=(INDEX,),
    history=WHOLE,
    holes=HOLES,
    checks=(
        within(INDEX.series, "value", (0, 100)),
        Check(
            "label",
            INDEX.series,
            N_("{day}: {index} is called {label}, which is {value} outside that class."),
            _off_its_class,
            warn=(None, 0),
            fail=(None, LABEL_FAR),
        ),
    ),
)
