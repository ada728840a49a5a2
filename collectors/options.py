"""What the command line's options take; it imports nothing, so that `--help` answers at once."""


def seconds(text: str) -> float:
    """A wait. Raises ValueError for what is none: negative, not finite, longer than eleven days."""
    value = float(text)
    if not 0 <= value < 1e6:
        raise ValueError(text)
    return value
