"""A wire that answers from a script: for sources that have a library of their own, without any network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from collectors import browser
from collectors.model import Answer, CollectError, Request


@dataclass
class Script:
    """Gives `answer(url)` to every request; `asked` and `lost` are what a run would see."""

    answer: Callable[[str], bytes]
    at: datetime
    folder: Path
    base: str = "https://up.example"
    left: float = 60.0
    asked: list[Request] = field(default_factory=list)
    lost: list[tuple[str, CollectError]] = field(default_factory=list)

    def get(self, request: Request, within_s: float | None = None) -> Answer:
        self.asked.append(request)
        return Answer(self.answer(request.url), self.at, request)

    def session(self) -> Any:
        def through(url: str, params: Mapping[str, str]) -> Answer:
            return self.get(Request(url, params))

        return browser.session(self.base, through)

    def lose(self, item: str, error: CollectError) -> None:
        self.lost.append((item, error))

    def answered_at(self) -> datetime:
        return self.at

    def left_s(self) -> float:
        return self.left

    @property
    def cache(self) -> Path:
        return self.folder
