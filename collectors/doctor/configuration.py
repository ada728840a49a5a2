"""The settings: which are not at their default, and which keys are set. A key's value is never told."""

from pathlib import Path
from typing import Any

from collectors.doctor.case import Case
from collectors.doctor.finding import Finding, ok, warn
from collectors.registry import SOURCES
from storage.settings import ROOT, Settings
from storage.texts import N_, _, ngettext

FRED = "FRED_API_KEY"
SECRETS = (FRED, "COINGECKO_API_KEY", "COLLECTOR_API_TOKEN")
_FREE_KEY = "https://fredaccount.stlouisfed.org/apikeys"


def env_file() -> Path | None:
    """The `.env` that is read; None where there is none."""
    named: Any = Settings.model_config.get("env_file")
    return Path(named) if named and Path(named).is_file() else None


def changed(settings: Settings) -> list[str]:
    """Names of the settings that are not at their default, in the order of the table of settings."""
    return [
        str(field.validation_alias)
        for name, field in Settings.model_fields.items()
        if not _same(getattr(settings, name), field.default)
    ]


def _same(value: object, default: object) -> bool:
    return value == (ROOT / str(default) if isinstance(value, Path) and default is not None else default)


def settings(case: Case) -> Finding:
    """What was changed, and whether a `.env` is there."""
    names = [name for name in changed(case.settings) if name not in SECRETS]
    found = _("All at their default.")
    if names:
        text = ngettext("{n} not at its default: {names}.", "{n} not at their default: {names}.", len(names))
        found = text.format(n=len(names), names=", ".join(names))
    file = env_file()
    beside = _("{file} is read.").format(file=file.name) if file else _("There is no .env.")
    return ok("settings", f"{found} {beside}")


def is_set(settings: Settings, name: str) -> bool:
    """Whether a secret is set."""
    return bool(settings.api_token if name == "COLLECTOR_API_TOKEN" else settings.secret(name))


def keys(case: Case) -> Finding:
    """Each secret set or not; without FRED's the index lacks most of its inputs."""
    words = {True: N_("{name} is set"), False: N_("{name} is not set")}
    listed = "; ".join(_(words[is_set(case.settings, name)]).format(name=name) for name in SECRETS)
    if case.settings.demo or is_set(case.settings, FRED):
        return ok("keys", f"{listed}.")
    lost = [source for source in SOURCES.values() if source.needs_key and source.upstream.key == FRED]
    text = ngettext(
        "{listed}. {n} series of FRED is skipped, and the stress index does without it.",
        "{listed}. {n} series of FRED are skipped, and the stress index does without them.",
        len(lost),
    )
    advice = _("Get a free key at {url} and write FRED_API_KEY=… into .env.").format(url=_FREE_KEY)
    return warn("keys", text.format(listed=listed, n=len(lost)), advice)
