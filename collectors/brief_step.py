"""The computed step at the end of news: stories and names of what came in, and the morning brief of all that
is stored. It asks nobody anything.
"""

from collections.abc import Sequence
from dataclasses import replace

from collectors import computed, freshness
from collectors.news import brief, mentions, stories
from collectors.under_way import Run
from storage import clock, db, news, schema
from storage.records import StepRecord
from storage.store_error import StoreMissing
from storage.tables import BRIEF

NAME = news.BRIEF_STEP


def run_step(run: Run, pipeline: str, collected: Sequence[StepRecord]) -> StepRecord:
    """The step's record, told to ledger and listeners; skipped where the last brief knows all of it."""

    def work(step: StepRecord) -> StepRecord:
        if any(other.state == "ok" for other in collected) or _changed(run):
            return _write(run, step)
        return replace(step, state="skipped", reason="upstream_failed")

    return computed.run_step(run, pipeline, NAME, BRIEF.name, work)


def _changed(run: Run) -> bool:
    try:
        with db.reader(run.settings, run.store_wait_s) as connection:
            return news.changed_since_brief(connection)
    except StoreMissing:
        return False


def _write(run: Run, step: StepRecord) -> StepRecord:
    settings, at = run.settings, clock.now()
    with db.reader(settings, run.store_wait_s) as connection:
        read = _read(news.titles(connection))
    behind = _behind(run)
    with db.writer(settings, run.store_wait_s, run.quiet) as connection:
        schema.migrate_within(settings, connection)
        news.keep_read(connection, read)
        clauses = brief.clauses(news.material(connection, at), behind)
        source = "DEMO" if settings.demo else NAME
        provenance = {"source": source, "run_id": run.run_id, "observed_at": at, "provisional": False}
        day = at.astimezone(settings.zone).date()
        counts = news.keep_brief(connection, day, clauses, provenance)
    return replace(step, state="ok", counts=counts)


def _read(stored: news.Titles) -> list[dict[str, str]]:
    """Story and names of every title that is open."""
    told = stories.fold(
        stories.Title(name, at, text, story) for name, at, text, story, _open in stored.titles
    )
    known = mentions.names(stored.coins)
    return [
        {"id": name, "story": told[name], "mentions": " ".join(known.mentions(text))}
        for name, _at, text, _story, is_open in stored.titles
        if is_open
    ]


def _behind(run: Run) -> list[brief.Behind]:
    """Sources that are late or have nothing, of pipelines that have ever brought something."""
    found = []
    for pipeline in freshness.status(run.settings).pipelines.values():
        required = [source for source in pipeline.sources if source.required]
        if all(source.freshness == "never" for source in required):
            continue
        found += [
            brief.Behind(source.source, source.table, source.data_as_of)
            for source in required
            if source.freshness in ("late", "never")
        ]
    return found
