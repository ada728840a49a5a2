"""The network of a source with a library of its own as it was: a question gets the answer that was kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from collectors import browser
from collectors.evidence import without_login
from collectors.model import Answer, Ask, CollectError, Request, Unavailable
from storage.texts import N_

# Reading asks nobody: no source has to hurry.
LEFT_S = 3600.0


@dataclass
class KeptWire:
    """`model.Wire` over kept answers. Of several to one address it gives the one that was asked for most
    alike (yfinance asks up to now, whenever that is), each in its turn."""

    answers: Sequence[Answer]
    ask: Ask
    cache: Path
    given: list[Answer] = field(default_factory=list)

    def get(self, request: Request, within_s: float | None = None) -> Answer:
        """The kept answer to a request. Raises Unavailable `not_kept`."""
        url = without_login(request.url)
        fitting = [answer for answer in self.answers if answer.request.url == url]
        if not fitting:
            raise Unavailable("not_kept", N_("The answer of {url} was not kept."), url=url[:120])
        answer = max(fitting, key=lambda answer: (self._alike(answer, request), answer not in self.given))
        self.given.append(answer)
        return replace(answer, request=request)

    @staticmethod
    def _alike(answer: Answer, request: Request) -> int:
        return len(set(answer.request.params.items()) & set(request.params.items()))

    def session(self) -> Any:
        """A session for yfinance; see browser.session."""
        return browser.session(self.ask.base, self._as_browser)

    def _as_browser(self, url: str, params: Mapping[str, str]) -> Answer:
        return self.get(Request(url, params, as_browser=True))

    def lose(self, item: str, error: CollectError) -> None:
        """What could not be had then was told then."""

    def answered_at(self) -> datetime:
        """The upstream's own instant of the newest answer that was given."""
        return max((answer.at for answer in self.given), default=self.ask.now)

    def left_s(self) -> float:
        """Seconds until the source has to be done."""
        return LEFT_S
