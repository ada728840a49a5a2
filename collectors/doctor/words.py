"""Figures as the doctor says them."""

from storage.texts import figure, ngettext


def size(count: float) -> str:
    """Bytes: "18.9 MB", "412 kB", "210 GB"."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= limit:
            scaled = count / limit
            return f"{figure(round(scaled) if scaled >= 100 else scaled)} {unit}"
    return f"{figure(round(count))} B"


def span(seconds: float) -> str:
    """ "40 seconds", "3 minutes", "2 hours", "5 days", rounded."""
    minutes, hours, days = round(seconds / 60), round(seconds / 3600), round(seconds / 86_400)
    if days >= 2:
        return ngettext("{n} day", "{n} days", days).format(n=days)
    if hours >= 2:
        return ngettext("{n} hour", "{n} hours", hours).format(n=hours)
    if minutes >= 2:
        return ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)
    return ngettext("{n} second", "{n} seconds", round(seconds)).format(n=round(seconds))


def parted(text: str) -> tuple[str, str]:
    """The messages of network, store and scheduler say first what is so and then what to do."""
    what, full_stop, to_do = text.partition(". ")
    return (what + full_stop.rstrip(), to_do)
