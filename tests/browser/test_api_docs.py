"""The page of the HTTP API as a browser draws it: from our own document, and asking nobody else."""

from typing import Any

import pytest

from tests.api_client import document
from tests.browser.conftest import Console

pytestmark = pytest.mark.browser


def test_the_page_draws_every_route_and_asks_nobody_else(browser: Any, console: Console) -> None:
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    # What its content policy forbids is told on the console as well.
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{console.url}/api/v1/docs")
    page.wait_for_selector("main details")
    told = document()
    operations = sum(len(verbs) for verbs in told["paths"].values())
    assert page.locator("main details").count() == operations + len(told["components"]["schemas"])
    page.locator("summary", has_text="/collector/run-all").click()
    curl = page.locator("details[open] pre").inner_text()
    assert curl == f'curl -X POST "{console.url}/api/v1/collector/run-all?wait=300"'
    assert said == [] and all(url.startswith(console.url) for url in asked)
    page.close()
