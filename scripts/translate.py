"""Brings the catalogue in step with the program: extracts texts, updates the Korean file, compiles it.

python scripts/translate.py            update and compile
python scripts/translate.py --check    change nothing; exit 1 if something is missing
"""

import ast
import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "storage" / "locale" / "ko" / "LC_MESSAGES"
PO, MO = FOLDER / "collector.po", FOLDER / "collector.mo"
PLACES = ("storage", "collectors", "pages", "console", "scripts")
# How many of its first arguments are texts.
KEYWORDS = {"_": 1, "N_": 1, "ngettext": 2}
PROJECT = "Daily Data Collector"
# Written into the files because gettext wants a date; always the same, so that only texts change them.
DATE = datetime(2026, 1, 1, tzinfo=UTC)


def template() -> Catalog:
    """Every text of the program, with the places where it stands."""
    catalog = Catalog(domain="collector", charset="utf-8", creation_date=DATE)
    files = [*ROOT.glob("*.py"), *(file for place in PLACES for file in (ROOT / place).rglob("*.py"))]
    for name, file in sorted((file.relative_to(ROOT).as_posix(), file) for file in files):
        for message in _marked(ast.parse(file.read_text(encoding="utf-8"))):
            # Without line numbers: they would change the file with every edit of the program.
            catalog.add(message, locations=[(name, None)])
    return catalog


def _marked(tree: ast.AST) -> Iterator[str | tuple[str, ...]]:
    """The texts given to gettext, in the order in which they are written. Babel's own search leaves out
    folders such as `_view` and, before Python 3.12, whatever stands in an f-string."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) in KEYWORDS]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        given = [part.value for part in call.args if isinstance(part, ast.Constant)]
        texts = tuple(text for text in given if isinstance(text, str))[: KEYWORDS[_called(call)]]
        if len(texts) == KEYWORDS[_called(call)]:
            yield texts if len(texts) > 1 else texts[0]


def _called(call: ast.Call) -> str:
    return getattr(call.func, "id", "") or getattr(call.func, "attr", "")


def updated() -> Catalog:
    """The Korean catalogue with every text of today and none of yesterday."""
    with PO.open("rb") as file:
        korean = read_po(file, locale="ko", domain="collector")
    korean.update(template(), no_fuzzy_matching=True)
    korean.obsolete.clear()
    korean.header_comment = f"# What the {PROJECT} says, in Korean."
    korean.project, korean.version = PROJECT, "1"
    korean.last_translator, korean.language_team, korean.msgid_bugs_address = PROJECT, "Korean", ""
    korean.revision_date = DATE
    return korean


def missing(korean: Catalog) -> list[str]:
    """Texts without a translation."""
    return [
        str(message.id)
        for message in korean
        if message.id and (not message.string or not all(_forms(message.string)) or message.fuzzy)
    ]


def _forms(string: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return tuple(string) if isinstance(string, tuple | list) else (string,)


def compiled(korean: Catalog) -> bytes:
    """The bytes of the .mo file."""
    buffer = io.BytesIO()
    write_mo(buffer, korean)
    return buffer.getvalue()


def main(arguments: list[str]) -> int:
    """See the module's text; gives the exit code."""
    korean = updated()
    gaps = missing(korean)
    if "--check" not in arguments:
        with PO.open("wb") as file:
            write_po(file, korean, width=110, sort_by_file=True, include_lineno=False)
        MO.write_bytes(compiled(korean))
    print(f"{len(list(korean)) - 1} texts, {len(gaps)} without a translation")
    for text in gaps:
        print(f"  {text}")
    return 1 if gaps else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
