"""One machine on one morning: a turned clock, a fake upstream, the command line in this process."""

import os
from datetime import datetime

import pytest

import collect
from storage import clock
from tests.upstream import FakeUpstream


class Desk:
    """`at` is what every clock says; `up` the upstream, which asks for no pause."""

    def __init__(
        self,
        up: FakeUpstream,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        at: datetime,
    ) -> None:
        self.up, self.capsys, self.at = up, capsys, at
        monkeypatch.setattr(clock, "now", lambda: self.at)
        os.environ.update(up.env(), COLLECTOR_PACE_S="0")

    def collect(self, at: datetime, *words: str) -> tuple[int, str]:
        """Runs `collect.py WORDS` at an instant: exit code, and what it printed."""
        self.at = self.up.clock = at
        self.up.reset_counts()
        code = collect.main([*words])
        return code, self.capsys.readouterr().out
