"""Every setting, once: its name in the environment, its default, what is allowed, what it means.

Values come from the environment or from `.env` in the project root; the environment wins. Empty or
white space is unset. Paths that are not absolute start at the project root.
"""

import os
import re
import sys
from datetime import time
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage import texts
from storage.texts import N_, _

ROOT = Path(__file__).resolve().parent.parent
APP = "daily-data-collector"
VERSION = "0.1.0"
PIPELINE_NAMES = ("liquidity", "crypto", "news")
# English and Korean desks that write of markets; a feed that fails costs only itself.
STRESS_FEEDS = " ".join(
    (
        "cnbc-markets=https://www.cnbc.com/id/20910258/device/rss/rss.html",
        "cnbc-finance=https://www.cnbc.com/id/10000664/device/rss/rss.html",
        "marketwatch=https://feeds.content.dowjones.io/public/rss/mw_topstories",
        "nyt-business=https://rss.nytimes.com/services/xml/rss/nyt/Business.xml",
        "bloomberg-markets=https://feeds.bloomberg.com/markets/news.rss",
        "hankyung-finance=https://www.hankyung.com/feed/finance.xml",
        "hankyung-economy=https://www.hankyung.com/feed/economy.xml",
        "mk=https://www.mk.co.kr/rss/30000001/",
        "yna-economy=https://www.yna.co.kr/rss/economy.xml",
    )
)
# What the News page and the brief tell; the index does not count it.
NEWS_FEEDS = " ".join(
    (
        "cnbc-top=https://www.cnbc.com/id/100003114/device/rss/rss.html",
        "cnbc-economy=https://www.cnbc.com/id/20910258/device/rss/rss.html",
        "bloomberg-markets=https://feeds.bloomberg.com/markets/news.rss",
        "bloomberg-economics=https://feeds.bloomberg.com/economics/news.rss",
        "marketwatch=https://feeds.content.dowjones.io/public/rss/mw_topstories",
        "nyt-economy=https://rss.nytimes.com/services/xml/rss/nyt/Economy.xml",
        "guardian-business=https://www.theguardian.com/uk/business/rss",
        "bbc-business=https://feeds.bbci.co.uk/news/business/rss.xml",
        "coindesk=https://www.coindesk.com/arc/outboundfeeds/rss/",
        "fed-press=https://www.federalreserve.gov/feeds/press_all.xml",
        "hankyung-finance=https://www.hankyung.com/feed/finance.xml",
        "hankyung-economy=https://www.hankyung.com/feed/economy.xml",
        "mk-stock=https://www.mk.co.kr/rss/40300000/",
        "mk=https://www.mk.co.kr/rss/30000001/",
        "yna-economy=https://www.yna.co.kr/rss/economy.xml",
    )
)
Schedule = tuple[tuple[time, tuple[str, ...]], ...]


class BadSetting(Exception):
    """A setting that does not parse: names the setting and what is allowed. Exit code 2."""


def _key(value: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]+", value):
        raise ValueError("printable ASCII characters without spaces")
    return value


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError("an address such as https://host/path")
    return value.rstrip("/")


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError):
        raise ValueError("a time zone such as Asia/Seoul") from None
    return value


def _schedule(value: str) -> str:
    parse_schedule(value)
    return value


def parse_schedule(text: str) -> Schedule:
    """`06:00 liquidity crypto; 06:30 news` as ((06:00, (liquidity, crypto)), (06:30, (news,)))."""
    allowed = ValueError("times and pipelines such as 06:00 liquidity crypto; 06:30 news")
    slots = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        clock, *names = part.split()
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", clock) or not names:
            raise allowed
        if any(name not in PIPELINE_NAMES for name in names):
            raise allowed
        slots.append((time.fromisoformat(clock), tuple(names)))
    if not slots:
        raise allowed
    return tuple(sorted(slots))


def _path(value: object) -> object:
    return ROOT / Path(str(value)).expanduser() if value is not None else value


def _feeds(value: str) -> str:
    parse_feeds(value)
    return value


