"""`collect.py quarantine [list | show | accept | drop]`: its options, and what it says."""

from __future__ import annotations

from collectors import options
from storage.texts import _, figure, ngettext

# A name that type checkers know; `quarantine --help` loads nothing that it does not need.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from collectors.quarantine.acceptance import Accepted
    from storage.quarantine import Thing
    from storage.settings import Settings

    Told = Callable[..., int]

ACTIONS = ("list", "show", "accept", "drop")
STAYS, USAGE, BUSY = 1, 2, 75
_EXAMPLES = (
    "python collect.py quarantine",
    "… quarantine show 20261123-0601",
    "… quarantine accept 20261123-0601 --row 1 3",
    "… quarantine drop --older-than 90",
)


def run(
    argv: Sequence[str],
    settings_of: Callable[[bool], Settings],
    prepare: Callable[[Settings], None],
    told: Told,
) -> int:
    """Does what was asked; gives the exit code."""
    parser = _parser()
    given = parser.parse_args(argv)
    _require(parser, given)
    settings = settings_of(given.demo)
    if given.action in ("accept", "drop"):
        prepare(settings)

    def act() -> int:
        if given.action == "list":
            return _list(settings, as_json=given.json)
        if given.action == "drop":
            return _drop(settings, parser, given)
        thing = _one(settings, parser, given.ids[0])
        return _show(settings, thing) if given.action == "show" else _accept(settings, thing, given.row)

    return told(settings, act, as_json=given.json)


def _parser() -> argparse.ArgumentParser:
    about = _("Lists what was refused, shows it, stores what is right after all, or removes it.")
    parser = options.parser(" quarantine", about, " · ".join(_EXAMPLES))
    parser.add_argument(
        "action",
        metavar="ACTION",
        nargs="?",
        default="list",
        choices=ACTIONS,
        help=_("one of: {names}").format(names=", ".join(ACTIONS)),
    )
    parser.add_argument(
        "ids", metavar="ID", nargs="*", help=_("what the list has first, or how only that begins")
    )
    parser.add_argument(
        "--row",
        type=int,
        nargs="+",
        action="extend",
        default=[],
        metavar="N",
        help=_("with accept: only the rows with these numbers"),
    )
    parser.add_argument(
        "--older-than", type=_days, metavar="DAYS", help=_("with drop: what is older than that")
    )
    parser.add_argument("--all", action="store_true", help=_("with drop: everything, also what was accepted"))
    parser.add_argument("--json", action="store_true", help=_("as one JSON object"))
    return parser


def _days(text: str) -> int:
    value = int(text)
    if not 0 <= value < 100_000:
        raise ValueError(text)
    return value


