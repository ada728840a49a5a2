"""The types of the parameters of `/api/v1`: text that is exactly what it should be, or nothing.

Pydantic alone would take `1_000`, ` 5 ` and a number of seconds for a limit or a day.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, BeforeValidator, Field

MANY = 100


def _written(pattern: str) -> BeforeValidator:
    shape = re.compile(pattern, re.ASCII)

    def check(value: object) -> object:
        # What is no text is our own default.
        if isinstance(value, str) and not shape.fullmatch(value):
            raise ValueError
        return value

    return BeforeValidator(check)


def names(values: Sequence[str]) -> list[str]:
    """Repeated or separated by commas, as one list. Raises ValueError for more than are allowed."""
    found = [name for value in values for part in value.split(",") if (name := part.strip())]
    if len(values) > MANY or len(found) > MANY:
        raise ValueError
    return found


# What a run_id looks like is documented and not checked: one that no run has is answered with 404.
RunId = Annotated[str, Path(json_schema_extra={"pattern": "^[A-Za-z0-9_-]{1,100}$"})]
# The bounds stand inside: only so are they documented.
Seconds = Annotated[float, Field(ge=0, le=300), _written(r"\d{1,20}(\.\d{1,40})?([eE][+-]?\d{1,4})?")]
RunLimit = Annotated[int, Field(ge=1, le=1000), _written(r"\d{1,9}")]
RowLimit = Annotated[int, Field(ge=1, le=10_000), _written(r"\d{1,9}")]
Day = Annotated[date, _written(r"\d{4}-\d\d-\d\d")]
Instant = Annotated[
    AwareDatetime,
    _written(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)"),
]
