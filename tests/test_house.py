"""Who may import whom, and the few other manners that a machine can see.

Reads the source, local imports inside functions too; nothing is imported or run.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("storage", "collectors", "pages", "console", "scripts", "tests")
FILES = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.py"), *(file for part in PARTS for file in (ROOT / part).rglob("*.py")))
)
NAMES = {str(file.with_suffix("")).replace("/", ".").replace("\\", "."): file for file in FILES}
# The HTTP side of the console: one application in several files, put together by console_api.py.
API = ("console/", "console_api.py")
OURS = {*PARTS, "collect", "console_app", "console_guard", "_venv", "_console", "_history"}
OURS |= {"console_api"}

# What pages, the API and the window may ask. `texts` and `clock` hold no data.
ASKED = (
    "storage.read",
    "storage.check_results",
    "storage.read_liquidity",
    "storage.read_news",
    "storage.read_revisions",
    # What money is worth in won: of rows that `read` has read.
    "storage.exchange",
    "storage.clauses",
    "storage.ledger",
    "storage.records",
    "storage.settings",
    "storage.store_error",
    "storage.texts",
    "storage.clock",
    "storage.export",
    # The log of a run, as text.
    "storage.journal",
    # What was shown on the last visit: the one thing that a page keeps.
    "storage.visits",
    "collectors.registry",
    "collectors.launch",
    "collectors.freshness",
    "collectors.gaps",
    "collectors.gap_calendar",
    "collectors.backfill.plan",
    # Whether a year was filled in, and which days are stored.
    "storage.ledger_past",
    # What the doctor says, and what of it is a table.
    "collectors.doctor",
    "storage.store_health",
    # What the operating system starts by itself.
    "collectors.schedule.state",
    # Data and words: what the index is made of, and the windows of its events.
    "collectors.stress.inputs",
    "collectors.stress.alerts",
    "collectors.stress.validation",
    # Words of the News page.
    "collectors.news.topics",
)
# Folder or file: what it may import of ours. The first that fits counts; a name allows what is below it.
MAY: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("storage/", ("storage",)),
    ("collectors/sources/__init__.py", ()),
    # `payload` reads what upstreams send, `texts` marks what people read, `rhythm` says when something is
    # out, `stress` counts words, `news` reads titles and links: all are pure.
    (
        "collectors/sources/",
        (
            "collectors.checks",
            "collectors.model",
            "collectors.news",
            "collectors.payload",
            "collectors.rhythm",
            "collectors.sources",
            "collectors.stress",
            "storage.tables",
            "storage.texts",
        ),
    ),
    ("collectors/", ("storage", "collectors")),
    ("collect.py", ("storage", "collectors")),
    # Views draw what they are given: they know its types, and ask nobody.
    (
        "pages/_view/",
        (
            "pages._view",
            # How a number is told that was judged.
            "collectors.checks.kinds",
            "storage.check_results",
            "storage.records",
            "storage.exchange",
            "storage.clauses",
            "storage.settings",
            "storage.texts",
            "storage.clock",
            "storage.store_health",
            "collectors.freshness",
            "collectors.gap_calendar",
            "collectors.doctor.finding",
            "collectors.stress.inputs",
            "collectors.stress.alerts",
            "collectors.stress.validation",
            "collectors.news.topics",
        ),
    ),
    ("pages/", (*ASKED, "pages")),
    ("console_guard.py", ()),
    *((file, (*ASKED, "storage.read_rows", "console_guard", "console")) for file in API),
    ("console_app.py", (*ASKED, "pages", "console_api", "console_guard")),
    # The validation replays the index over files, beside the store.
    ("scripts/_history.py", ("collectors.stress",)),
    ("scripts/validate_index.py", ("_history", "collectors.stress", "storage.texts")),
    (
        "scripts/",
        (
            "_venv",
            "_console",
            "storage.settings",
            "storage.db",
            "storage.ledger",
            "storage.ledger_file",
            "storage.ledger_past",
            "storage.store_error",
            "storage.texts",
        ),
    ),
)
# A library: the only places that may import it. Tests and benchmarks may import anything.
ONLY: dict[str, tuple[str, ...]] = {
    "duckdb": ("storage/",),
    "requests": ("collectors/http.py",),
    "urllib3": ("collectors/http.py",),
    "curl_cffi": ("collectors/browser.py",),
    # reply.py says in words what the network raised: it needs the names of the errors.
    # The doctor asks the console's own port, on this machine.
    "http.client": (
        "collectors/http.py",
        "collectors/reply.py",
        "collectors/doctor/console.py",
        "scripts/_console.py",
    ),
    "urllib.request": (),
    "socket": (
        "collectors/http.py",
        "collectors/browser.py",
        "collectors/reply.py",
        "collectors/doctor/console.py",
        "scripts/_console.py",
    ),
    "yfinance": ("collectors/sources/yahoo.py",),
    "fredapi": ("collectors/sources/fred.py",),
    "streamlit": ("pages/", "console_app.py"),
    "plotly": ("pages/", "console_app.py"),
    "fastapi": (*API, "console_app.py"),
    "starlette": (*API, "console_app.py"),
    "feedparser": ("collectors/sources/feeds.py",),
    "pandas": (
        "storage/exchange.py",
        "storage/read.py",
        "storage/read_liquidity.py",
        "storage/read_news.py",
        "storage/read_revisions.py",
        "pages/",
    ),
}
# The library that a source may have of its own.
OWN = {"yahoo": "yfinance", "fred": "fredapi", "feeds": "feedparser"}
LIVE_FILE = ("open", "read_bytes", "read_text", "write_bytes", "write_text", "file_digest")
COPIES = ("copy", "copy2", "copyfile", "copyfileobj", "move")


def within(file: Path, place: str) -> bool:
    name = file.as_posix()
    return name.startswith(place) if place.endswith("/") else name == place


def below(name: str, allowed: str) -> bool:
    return name == allowed or name.startswith(f"{allowed}.")


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names; `from storage import read` is `storage.read` where that is a file of ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                # Only a test may say where it is by dots.
                yield "." * node.level
                continue
            module = node.module or ""
            for alias in node.names:
                full = f"{module}.{alias.name}"
                yield full if full in NAMES or full in ONLY else module


def forbidden(file: Path, source: str) -> list[str]:
    """The imports of `source` that the table does not allow a file of that place."""
    if within(file, "tests/") or within(file, "scripts/bench/"):
        return []
    names = set(imported(ast.parse(source)))
    allowed = next(may for place, may in MAY if within(file, place))
    ours = [name for name in names if name.split(".")[0] in OURS]
    wrong = [name for name in names if name.startswith(".")]
    wrong += [name for name in ours if name != "storage" and not any(below(name, one) for one in allowed)]
    wrong += [
        name
        for name in names
        for library, places in ONLY.items()
        if below(name, library) and not any(within(file, place) for place in places)
    ]
    if within(file, "collectors/sources/"):
        others = {name for name in names if name.split(".")[0] not in {*OURS, *sys.stdlib_module_names}}
        wrong += [name for name in others if name.split(".")[0] != OWN.get(file.stem)]
    return sorted(set(wrong))


def parse(file: Path) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), str(file))


each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.as_posix())


@each_file
def test_a_file_imports_only_what_its_place_allows(file: Path) -> None:
    assert forbidden(file, (ROOT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("file", "source", "wrong"),
    [
        ("storage/x.py", "def f():\n    from collectors import run", ["collectors.run"]),
        ("storage/x.py", "import storage.read, duckdb, sqlite3", []),
        ("collectors/x.py", "import pages.crypto", ["pages.crypto"]),
        ("collectors/x.py", "import duckdb", ["duckdb"]),
        ("collectors/x.py", "from . import run", ["."]),
        ("collectors/x.py", "from urllib import request", ["urllib.request"]),
        ("collectors/x.py", "from urllib.parse import urlsplit", []),
        ("collectors/http.py", "import requests", []),
        ("collectors/sources/coingecko.py", "from collectors.http import Http", ["collectors.http"]),
        ("collectors/sources/coingecko.py", "from storage import tables, settings", ["storage.settings"]),
        ("collectors/sources/coingecko.py", "import orjson", ["orjson"]),
        ("collectors/sources/yahoo.py", "import yfinance, json", []),
        ("collectors/sources/fred.py", "import yfinance", ["yfinance"]),
        ("pages/crypto.py", "from storage import merge, read", ["storage.merge"]),
        ("pages/crypto.py", "from collectors import launch, run", ["collectors.run"]),
        ("pages/_view/charts.py", "from storage import read", ["storage.read"]),
        ("console_api.py", "import fastapi, streamlit", ["streamlit"]),
        ("console_app.py", "import console_api, streamlit, starlette.routing", []),
        ("collect.py", "import streamlit", ["streamlit"]),
        ("scripts/start.py", "import requests, storage.db", ["requests"]),
    ],
)
def test_the_import_table_sees(file: str, source: str, wrong: list[str]) -> None:
    assert forbidden(Path(file), source) == wrong


@each_file
def test_a_file_says_first_what_it_is_for(file: Path) -> None:
    if (ROOT / file).read_text(encoding="utf-8").strip():
        assert len((ast.get_docstring(parse(file)) or "").split()) > 3


def broad(tree: ast.AST) -> list[int]:
    """Lines of `except Exception`, bare `except`, and `suppress(Exception)`."""
    lines = []
    for node in ast.walk(tree):
        caught: list[ast.expr | None] = []
        if isinstance(node, ast.ExceptHandler):
            caught = list(node.type.elts) if isinstance(node.type, ast.Tuple) else [node.type]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            caught = list(node.args)
        wide = (one is None or ast.unparse(one) in ("Exception", "BaseException") for one in caught)
        if any(wide):
            lines.append(node.lineno)
    return lines


def test_there_is_one_broad_except_in_the_whole_project() -> None:
    found = [(file.as_posix(), line) for file in FILES for line in broad(parse(file))]
    assert [file for file, _line in found] == ["collectors/run.py"], found


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    f()\nexcept:\n    pass",
        "try:\n    f()\nexcept (OSError, Exception):\n    pass",
        "try:\n    f()\nexcept* BaseException:\n    pass",
        "with contextlib.suppress(Exception):\n    f()",
    ],
)
def test_a_broad_except_is_seen_in_any_dress(source: str) -> None:
    assert len(broad(ast.parse(source))) == 1


def touches_live_file(tree: ast.AST) -> list[str]:
    """Calls that open, read, hash or copy the store behind DuckDB's back."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        text = ast.unparse(node)
        if called in (*LIVE_FILE, *COPIES) and re.search(r"database|\.duckdb\b", text):
            found.append(text)
    return found


