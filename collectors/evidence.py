"""The answers of a step that could not be read: put into quarantine, and taken out to be read again."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from collectors import plans
from collectors.model import Answer, Ask, CollectError, Request, Source
from collectors.under_way import Fetched
from storage import quarantine, typed
from storage.quarantine import Origin
from storage.read import Known
from storage.settings import Settings
from storage.store_error import StoreError


def keep_answers(settings: Settings, fetched: Fetched, error: CollectError | StoreError) -> None:
    """Keeps every answer that there was, with what it takes to read them again; without an answer nothing."""
    if not fetched.answers:
        return
    at = min(answer.at for answer in fetched.answers)
    why = {"reason": str(error), "code": error.code, "message": error.message, "values": dict(error.values)}
    quarantine.keep_payload(
        settings,
        Origin(fetched.step.run_id, fetched.step.step, fetched.source.name, at),
        why,
        _ask_json(fetched.source, fetched.ask) if fetched.ask else {},
        [(_answer_json(answer), answer.body) for answer in fetched.answers],
    )


def _ask_json(source: Source, ask: Ask) -> dict[str, object]:
    return {
        "base": ask.base,
        "plan": ask.plan.name,
        "now": ask.now.isoformat(),
        "since": ask.since,
        # Of the rows that it closes it takes all that is not new.
        "unsealed": [dict(row) for row in ask.unsealed] if source.closes else [],
    }


def _answer_json(answer: Answer) -> dict[str, object]:
    request = answer.request
    return {
        "url": without_login(request.url),
        "params": dict(request.params),
        "item": request.item,
        "content_type": answer.content_type,
        "at": answer.at.isoformat(),
    }


def without_login(url: str) -> str:
    """An address without the name and password that may stand before its host."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


# ---------------------------------------------------------------- reading again


def ask_of(settings: Settings, source: Source, said: Mapping[str, Any], known: Known, at: datetime) -> Ask:
    """What the source knew when it asked; of what is stored it knows what there is today. Raises ValueError
    (or Untyped) where that cannot be read."""
    kept = said.get("ask") or {}
    plan = next((plan for plan in source.upstream.plans if plan.name == kept.get("plan")), None)
    plan = plan or plans.choose(settings, source.upstream)
    closes = source.closes
    return Ask(
        kept.get("base") or plans.base(settings, source.upstream, plan),
        plan,
        datetime.fromisoformat(kept["now"]) if kept.get("now") else at,
        date.fromisoformat(kept["since"]) if kept.get("since") else None,
        [typed.row(closes, row) for row in kept.get("unsealed") or ()] if closes else (),
        known.ids.get(source.table.name, frozenset()),
        known.last.get((source.table.name, "value"), {}),
    )


def answers_of(
    source: Source, ask: Ask, kept: Sequence[tuple[Mapping[str, Any], bytes]], at: datetime
) -> list[Answer]:
    """The answers as they came. One of an earlier version does not say what was asked: that is told from
    the source where it asks one thing only; raises ValueError where it does not."""
    found = []
    for one, body in kept:
        if not one.get("url"):
            asked = source.requests(ask) if source.requests else ()
            if len(asked) != 1 or len(kept) != 1:
                raise ValueError("what was asked")
            return [Answer(body, at, asked[0])]
        request = Request(str(one["url"]), dict(one.get("params") or {}), item=one.get("item"))
        when = datetime.fromisoformat(one["at"])
        found.append(Answer(body, when, request, str(one.get("content_type") or "")))
    return found
