"""What the command line's options take, and how its usage reads.

It loads argparse and gettext, no more, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys

from storage.texts import N_, _, teach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def seconds(text: str) -> float:
    """A wait. Raises ValueError for what is none: negative, not finite, longer than eleven days."""
    value = float(text)
    if not 0 <= value < 1e6:
        raise ValueError(text)
    return value


class Parser(argparse.ArgumentParser):
    """argparse with its words in the reader's language and its errors on one line."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {message}\n")


# What argparse says, for the catalogue.
_ARGPARSE = (
    N_("usage: "),
    N_("options"),
    N_("positional arguments"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("the following arguments are required: %s"),
    N_("unrecognized arguments: %s"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("invalid %(type)s value: %(value)r"),
    N_("expected one argument"),
)
teach(argparse)


def _width() -> int:
    """Columns of the terminal. argparse would ask shutil, which imports every compression there is."""
    try:
        return int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stdout.fileno()).columns)
    except (AttributeError, OSError, ValueError):
        return 80


def parser(prog: str, about: str, example: str) -> Parser:
    """The options that every verb has. `prog`: the verb behind a blank."""
    made = Parser(
        prog=f"collect.py{prog}",
        description=about,
        epilog=_("Example: {example}").format(example=example),
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=_width() - 2),
        add_help=False,
        allow_abbrev=False,
    )
    made.add_argument("-h", "--help", action="help", help=_("show this text and stop"))
    made.add_argument("--demo", action="store_true", help=_("use the demo market, in a store of its own"))
    return made
