"""schemathesis over the OpenAPI document: no 5xx, every answer as documented, no input that surprises.

Runs in this process, through the guard; a start finds a run under way, so that none is ever started.
"""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, Phase, given, strategies
from hypothesis import settings as profile

from storage import ledger
from storage.settings import load
from tests.api_client import document, made
from tests.test_api import CRYPTO_PRICE, RUN, price, put

with warnings.catch_warnings():
    # What its imports warn of is not ours.
    warnings.simplefilter("ignore")
    schemathesis = pytest.importorskip("schemathesis", reason="NO FUZZING: schemathesis is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
HOST = {"host": "127.0.0.1:8501"}
# Of each operation, as documented and against it: about a thousand cases.
EXAMPLES = 25
OPERATIONS = sorted((path, verb) for path, verbs in document()["paths"].items() for verb in verbs)


@pytest.fixture
def schema(home: Path) -> Iterator[Any]:
    settings = load()
    put(settings, CRYPTO_PRICE, price())
    ledger.reserve(settings, RUN, ["crypto"], "cli")
    with FileLock(ledger.lock_path(settings, RUN)):
        ledger.claim(settings, RUN, os.getpid())
        yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", made(settings), headers=HOST)
    assert [run.run_id for run in ledger.runs(settings)] == [RUN]


@pytest.mark.parametrize(("path", "verb"), OPERATIONS)
def test_whatever_is_asked_gets_an_answer_of_the_document(schema: Any, path: str, verb: str) -> None:
    @profile(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=strategies.data())
    def ask(data: Any, mode: Any) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        # Any text may be a cursor and hardly any is one.
        case.query.pop("cursor", None)
        case.call_and_validate(headers=HOST)

    operation = schema[path][verb]
    ask(mode=schemathesis.GenerationMode.POSITIVE)
    # Where there is nothing to say, nothing can be wrong.
    if document()["paths"][path][verb].get("parameters"):
        ask(mode=schemathesis.GenerationMode.NEGATIVE)
