"""What the command line prints: figures as either language writes them."""

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from storage import texts
from tests import child


@pytest.mark.parametrize("language", ["en", "ko"])
@given(value=st.integers(0, 10**12))
def test_a_count_is_written_as_babel_writes_it(language: str, value: int) -> None:
    assert texts.figure(value) == format_decimal(value, locale=language)


@pytest.mark.parametrize("language", ["en", "ko"])
@given(value=st.floats(0, 1e9))
def test_a_tenth_is_written_as_babel_writes_it(language: str, value: float) -> None:
    assert texts.figure(value) == format_decimal(round(value, 1), locale=language)


def test_what_most_runs_do_without_is_not_loaded_by_all() -> None:
    """Each took a run a tenth of its time: the demo market, the brief of the news, Babel, NumPy, pandas."""
    words = (
        "import sys; sys.modules.setdefault('pandas', None); from collectors import console_lines, pipeline;"
        "print(*sys.modules)"
    )
    done = child.ended(child.python(words))
    loaded = set(done.out.split())
    assert done.code == 0 and "collectors.pipeline" in loaded, done.err
    without = {
        "babel",
        "numpy",
        "collectors.sources.demo",
        "collectors.brief_step",
        "collectors.schedule.state",
    }
    assert loaded & without == set()
