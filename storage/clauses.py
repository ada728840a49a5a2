"""One sentence of the morning brief: a gettext id with its values, and the row that it tells of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from storage.texts import N_, _, in_utc, say

# What a person reads above each part, in order.
PARTS: dict[str, str] = {
    "stress": N_("Stress"),
    "crypto": N_("Crypto"),
    "stories": N_("Stories"),
    "data": N_("Data"),
}


@dataclass(frozen=True, slots=True)
class Clause:
    """`message` is filled by `values`: texts as they are, numbers already written out, and `{"text": id}` for
    a word that is translated as well. `table` and `key` name the row behind it, `link` an article.

    Titles among the values are hostile text: a page escapes what `said` gives.
    """

    part: str
    message: str
    values: Mapping[str, object] = field(default_factory=dict)
    table: str = ""
    key: Mapping[str, object] = field(default_factory=dict)
    link: str | None = None

    def said(self, show: Callable[[str], str] = in_utc) -> str:
        """The sentence in the current language; `show` says how an instant in it reads."""
        return say(self.message, {name: _worded(value) for name, value in self.values.items()}, show)


def word(message: str) -> dict[str, str]:
    """A value that is itself a gettext id."""
    return {"text": message}


def _worded(value: object) -> object:
    return _(str(value["text"])) if isinstance(value, Mapping) else value
