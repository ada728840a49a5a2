"""First sight of the Overview beside an empty Streamlit page with one Plotly chart: at most 1.3 × as long.

Timed in Chromium, from the start of the navigation to the frame in which the script is over and the content
stands: of the Overview its headline, the figure of the index and a card a pipeline; of the other page its
chart. Cold is a browser context of its own with nothing kept, reload is that page again after a rest. Both
servers run the same `streamlit run` with the same configuration, and each has been visited once before.
"""

import json
import os
import shutil
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from _measure import ROOT, Broken, arguments, at_most, ended
from _served import HEALTH, Server, demo_console, served

from collectors.registry import PIPELINES
from storage.texts import _

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BOUND = 1.3
# What stands at first sight is not all: whoever loads a page again has seen the whole of it.
REST_MS = 2000.0
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PLAIN = """
import plotly.graph_objects as go
import streamlit as st

st.plotly_chart(go.Figure(go.Scatter(y=[2, 1, 3])))
"""
OVER = '[data-testid="stApp"][data-test-script-state="notRunning"]'
OVERVIEW = (
    OVER,
    "h2",
    '.st-key-stress_index [data-testid="stMetricValue"]',
    *(f".st-key-collect_{name} button" for name in PIPELINES),
)
CHART = (OVER, ".js-plotly-plot .main-svg")
# Looks in every frame of the page itself: a question from outside would add its own way there and back.
LOOK = """(() => {
  const stands = one => document.querySelector(one)?.checkVisibility({visibilityProperty: true});
  const look = () => {
    if (%s.every(stands)) window.firstSight = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()"""


class Visit(NamedTuple):
    """One page in a browser context of its own: seconds to first sight, cold and reloaded."""

    cold: float
    reload: float


def visit(browser: "Browser", server: Server, wanted: tuple[str, ...]) -> Visit:
    """Raises Broken where the page does not come to stand."""
    from playwright.sync_api import Error

    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        page.add_init_script(LOOK % json.dumps(wanted))
        page.goto(server.url)
        cold = _seen(page)
        page.wait_for_timeout(REST_MS)
        page.reload()
        return Visit(cold, _seen(page))
    except Error as problem:
        raise Broken(str(problem)) from problem
    finally:
        context.close()


def _seen(page: "Page") -> float:
    page.wait_for_function("window.firstSight", timeout=60_000)
    return float(page.evaluate("window.firstSight")) / 1e3


@contextmanager
def plain() -> Iterator[Server]:
    """The page with one chart, under the console's own configuration."""
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder) / "plain.py"
        app.write_text(PLAIN, encoding="utf-8")
        shutil.copytree(ROOT / ".streamlit", app.parent / ".streamlit")
        with served({}, app, HEALTH) as server:
            yield server


@contextmanager
def chromium(path: str) -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


def compared(what: str, ours: list[float], theirs: list[float]) -> bool:
    """The medians side by side, and the bound."""
    a, b = median(ours), median(theirs)
    line = _("  {what}: Overview {a} ms · one chart {b} ms")
    print(line.format(what=what, a=round(1e3 * a), b=round(1e3 * b)))
    return at_most(_("first sight, {what}").format(what=what), a / b, BOUND)


def bounds(given: Namespace) -> list[bool]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        raise Broken(_("no Chromium on PATH"))
    with demo_console() as ours, plain() as theirs, chromium(path) as browser:
        pairs = [
            (visit(browser, ours, OVERVIEW), visit(browser, theirs, CHART)) for _n in range(given.pairs + 1)
        ][1:]
    return [
        compared(_("cold"), [a.cold for a, _b in pairs], [b.cold for _a, b in pairs]),
        compared(_("reload"), [a.reload for a, _b in pairs], [b.reload for _a, b in pairs]),
    ]


def main() -> int:
    given = arguments(__doc__ or "", pairs=9)
    if find_spec("playwright") is None:
        print(
            _("playwright is not installed. Install it: {command}").format(
                command="python -m pip install -r requirements-dev.txt"
            ),
            file=sys.stderr,
        )
        return 2
    return ended(bounds, given)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