def parse_feeds(text: str) -> dict[str, str]:
    """`name=url name=url` as {name: url}."""
    found: dict[str, str] = {}
    for pair in text.split():
        name, equals, url = pair.partition("=")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name) or not equals or name in found:
            raise ValueError("name=url pairs separated by spaces")
        if not re.fullmatch(r"https?://[^\s/#@]+(/[^\s#]*)?", url):
            raise ValueError("name=url pairs separated by spaces")
        found[name] = url
    if not found:
        raise ValueError("name=url pairs separated by spaces")
    return found


def _file(value: Path) -> Path:
    if value.is_dir():
        raise ValueError("a file path")
    return value


Key = Annotated[str, AfterValidator(_key)]
Url = Annotated[str, AfterValidator(_url)]
Feeds = Annotated[str, AfterValidator(_feeds)]
FilePath = Annotated[Path, BeforeValidator(_path)]
DatabasePath = Annotated[FilePath, AfterValidator(_file)]


def _field(env: str, default: object, help_text: str) -> Any:
    return Field(default=default, validation_alias=env, description=help_text)


class Settings(BaseSettings):
    """The settings of one process, frozen. `description` of a field is a gettext id."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        case_sensitive=sys.platform != "win32",
        validate_default=True,
        hide_input_in_errors=True,
    )

    coingecko_api_key: Key | None = Field(
        default=None,
        validation_alias="COINGECKO_API_KEY",
        description=N_("CoinGecko key; unset: keyless"),
        repr=False,
    )
    fred_api_key: Key | None = Field(
        default=None,
        validation_alias="FRED_API_KEY",
        description=N_("FRED key; unset: every FRED step is skipped"),
        repr=False,
    )
    coingecko_plan: Literal["auto", "demo", "pro"] = _field(
        "COINGECKO_PLAN", "auto", N_("plan of the CoinGecko key: auto, demo or pro")
    )
    base_home: FilePath = _field("COLLECTOR_HOME", "data", N_("folder of everything that is written"))
    database_path: DatabasePath | None = _field(
        "COLLECTOR_DATABASE", None, N_("the DuckDB file; unset: console.duckdb in the home")
    )
    demo: bool = _field("COLLECTOR_DEMO", False, N_("1: demo data in a store of its own"))
    bind: str = _field("COLLECTOR_BIND", "127.0.0.1", N_("address that the console listens on"))
    port: int = Field(
        default=8501, ge=1, le=65535, validation_alias="COLLECTOR_PORT", description=N_("port of the console")
    )
    allowed_hosts: str = _field(
        "COLLECTOR_ALLOWED_HOSTS", "", N_("further host names under which the console may be asked")
    )
    api_token: Key | None = Field(
        default=None,
        validation_alias="COLLECTOR_API_TOKEN",
        description=N_("token that every POST to the API needs; unset: none"),
        repr=False,
    )
    timezone: Annotated[str, AfterValidator(_timezone)] = _field(
        "COLLECTOR_TIMEZONE", "Asia/Seoul", N_("time zone of display and schedule; storage is UTC")
    )
    schedule: Annotated[str, AfterValidator(_schedule)] = _field(
        "COLLECTOR_SCHEDULE", "06:00 liquidity crypto; 06:30 news", N_("times and pipelines of every day")
    )
    lang: Literal["en", "ko"] = _field("COLLECTOR_LANG", "en", N_("language: en or ko"))
    up_color: Literal["green", "red"] = _field("COLLECTOR_UP_COLOR", "green", N_("colour of a rise"))
    deadline_s: float = Field(
        default=300,
        gt=0,
        allow_inf_nan=False,
        validation_alias="COLLECTOR_DEADLINE_S",
        description=N_("wall time of a whole run in seconds"),
    )
    request_timeout_s: float = Field(
        default=30,
        gt=0,
        allow_inf_nan=False,
        validation_alias="COLLECTOR_REQUEST_TIMEOUT_S",
        description=N_("wall time of one request, its retries included, in seconds"),
    )
    pace_s: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        validation_alias="COLLECTOR_PACE_S",
        description=N_("pause between requests to a host in seconds; unset: each upstream's own"),
    )
    coingecko_url: Url = _field(
        "COLLECTOR_COINGECKO_URL", "https://api.coingecko.com/api/v3", N_("base address of CoinGecko")
    )
    defillama_url: Url = _field(
        "COLLECTOR_DEFILLAMA_URL", "https://api.llama.fi", N_("base address of DefiLlama")
    )
    fear_greed_url: Url = _field(
        "COLLECTOR_FEAR_GREED_URL", "https://api.alternative.me", N_("base address of Fear & Greed")
    )

    fred_url: Url = _field(
        "COLLECTOR_FRED_URL", "https://api.stlouisfed.org/fred", N_("base address of FRED")
    )
    yahoo_url: Url = _field(
        "COLLECTOR_YAHOO_URL", "https://query2.finance.yahoo.com", N_("base address of Yahoo Finance")
    )
    ofr_url: Url = _field(
        "COLLECTOR_OFR_URL",
        "https://www.financialresearch.gov/financial-stress-index/data/fsi.csv",
        N_("address of the OFR Financial Stress Index"),
    )
    fed_feeds: Feeds = _field(
        "COLLECTOR_FED_FEEDS",
        "speeches=https://www.federalreserve.gov/feeds/speeches.xml",
        N_("feeds of Federal Reserve speeches"),
    )
    stress_feeds: Feeds = _field("COLLECTOR_STRESS_FEEDS", STRESS_FEEDS, N_("feeds of market headlines"))
    news_feeds: Feeds = _field("COLLECTOR_NEWS_FEEDS", NEWS_FEEDS, N_("feeds of the news page and the brief"))

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, data: Any) -> Any:
        # White space around a value is a slip of the hand, except inside a key, where it is refused.
        if isinstance(data, dict):
            cleaned = {k: v.strip(" \t\r\n") if isinstance(v, str) else v for k, v in data.items()}
            return {k: v for k, v in cleaned.items() if v != ""}
        return data

    @model_validator(mode="after")
    def _loopback_only(self) -> "Settings":
        try:
            safe = self.bind == "localhost" or ip_address(self.bind).is_loopback
        except ValueError:
            safe = False
        if not safe:
            raise ValueError("COLLECTOR_BIND")
        return self

    @cached_property
    def home(self) -> Path:
        """Where everything is written: the demo has a home of its own inside the home."""
        return self.base_home / "demo" if self.demo else self.base_home

    @cached_property
    def database(self) -> Path:
        """The store. COLLECTOR_DATABASE names the real one: a demo never writes there."""
        chosen = self.database_path if self.database_path and not self.demo else self.home / "console.duckdb"
        # One canonical path, so that a symlink or a relative name cannot lead to a second lock.
        return chosen.resolve()

    @cached_property
    def zone(self) -> ZoneInfo:
        """Time zone of display and schedule."""
        return ZoneInfo(self.timezone)

    @cached_property
    def slots(self) -> Schedule:
        """The schedule, parsed and in order of time."""
        return parse_schedule(self.schedule)

    def secret(self, name: str) -> str | None:
        """The value of a key by its name in the environment."""
        return {"COINGECKO_API_KEY": self.coingecko_api_key, "FRED_API_KEY": self.fred_api_key}.get(name)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that may appear in no output."""
        return tuple(filter(None, (self.coingecko_api_key, self.fred_api_key, self.api_token)))

    def redact(self, text: str) -> str:
        """`text` without any secret."""
        for value in self.secrets:
            text = text.replace(value, "***")
        return text

    def redact_bytes(self, content: bytes) -> bytes:
        """`content` without any secret."""
        for value in self.secrets:
            content = content.replace(value.encode(), b"***")
        return content


