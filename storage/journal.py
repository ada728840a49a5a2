"""The log: start, end and error of everything, never with a secret in it; one file that rotates, and one for
each of the last runs.
"""

import logging
import re
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

from storage.settings import Settings

BYTES, FILES = 1_000_000, 5
# Of so many runs the log is kept; what they did is in the ledger for ever.
RUNS = 200
_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")


class _Redacted(logging.Formatter):
    """Times in UTC, secrets replaced: also those inside a traceback."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(process)d %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        self._settings = settings

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        import time

        return time.strftime(datefmt or "%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))

    def format(self, record: logging.LogRecord) -> str:
        return self._settings.redact(super().format(record))


class _File(RotatingFileHandler):
    """A log that cannot be written any more must not speak up in the middle of the output."""

    def handleError(self, record: logging.LogRecord) -> None:
        return


def open_log(settings: Settings) -> None:
    """Sends the program's log to `<home>/logs/collector.log`; without a place to write it is silent."""
    logger = logging.getLogger("collector")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    file = settings.home / "logs" / "collector.log"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = _File(file, maxBytes=BYTES, backupCount=FILES, encoding="utf-8")
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(_Redacted(settings))
    logger.addHandler(handler)


def run_log_path(settings: Settings, run_id: str) -> Path | None:
    """Where the log of a run is, or would be; None for what is no run's name."""
    return settings.home / "logs" / "runs" / f"{run_id}.log" if _RUN_ID.fullmatch(run_id) else None


def open_run_log(settings: Settings, run_id: str) -> None:
    """From now on everything goes into the log of this run as well; the oldest of them are forgotten."""
    file = run_log_path(settings, run_id)
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = _File(file, maxBytes=BYTES, backupCount=1, encoding="utf-8")
    except OSError:
        # A run that cannot write its log is still a run.
        return
    handler.setFormatter(_Redacted(settings))
    logging.getLogger("collector").addHandler(handler)
    for old in sorted(file.parent.glob("*.log*"))[: -2 * RUNS]:
        with suppress(OSError):
            old.unlink()


def run_log(settings: Settings, run_id: str) -> str:
    """What a run has logged so far; "" where there is nothing of it any more."""
    file = run_log_path(settings, run_id)
    try:
        return file.read_text(encoding="utf-8", errors="replace") if file else ""
    except OSError:
        return ""
