"""A console of one's own in a temporary home, and a browser that reports whatever goes wrong."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHOTS = Path(os.environ["SCREENSHOTS"]) if os.environ.get("SCREENSHOTS") else None
READY = '[data-testid="stApp"][data-test-script-state="notRunning"]'
# Streamlit's own question, whether it lives below this path: the answer no is how it finds out.
_ASKING = re.compile(r"/[a-z]+/_stcore/(health|host-config)$")


@dataclass
class Console:
    """A running console: its port and its home."""

    port: int
    home: Path
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """A request without a browser."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path, headers=headers)
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        return reply.status, body

    def collect(self, *pipelines: str) -> None:
        """The demo market, collected from the command line; crypto alone where nothing is said."""
        command = [sys.executable, str(ROOT / "collect.py"), *(pipelines or ("crypto",)), "--demo"]
        subprocess.run(command, env=self.environment, check=True, capture_output=True, timeout=60)


@dataclass
class Visit:
    """One page in the browser, and what the browser complained about."""

    page: Any
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def ready(self) -> "Visit":
        """Waits until the script is through and a heading stands."""
        self.page.wait_for_selector(READY, timeout=30_000)
        self.page.wait_for_selector("h2", timeout=30_000)
        self.page.wait_for_timeout(600)
        return self

    def charted(self, charts: int) -> "Visit":
        """Waits until so many charts stand."""
        self.page.wait_for_function(
            f"document.querySelectorAll('.js-plotly-plot .main-svg').length >= {charts}", timeout=30_000
        )
        return self

    def fits(self, dark: bool) -> "Visit":
        """Nothing is wider than the window, and charts follow the theme: light words on the dark ground."""
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width == self.page.viewport_size["width"]
        words = "getComputedStyle(document.querySelector('.js-plotly-plot .xtick text')).fill"
        ink = self.page.evaluate(words)
        assert (int(ink.split("(")[1].split(",")[0]) > 128) is dark
        return self

    def text(self) -> str:
        return str(self.page.inner_text("body"))

    def clean(self) -> "Visit":
        """Nothing went wrong, went out or looks broken; `legendundefined` is a class of Plotly's own."""
        assert self.errors == [] and self.outside == []
        assert not re.search(r"\bNaN\b|\bundefined\b|Traceback|stException", self.page.content())
        return self


def shoot(page: Any, name: str, *, whole: bool = True) -> None:
    """A picture for a person's eyes, where SCREENSHOTS names a folder for them: to draw one takes as long as
    its test. `whole`: of all of the page, as high as it is."""
    if SHOTS is None:
        return
    if whole:
        inner = "(document.querySelector('[data-testid=stMain]') ?? document.documentElement).scrollHeight"
        size = {"width": page.viewport_size["width"], "height": page.evaluate(inner)}
        page.set_viewport_size(size)
        page.wait_for_timeout(1200)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", animations="disabled")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(console: Console) -> bool:
    try:
        status, body = console.get("/api/v1/healthz")
    except OSError:
        return False
    return status == 200 and json.loads(body)["app"] == "daily-data-collector"


def start_console(
    home: Path, said: int = subprocess.DEVNULL, **settings: str
) -> tuple[Console, "subprocess.Popen[bytes]"]:
    """A console of that home, in demo mode unless `settings` say otherwise; `said` gets what it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLECTOR_")}
    environment = {**kept, "COLLECTOR_HOME": str(home), "COLLECTOR_DEMO": "1", **settings}
    console = Console(free_port(), home, environment)
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "console_app.py")]
    command += ["--server.port", str(console.port)]
    # In a group of its own, so that what it started ends with it.
    server = subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not _answers(console):
        if server.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the console did not come up: exit {server.poll()}")
        time.sleep(0.2)
    return console, server


def stop(server: "subprocess.Popen[bytes]") -> None:
    """Ends a server, kindly first."""
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(15)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console in demo mode whose home is empty at first."""
    found, server = start_console(tmp_path_factory.mktemp("console"))
    yield found
    stop(server)


@pytest.fixture(scope="session")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Chromium keeps what it has compiled of Streamlit and Plotly: doing that for every page anew would
    take half of these tests' time."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="module")
def browser(profile: Path) -> Iterator[Any]:
    """Chromium, once for the module, in UTC."""
    api = pytest.importorskip("playwright.sync_api", reason="NO BROWSER TESTS: no playwright")
    if CHROMIUM is None:
        pytest.skip("NO BROWSER TESTS: no Chromium was found on PATH")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=FLAGS, env={**os.environ, "TZ": "UTC"}
        )
        yield chromium
        chromium.close()


def sized(browser: Any, width: int, height: int) -> Any:
    """A new page of that size."""
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": height})
    return page


@pytest.fixture
def open_page(browser: Any, console: Console) -> Iterator[Callable[..., Visit]]:
    """Opens a path of the console: `open_page("/runs", dark=True, phone=True)`."""
    pages = []

    def open_it(path: str = "/", *, dark: bool = False, phone: bool = False, zone: str = "UTC") -> Visit:
        page = sized(browser, *((390, 844) if phone else (1440, 900)))
        pages.append(page)
        page.emulate_media(color_scheme="dark" if dark else "light")
        if zone != "UTC":
            browser.new_cdp_session(page).send("Emulation.setTimezoneOverride", {"timezoneId": zone})
        visit = Visit(page)
        _listen(visit, console)
        page.goto(console.url + path)
        return visit.ready()

    yield open_it
    for page in pages:
        # A visitor of the next test has never been here.
        kept = {"origin": console.url, "storageTypes": "local_storage,indexeddb,service_workers"}
        browser.new_cdp_session(page).send("Storage.clearDataForOrigin", kept)


@pytest.fixture(autouse=True)
def nothing_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """Pages that a test opened end with it, also where it failed; nobody is known by a cookie."""
    browser = request.getfixturevalue("browser") if "browser" in request.fixturenames else None
    yield
    if browser is not None:
        for page in browser.pages:
            # The first one, which nobody opened, keeps the browser alive.
            if page.url != "about:blank":
                page.close()
        browser.clear_cookies()


def _listen(visit: Visit, console: Console) -> None:
    """Keeps every error of the page and every address that is not the console's."""

    def complain(message: Any) -> None:
        if message.type == "error" and not _ASKING.search(message.location.get("url", "")):
            visit.errors.append(message.text)

    def asked(request: Any) -> None:
        if not request.url.startswith((f"{console.url}/", "data:", "blob:")):
            visit.outside.append(request.url)

    visit.page.on("console", complain)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    visit.page.on("request", asked)
