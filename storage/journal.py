"""The log file: start, end and error of everything, rotating, never with a secret in it."""

import logging
from logging.handlers import RotatingFileHandler

from storage.settings import Settings

BYTES, FILES = 1_000_000, 5


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
