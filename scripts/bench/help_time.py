"""How long `collect.py --help` takes beside `python -c pass`: at most 3 times as long, in both languages."""

import sys
from argparse import Namespace

from _measure import arguments, at_most, by_turns, child, ended, environment

from storage.texts import LANGUAGES, _

BOUND = 3.0


def bounds(given: Namespace) -> list[bool]:
    held = []
    for language in LANGUAGES:
        env = environment(COLLECTOR_LANG=language)
        pairs = by_turns(
            given.pairs,
            lambda env=env: child(["collect.py", "--help"], env),
            lambda env=env: child(["-c", "pass"], env),
        )
        print(pairs.line("collect.py --help", "python -c pass"))
        held.append(at_most(_("--help, {language}").format(language=language), pairs.ratio, BOUND))
    return held


if __name__ == "__main__":
    sys.exit(ended(bounds, arguments(__doc__ or "", pairs=41)))
