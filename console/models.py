"""The shapes of the answers of `/api/v1`, for its OpenAPI document: what CONTRACT fixes, as data.

Nothing is checked against these when it is sent; the tests check what was sent.
"""

from datetime import date
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from storage.read_rows import Kind

State = Literal["queued", "running", "ok", "partial", "failed", "skipped", "cancelled", "interrupted"]
StepState = Literal["running", "ok", "failed", "skipped", "cached", "pending"]
Freshness = Literal["fresh", "due", "late", "never"]
RUN_ID = "20261124-210000-3f9a1c"


class Shape(BaseModel):
    """Every property is always there, and no other."""

    model_config = ConfigDict(extra="forbid")


class Said(Shape):
    code: str = Field(description="A word that stays.", examples=["busy"])
    message: str = Field(description="What happened and what to do, in the language of the settings.")
    run_id: str | None = Field(None, description="The run under way.", json_schema_extra={"type": "string"})


class Error(Shape):
    error: Said


class Counts(Shape):
    """fetched = inserted + updated + unchanged + duplicate + rejected."""

    fetched: int
    inserted: int
    updated: int
    unchanged: int
    duplicate: int
    rejected: int


class Run(Shape):
    run_id: str = Field(examples=[RUN_ID])
    pipelines: list[str]
    outcomes: dict[str, str] = Field(description="State by pipeline, of those that have ended.")
    trigger: str
    state: State
    reason: str | None
    exit_code: int | None
    demo: bool
    queued_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    seconds: float | None = Field(description="Wall time so far.")
    counts: Counts


class Step(Shape):
    step: str
    pipeline: str
    source: str | None
    table: str | None
    state: StepState
    kind: str | None = Field(description="unavailable, refused, changed, store or bug.")
    code: str | None
    reason: str | None
    message: str | None
    requests: int
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    counts: Counts


class RunWithSteps(Run):
    steps: list[Step]


class Runs(Shape):
    runs: list[Run] = Field(description="Newest first.")
    next: str | None = Field(description="Give it back as `cursor` for the runs before these.")


class Started(Shape):
    run_id: str = Field(examples=[RUN_ID])
    pipelines: list[str]
    state: Literal["queued", "running"]
    status_url: str = Field(examples=[f"/api/v1/collector/runs/{RUN_ID}"])


class Running(Shape):
    run_id: str
    trigger: str
    pipeline: str
    step: str | None
    n: int
    m: int
    pid: int | None
    seconds: float


class SourceStatus(Shape):
    source: str
    table: str
    data_as_of: date | None
    freshness: Freshness
    frozen: bool
    reason: str | None


class PipelineStatus(Shape):
    state: State | Literal["never"]
    last_run: Run | None
    last_success: Run | None
    data_as_of: date | None
    freshness: Freshness
    next_due: AwareDatetime
    scheduled: bool
    sources: list[SourceStatus]


class Status(Shape):
    schema_: Literal[1] = Field(alias="schema")
    generated_at: AwareDatetime
    timezone: str
    demo: bool
    running: Running | None
    pipelines: dict[str, PipelineStatus]


class Health(Shape):
    app: str
    version: str
    demo: bool
    store: str = Field(description="ok, missing, or what is in the way: busy, corrupt, …")
    ledger: str
    running: str | None = Field(description="The run_id of the live run.")


_TYPES: dict[str, dict[str, Any]] = {
    "DOUBLE": {"type": ["number", "null"]},
    "INTEGER": {"type": ["integer", "null"]},
    "BOOLEAN": {"type": ["boolean", "null"]},
    "DATE": {"type": ["string", "null"], "format": "date"},
    "TIMESTAMPTZ": {"type": ["string", "null"], "format": "date-time"},
}


def rows_schema(kind: Kind) -> dict[str, Any]:
    """The answer of a row route: its columns, which an older store may lack some of."""
    columns = {name: _TYPES.get(type_, {"type": ["string", "null"]}) for name, type_ in kind.columns}
    row = {
        "type": "object",
        "properties": columns,
        # Of some the day is the instant itself.
        "required": list(dict.fromkeys((kind.day, "source", "run_id", "observed_at", "provisional"))),
    }
    return {
        "type": "object",
        "properties": {
            "rows": {"type": "array", "items": row, "description": "Oldest first."},
            "count": {"type": "integer", "minimum": 0},
            "truncated": {"type": "boolean", "description": "There are older rows that fit."},
        },
        "required": ["rows", "count", "truncated"],
        "additionalProperties": False,
    }


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of these errors."""
    return {status: {"model": Error, "description": _WHY[status]} for status in statuses}


_WHY = {
    400: "The body is not JSON, or the path climbs out of its place.",
    401: "COLLECTOR_API_TOKEN is set and was not borne.",
    403: "Another site's page sent this.",
    404: "There is none of that name.",
    409: "A run is under way (`run_id` says which), or the one to cancel is over.",
    413: "The body is larger than 16 KB.",
    415: "The body is not sent as JSON.",
    421: "The Host header names no name of this console.",
    422: "A parameter is not usable; the message names it and says what is allowed.",
    503: "Store or ledger cannot be used now; Retry-After says when to try again.",
}
