"""Everything a person reads is in English and Korean: no bare string, no missing or broken translation."""

import ast
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import texts

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import translate  # noqa: E402

PAGES = sorted((ROOT / "pages").rglob("*.py"))
# What Streamlit shows to a person; arguments that are shown, by position (0) or name.
SHOWN = {
    "title", "header", "subheader", "caption", "markdown", "write", "text", "info", "warning", "error",
    "success", "toast", "button", "badge", "metric", "selectbox", "multiselect", "segmented_control", "radio",
    "checkbox", "toggle", "expander", "popover", "download_button", "link_button", "page_link", "status",
    "spinner", "text_input", "date_input", "slider", "pills", "tabs", "Page", "dialog", "Column",
    "TextColumn", "NumberColumn", "LineChartColumn", "LinkColumn", "DateColumn", "ProgressColumn",
}  # fmt: skip
SHOWN_NAMES = {"label", "help", "title", "body", "placeholder", "delta_description", "page_title"}
# Names of things, which are the same in every language.
PROPER = {
    "Daily Data Collector",
    "CoinGecko",
    "DefiLlama",
    "alternative.me",
    "DEMO",
    "English",
    "한국어",
    "EN",
    "USD",
    "CSV",
    "PNG",
}


def _bare(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in SHOWN:
            continue
        shown = [*node.args[:1], *(word.value for word in node.keywords if word.arg in SHOWN_NAMES)]
        for argument in shown:
            for text in _literals(argument):
                word = _visible(text).strip()
                if any(letter.isalpha() for letter in word) and word not in PROPER:
                    yield node.lineno, text


def _literals(node: ast.expr) -> Iterator[str]:
    """String constants that are shown as they are: not those inside a call such as _(…)."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from _literals(part)
    elif isinstance(node, ast.BinOp):
        yield from _literals(node.left)
        yield from _literals(node.right)
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)
    elif isinstance(node, ast.List | ast.Tuple):
        for part in node.elts:
            yield from _literals(part)


_NO_WORD = re.compile(
    r"\w+\.py$|:[\w-]+\[|\]|:material/\w+:|:[a-z-]+\[|<[^>]*>|\]\([^)]*\)|:[a-z_]+:|&\w+;|https?://\S+"
)


def _visible(text: str) -> str:
    """Without Markdown that is no word: icons, colours, HTML tags, links' addresses."""
    return _NO_WORD.sub("", text)


@pytest.mark.parametrize("file", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_shows_no_string_that_was_not_given_to_gettext(file: Path) -> None:
    assert list(_bare(ast.parse(file.read_text(encoding="utf-8")))) == []


def test_the_search_for_bare_strings_finds_one() -> None:
    tree = ast.parse(
        'st.button("Collect now")\nst.caption(f"as of {day}")\nst.write(_("fine"))\nst.badge("–")'
    )
    assert [line for line, _text in _bare(tree)] == [1, 2]


def test_every_text_has_a_korean_translation() -> None:
    assert translate.missing(translate.updated()) == []


def test_the_catalogue_holds_what_the_program_says_and_nothing_else() -> None:
    with translate.PO.open("rb") as file:
        stored = translate.read_po(file, locale="ko", domain="collector")
    ours = {str(message.id) for message in translate.template() if message.id}
    assert {str(message.id) for message in stored if message.id} == ours


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    with translate.PO.open("rb") as file:
        stored = translate.read_po(file, locale="ko", domain="collector")
    assert translate.MO.read_bytes() == translate.compiled(stored)


def _places(text: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}


def test_a_translation_fills_the_same_places_as_its_text() -> None:
    wrong = []
    for message in translate.updated():
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and any(_places(str(form)) != _places(str(ids[-1])) for form in strings if form):
            wrong.append(message.id)
    assert wrong == []


def test_a_language_is_chosen_for_a_block_and_given_back() -> None:
    with texts.speaking("ko"):
        assert texts.language() == "ko"
        assert texts._("fresh") != "fresh"
        with texts.speaking("en"):
            assert texts._("fresh") == "fresh"
        assert texts.language() == "ko"


def test_a_stored_message_is_filled_and_a_broken_one_is_shown_as_it_is() -> None:
    assert texts.say("{n} rows", {"n": 3}) == "3 rows"
    assert texts.say("{n} rows of {all}", {"n": 3}) == "{n} rows of {all}"
    assert texts.say("") == ""


def test_an_unknown_language_is_english() -> None:
    before = list(texts._default)
    texts.set_default("xx")
    assert texts.language() == "en"
    texts._default[:] = before