ALLOWED = {
    "COINGECKO_PLAN": N_("auto, demo or pro"),
    "COLLECTOR_DEMO": N_("0 or 1"),
    "COLLECTOR_BIND": N_("127.0.0.1, ::1 or localhost; the pages have no login, so no other address is safe"),
    "COLLECTOR_PORT": N_("a number from 1 to 65535"),
    "COLLECTOR_TIMEZONE": N_("a time zone such as Asia/Seoul"),
    "COLLECTOR_SCHEDULE": N_("times and pipelines such as 06:00 liquidity crypto; 06:30 news"),
    "COLLECTOR_LANG": N_("en or ko"),
    "COLLECTOR_UP_COLOR": N_("green or red"),
    "COLLECTOR_DEADLINE_S": N_("a number of seconds above 0"),
    "COLLECTOR_REQUEST_TIMEOUT_S": N_("a number of seconds above 0"),
    "COLLECTOR_PACE_S": N_("a number of seconds, 0 or more"),
    "COINGECKO_API_KEY": N_("printable characters without spaces"),
    "COLLECTOR_COINGECKO_URL": N_("an address such as https://host/path"),
    "COLLECTOR_DEFILLAMA_URL": N_("an address such as https://host/path"),
    "COLLECTOR_FEAR_GREED_URL": N_("an address such as https://host/path"),
    "FRED_API_KEY": N_("printable characters without spaces"),
    "COLLECTOR_API_TOKEN": N_("printable characters without spaces"),
    "COLLECTOR_FRED_URL": N_("an address such as https://host/path"),
    "COLLECTOR_YAHOO_URL": N_("an address such as https://host/path"),
    "COLLECTOR_OFR_URL": N_("an address such as https://host/path"),
    "COLLECTOR_FED_FEEDS": N_("name=address pairs separated by spaces"),
    "COLLECTOR_STRESS_FEEDS": N_("name=address pairs separated by spaces"),
    "COLLECTOR_NEWS_FEEDS": N_("name=address pairs separated by spaces"),
    "COLLECTOR_HOME": N_("a folder that can be written"),
    "COLLECTOR_DATABASE": N_("a file path in a folder that can be written"),
}


