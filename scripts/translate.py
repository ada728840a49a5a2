"""Brings the catalogue in step with the program: extracts texts, updates the Korean file, compiles it.

python scripts/translate.py            update and compile
python scripts/translate.py --check    change nothing; exit 1 if something is missing
"""

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "storage" / "locale" / "ko" / "LC_MESSAGES"
PO, MO = FOLDER / "collector.po", FOLDER / "collector.mo"
PLACES = ("storage", "collectors", "pages")
FILES = ("collect.py", "console_app.py", "console_api.py", "console_guard.py", "scripts/start.py")
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}


def template() -> Catalog:
    """Every text of the program, with the places where it stands."""
    catalog = Catalog(domain="collector", project="Daily Data Collector", version="1", charset="utf-8")
    found = []
    for place in PLACES:
        for name, line, message, _notes, context in extract_from_dir(
            ROOT / place, [("**.py", "python")], keywords=KEYWORDS
        ):
            found.append((f"{place}/{name}", line, message, context))
    for name in FILES:
        if (ROOT / name).is_file():
            found += _of_file(name)
    for name, _line, message, context in sorted(found, key=lambda entry: (entry[0], entry[1])):
        # Without line numbers: they would change the file with every edit of the program.
        catalog.add(message, locations=[(name, None)], context=context)
    return catalog


def _of_file(name: str) -> list[tuple[str, int, object, str | None]]:
    from babel.messages.extract import extract_from_file

    return [
        (name, line, message, context)
        for line, message, _notes, context in extract_from_file("python", ROOT / name, keywords=KEYWORDS)
    ]


def updated() -> Catalog:
    """The Korean catalogue with every text of today and none of yesterday."""
    with PO.open("rb") as file:
        korean = read_po(file, locale="ko", domain="collector")
    korean.update(template(), no_fuzzy_matching=True)
    korean.obsolete.clear()
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