@pytest.mark.parametrize("file", [file for file in FILES if file.parts[0] != "tests"], ids=str)
def test_nobody_opens_the_live_store_but_duckdb(file: Path) -> None:
    # A plain open() and close() in a process that has it open drops DuckDB's lock on Linux.
    assert touches_live_file(parse(file)) == []


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("open(settings.database, 'rb')", 1),
        ("settings.database.read_bytes()", 1),
        ("shutil.copy2(home / 'console.duckdb', target)", 1),
        ("os.open(str(settings.database), os.O_RDONLY)", 1),
        ("duckdb.connect(str(settings.database))", 0),
        ("settings.database.stat()", 0),
        ("open(home / 'ledger.txt')", 0),
    ],
)
def test_touching_the_live_store_is_seen(source: str, seen: int) -> None:
    assert len(touches_live_file(ast.parse(source))) == seen


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty = re.compile(r"util|helper|manager|service|common|misc")
    assert [file.as_posix() for file in FILES if empty.search(file.stem)] == []


def test_the_table_covers_every_file() -> None:
    uncovered = [
        file.as_posix()
        for file in FILES
        if file.parts[0] != "tests"
        and not within(file, "scripts/bench/")
        and not any(within(file, place) for place, _may in MAY)
    ]
    assert uncovered == []
