"""Reads the Board's pages: the text of a speech, and the speeches of a yearly list.

One pass over the page, without a tree: in a tree an unclosed paragraph holds all that follow it, and a
page of forty kilobytes becomes gigabytes of text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

# The longest speech of thirty years has a third of this.
MOST_TEXT = 400_000
_NOT_TEXT = {"article__time", "speaker", "location", "title", "watchLive", "shareDL"}
_SILENT = {"script", "style", "noscript"}
_BLOCKS = {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ul", "ol", "table", "tr", "hr", "section"}
_ENDS_TEXT = re.compile(r"(References?|Footnotes?|Notes?)\W*", re.I)


def _one_line(parts: list[str]) -> str:
    return re.sub(r"\s+", " ", "".join(parts)).strip()


class _Article(HTMLParser):
    """Paragraphs of the element with the id `article`, until its references begin."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[str] = []
        self._inside = ""
        self._depth = self._silent = self._length = 0
        self._parts: list[str] | None = None
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if not self._inside:
            if given.get("id") == "article" and not self._over:
                self._inside, self._depth = tag, 1
            return
        self._depth += tag == self._inside
        self._silent += tag in _SILENT
        if tag in _BLOCKS:
            # A paragraph ends where the next block begins, closed or not.
            self._flush()
        if tag == "p" and not _NOT_TEXT & set((given.get("class") or "").split()):
            self._parts = []
        elif tag == "br" and self._parts is not None:
            self._parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if not self._inside:
            return
        self._silent -= tag in _SILENT and self._silent > 0
        if tag in _BLOCKS:
            self._flush()
        self._depth -= tag == self._inside
        if not self._depth:
            self._inside, self._over = "", True

    def handle_data(self, data: str) -> None:
        if self._parts is not None and not self._silent and self._length < MOST_TEXT:
            self._parts.append(data)
            self._length += len(data)

    def _flush(self) -> None:
        said = _one_line(self._parts or [])
        self._parts = None
        if _ENDS_TEXT.fullmatch(said):
            self._inside, self._over = "", True
        elif said and "Return to text" not in said:
            self.paragraphs.append(said)

    def close(self) -> None:
        super().close()
        self._flush()


def spoken_text(body: bytes) -> str:
    """The paragraphs of a speech page, without its head, references and footnotes; "" where the page
    has no article."""
    page = _Article()
    page.feed(body.decode("utf-8", errors="replace"))
    page.close()
    return " ".join(page.paragraphs)


@dataclass
class Listed:
    """One line of a yearly list: where its page is, what it is called, and who spoke ("": not said)."""

    href: str
    title: str = ""
    speaker: str = ""
    parts: list[str] = field(default_factory=list)


class _List(HTMLParser):
    """Links with their words, and the speaker that is named after each."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Listed] = []
        self._into: list[str] | None = None
        self._speaking = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.found.append(Listed(str(given["href"])))
            self._into = self.found[-1].parts
        elif tag == "p":
            self._speaking = "news__speaker" in (given.get("class") or "").split()
            self._into = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._into = None
        elif tag == "p":
            self._speaking = False

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into.append(data)
        elif self._speaking and self.found:
            self.found[-1].speaker = _one_line([self.found[-1].speaker, " ", data])[:120]


def listed(body: bytes) -> Iterator[Listed]:
    """Every link of a page that has words."""
    page = _List()
    page.feed(body.decode("utf-8", errors="replace"))
    page.close()
    for one in page.found:
        one.title = _one_line(one.parts)
        if one.title:
            yield one