def _require(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    if given.json and given.action != "list":
        parser.error(_("--json goes with list only"))
    if given.row and given.action != "accept":
        parser.error(_("--row goes with accept only"))
    by_age = given.older_than is not None
    if (by_age or given.all) and given.action != "drop":
        parser.error(_("--older-than and --all go with drop only"))
    if given.action == "list" and given.ids:
        parser.error(_("list takes no ID"))
    if given.action in ("show", "accept") and len(given.ids) != 1:
        parser.error(_("name one ID: python collect.py quarantine lists them"))
    if given.action == "drop" and bool(given.ids) + by_age + given.all != 1:
        parser.error(_("say what: an ID, --older-than DAYS or --all"))


def _one(settings: Settings, parser: argparse.ArgumentParser, words: str) -> Thing:
    """The thing that is called so; ends with advice where there is none, or more than one."""
    from collectors.quarantine.words import harmless
    from storage import quarantine

    found = quarantine.find(settings, words)
    if len(found) != 1:
        text = (
            _("Several begin with {id}: name one in full, see python collect.py quarantine.")
            if found
            else _("Nothing in quarantine is called {id}: see python collect.py quarantine.")
        )
        parser.exit(USAGE, f"{parser.prog}: {text.format(id=settings.redact(harmless(words[:80])))}\n")
    return found[0]


def _list(settings: Settings, *, as_json: bool) -> int:
    from collectors import console_lines
    from collectors.quarantine import words
    from storage import clock, quarantine

    found = quarantine.things(settings)
    if as_json:
        every = [words.as_json(settings, thing) for thing in found]
        console_lines.put_json({"schema": 1, "generated_at": clock.stamp(clock.now()), "things": every})
        return 0
    if not found:
        console_lines.put(_("Nothing is in quarantine."))
    for thing in found:
        console_lines.put(words.line(settings, thing))
    return 0


def _show(settings: Settings, thing: Thing) -> int:
    from collectors import console_lines
    from collectors.quarantine import words

    for text in words.shown(settings, thing):
        console_lines.put(text)
    return 0


def _drop(settings: Settings, parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    import logging
    from datetime import timedelta

    from collectors import console_lines
    from collectors.quarantine.words import harmless
    from storage import clock, quarantine

    every = [*quarantine.things(settings), *quarantine.things(settings, accepted=True)]
    if given.ids:
        every = list(
            {one.path: one for one in (_one(settings, parser, words) for words in given.ids)}.values()
        )
    elif given.older_than is not None:
        before = clock.now() - timedelta(days=given.older_than)
        every = [thing for thing in every if thing.at < before]
    for thing in every:
        quarantine.drop(thing)
        logging.getLogger("collector").info("[OK] quarantine drop %s", thing.id)
        console_lines.put(_("Removed: {name}").format(name=settings.redact(harmless(thing.id))))
    if not given.ids:
        quarantine.tidy(settings)
    if not every:
        console_lines.put(_("There is nothing to do."))
    return 0


def _accept(settings: Settings, thing: Thing, numbers: Sequence[int]) -> int:
    from collectors import console_lines
    from collectors.quarantine import acceptance, words
    from storage import ledger, quarantine

    if thing.accepted:
        by = str(quarantine.about(settings, thing).get("accepted") or "?")
        text = _("It is in the store already, accepted by run {run_id}.")
        console_lines.put(text.format(run_id=words.harmless(by[:40])))
        return 0
    if numbers and thing.kind != quarantine.ROWS:
        console_lines.put(_("It has no rows to choose from: accept it without --row."))
        return USAGE
    try:
        done = acceptance.accept(settings, thing, sorted(set(numbers)))
    except ledger.Busy:
        console_lines.put(_("A run is under way: nothing was accepted. Try again when it has ended."))
        return BUSY
    except acceptance.Stays as why:
        told = _("It stays: {reason}").format(reason=why.said())
        console_lines.put(settings.redact(words.harmless(told)))
        return STAYS
    _tell(settings, done)
    return STAYS if done.stays else 0


def _tell(settings: Settings, done: Accepted) -> None:
    from collectors import console_lines
    from collectors.freshness import counts_json
    from collectors.quarantine.words import harmless

    step = done.step
    if done.merged:
        console_lines.put_replayed(done.merged)
    if step is not None and step.state == "pending":
        console_lines.put(_("Kept for the store, which is locked: the next run merges it."))
    elif step is not None:
        text = _("{source}: {counts} (run {run_id})")
        counts = console_lines.counts_text(counts_json(step.counts))
        console_lines.put(text.format(source=step.source, counts=counts, run_id=step.run_id))
        if step.counts.unchanged and not step.counts.inserted + step.counts.updated:
            console_lines.put(_("The store has these already, or has something newer: it is as it was."))
        if step.counts.rejected:
            text = ngettext(
                "{n} row of it was set aside again.",
                "{n} rows of it were set aside again.",
                step.counts.rejected,
            )
            console_lines.put(text.format(n=figure(step.counts.rejected)))
    for n, run_id in done.already.items():
        console_lines.put(
            _("row {n}: accepted already, by run {run_id}").format(n=n, run_id=harmless(run_id[:40]))
        )
    for n, why in done.stays.items():
        told = _("row {n} stays: {reason}").format(n=n, reason=why.said())
        console_lines.put(settings.redact(harmless(told)))