def unusable(name: str, allowed: str | None = None) -> str:
    """What a person is told of a setting that cannot be used."""
    text = _("{name} is not usable. Allowed: {allowed}.")
    return text.format(name=name, allowed=_(allowed or ALLOWED.get(name, "")))


def load(**overrides: object) -> Settings:
    """The settings of this process. `overrides` are by environment name (`COLLECTOR_DEMO=True`).

    Raises BadSetting naming the first setting that does not parse and what is allowed.
    """
    if overrides.get("COLLECTOR_DEMO"):
        os.environ["COLLECTOR_DEMO"] = "1"
    given = _given()
    held = None if overrides else _loaded.get(given)
    if held is not None:
        texts.set_default(held.lang)
        return held
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "COLLECTOR_BIND"
        raise BadSetting(unusable(name)) from None
    except UnicodeDecodeError:
        raise BadSetting(unusable(".env", N_("a text file in UTF-8"))) from None
    texts.set_default(settings.lang)
    if "?" in str(settings.database) and os.name == "posix":
        # DuckDB takes what follows for options, and would keep its log under another name.
        name = "COLLECTOR_HOME" if settings.home in settings.database.parents else "COLLECTOR_DATABASE"
        raise BadSetting(unusable(name, N_("a path without a question mark")))
    if not overrides:
        _loaded.clear()
        _loaded[given] = settings
    return settings


# The last settings by what they were made of: every drawing of a page asks for them.
_loaded: dict[object, Settings] = {}


def _given() -> object:
    """Everything that settings are made of: our names in the environment, and the `.env` file as it is."""
    own = ("COLLECTOR_", "COINGECKO_", "FRED_")
    file = Settings.model_config.get("env_file")
    try:
        stat = os.stat(str(file)) if file else None
    except OSError:
        stat = None
    seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino) if stat else None
    return (
        tuple(sorted((name, value) for name, value in os.environ.items() if name.upper().startswith(own))),
        str(file),
        seen,
    )
