"""The network as a source is given it that has a library of its own, and what came of its questions."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from collectors import browser
from collectors.http import Tally
from collectors.model import Answer, Ask, CollectError, Rejected, Request, Source
from collectors.under_way import Run


@dataclass(frozen=True, slots=True)
class Asked:
    """The answers to several questions, and the errors of those items that had none."""

    answers: list[Answer]
    lost: list[tuple[str, CollectError]]
    # To what was asked for a check alone.
    beside: list[Answer] = field(default_factory=list)

    @property
    def rejected(self) -> list[Rejected]:
        return [Rejected({"item": item}, error.code) for item, error in self.lost]


@dataclass(frozen=True, slots=True)
class Line:
    """`model.Wire` for one step: asks in the name of its source until the monotonic instant `until`, and
    keeps what was answered in `asked`."""

    run: Run
    source: Source
    ask: Ask
    until: float
    tally: Tally
    asked: Asked

    def get(self, request: Request, within_s: float | None = None) -> Answer:
        """The answer to one request, at the latest when `within_s` seconds are over. Raises CollectError."""
        named = replace(request, upstream=self.source.upstream.name)
        until = self.until if within_s is None else min(self.until, time.monotonic() + within_s)
        answer = self.run.http.get(named, self.ask.plan, until=until, tally=self.tally)
        self.asked.answers.append(answer)
        return answer

    def session(self) -> Any:
        """A session of curl_cffi for yfinance; see browser.session."""
        return browser.session(self.ask.base, self._as_browser)

    def _as_browser(self, url: str, params: Mapping[str, str]) -> Answer:
        return self.get(Request(url, params, as_browser=True))

    def lose(self, item: str, error: CollectError) -> None:
        """Notes that one item of several could not be had, and why."""
        self.asked.lost.append((item, error))

    def answered_at(self) -> datetime:
        """The upstream's own instant of the newest answer; ours before there is one."""
        return max((answer.at for answer in self.asked.answers), default=self.ask.now)

    def left_s(self) -> float:
        """Seconds until this source has to be done."""
        return self.until - time.monotonic()

    @property
    def cache(self) -> Path:
        """A folder of the home for what a library wants to remember."""
        folder = self.run.settings.home / "cache" / self.source.upstream.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder
