"""The crypto page as Streamlit draws it, over a real demo store and over stores with parts missing."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from pages._view import crypto_choice
from storage import ledger, read
from storage.db import StoreBusy

ROOT = Path(__file__).resolve().parents[1]
Open = Callable[..., AppTest]


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo store with a year of history, collected once and only ever copied."""
    folder = tmp_path_factory.mktemp("demo_home")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COLLECTOR_")}
    command = [sys.executable, str(ROOT / "collect.py"), "crypto", "--demo"]
    environment["COLLECTOR_HOME"] = str(folder)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def page(home: Path, demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the page over a copy of the demo store in which `sql` was done first."""
    monkeypatch.setattr(read, "_kept", {})

    def opened(*sql: str, **query: str) -> AppTest:
        shutil.copytree(demo_home, home, dirs_exist_ok=True)
        os.environ["COLLECTOR_DEMO"] = "1"
        with duckdb.connect(str(home / "demo" / "console.duckdb")) as store:
            for statement in sql:
                store.execute(statement)
        app = AppTest.from_file(str(ROOT / "pages" / "crypto.py"), default_timeout=30)
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    yield opened


def words(app: AppTest) -> str:
    """Everything that is written on the page, and what the charts say."""
    parts = [str(one.value) for kind in (app.header, app.caption, app.markdown, app.info) for one in kind]
    parts += [f"{one.label} {one.value} {one.delta}" for one in app.metric]
    return "\n".join(parts)


def specs(app: AppTest) -> dict[str, str]:
    """The charts by their place: price, market, TVL, dominance, categories, Fear & Greed, its year."""
    names = ("prices", "market", "total_tvl", "btc_dominance", "categories", "fear_greed", "fear_greed_year")
    found = [one.proto.spec for one in app.get("plotly_chart")]
    return dict(zip(names[-len(found) :], found, strict=True))


def test_the_page_says_the_day_in_one_sentence_with_source_and_finality(page: Open) -> None:
    app = page()
    said = words(app)
    assert app.header[0].value.startswith("The top 20 coins")
    assert "Bitcoin is at" in said and "the mood is" in said
    assert "UTC, provisional" in said
    for link in ("https://www.coingecko.com", "https://defillama.com", "https://alternative.me/crypto"):
        assert f"]({link}" in said
    assert len(app.metric) == 4
    assert len(specs(app)) == 7
    assert not app.exception


def test_the_table_holds_twenty_coins_by_rank_with_a_week_each(page: Open) -> None:
    app = page()
    table = app.dataframe(key="crypto_table").value
    assert table["rank"].tolist() == list(range(1, 21))
    assert "BTC" in table["coin"].iloc[0]
    assert 3 <= len(table["week"].iloc[0]) <= 8
    assert not app.exception


def test_the_address_chooses_coins_range_and_scale(page: Open) -> None:
    app = page(coins="bitcoin,ethereum", range="1Y", log="1")
    assert app.multiselect[0].value == ["bitcoin", "ethereum"]
    assert app.segmented_control(key="crypto_range").value == "1Y"
    assert app.toggle(key="crypto_log").value is True
    assert '"type":"log"' in specs(app)["prices"]
    assert app.query_params.get("coins") in ("bitcoin,ethereum", ["bitcoin,ethereum"])
    assert not app.exception


@pytest.mark.parametrize(
    "query",
    [
        {"coins": "<script>,nobody,,", "range": "8Y", "log": "yes", "rebased": "\x00"},
        {"coins": ",".join(f"c{n}" for n in range(500))},
        {"range": "", "coins": ""},
        {"coins": "bitcoin,bitcoin,BITCOIN"},
    ],
)
def test_rubbish_in_the_address_is_the_default(page: Open, query: dict[str, str]) -> None:
    app = page(**query)
    assert app.multiselect[0].value == ["bitcoin"]
    assert app.segmented_control(key="crypto_range").value == "90D"
    assert "crypto_log" in app.session_state and app.session_state["crypto_log"] is False
    assert not app.query_params
    assert not app.exception


def test_a_choice_is_written_into_the_address(page: Open) -> None:
    app = page()
    app.segmented_control(key="crypto_range").set_value("30D").run()
    app.multiselect[0].set_value(["solana", "bitcoin"]).run()
    app.toggle(key="crypto_rebased").set_value(True).run()
    said = {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}
    assert said == {"range": "30D", "coins": "solana,bitcoin", "rebased": "1"}
    assert "first shared day" in words(app)
    assert not app.exception


def pick(app: AppTest, *coins: str) -> AppTest:
    """Chooses by the coins' box."""
    return app.multiselect[0].set_value(list(coins)).run()


def ticked(app: AppTest) -> list[int]:
    return sorted(app.session_state["crypto_table"]["selection"]["rows"])


@pytest.mark.parametrize(
    ("before", "rows", "after"),
    [
        (["a"], [0, 3], ["a", "d"]),
        (["d", "b"], [0, 1, 3], ["d", "b", "a"]),
        (["a", "d"], [3], ["d"]),
        (["unlisted", "a"], [], ["unlisted"]),
        (["a"], [], ["bitcoin"]),
        (["a"], [99], ["bitcoin"]),
        (list("abcdefgh"), list(range(10)), list("abcdefgh")),
    ],
)
def test_a_tick_adds_its_coin_and_takes_it_away(
    monkeypatch: pytest.MonkeyPatch, before: list[str], rows: list[int], after: list[str]
) -> None:
    said: list[str] = []
    state: dict[str, Any] = {"crypto_coins": before, "crypto_listed": [*"abcdefghi", "bitcoin"]}
    state["crypto_table"] = {"selection": {"rows": rows}}
    streamlit = SimpleNamespace(session_state=state, toast=lambda text, icon: said.append(text))
    monkeypatch.setattr(crypto_choice, "st", streamlit)
    crypto_choice.picked()
    assert state["crypto_coins"] == after
    assert said == (["At most 8 coins fit on the chart"] if len(rows) > 8 else [])


def test_clearing_all_coins_asks_for_one_and_leaves_the_address_alone(page: Open) -> None:
    app = pick(page(coins="solana", range="7D"))
    assert "Choose a coin" in specs(app)["prices"]
    assert set(app.query_params) == {"range"}
    assert ticked(app) == []
    assert not app.exception


def test_the_ticked_rows_are_the_coins_of_the_chart_also_after_a_choice_elsewhere(page: Open) -> None:
    app = page()
    assert ticked(app) == [0]
    app = pick(app, "bitcoin", app.session_state["crypto_listed"][4])
    assert ticked(app) == [0, 4]
    assert not app.exception


def test_one_value_is_no_line_in_the_table(page: Open) -> None:
    app = page("DELETE FROM crypto_price WHERE date < (SELECT max(date) FROM crypto_price)")
    assert [list(week) for week in app.dataframe(key="crypto_table").value["week"]] == [[]] * 20
    assert not app.exception


def test_the_figure_of_all_caps_has_no_line_over_days_with_one_coin(page: Open) -> None:
    app = page(
        "DELETE FROM crypto_price WHERE coin <> 'bitcoin' AND date < (SELECT max(date) FROM crypto_price)"
    )
    assert list(app.metric[0].proto.chart_data) == []
    assert not app.exception


def test_the_chosen_coins_provenance_and_older_values_are_shown(page: Open) -> None:
    revision = (
        'INSERT INTO revision SELECT \'crypto_price\', \'{"coin":"bitcoin","date":"\' || max(date) || \'"}\','
        " now(), '{\"price\": 12345.0}', false, 'DEMO', 'older-run', now(), false FROM crypto_price"
    )
    app = page(revision)
    assert "was \\$12,345" in words(app)
    assert "↺" in app.dataframe(key="crypto_table").value["coin"].iloc[0]
    assert re.search(r"revised on [^:]+: \$12,345 ", specs(app)["prices"])
    shown = app.dataframe[1].value if "Run" in app.dataframe[1].value.columns else app.dataframe[0].value
    assert shown["Source"].tolist() == ["DEMO"]
    assert not app.exception


def test_an_empty_home_says_what_to_press(home: Path) -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "crypto.py"), default_timeout=30).run()
    assert app.header[0].value == "No crypto numbers yet"
    assert "python collect.py crypto" in app.info[0].value
    assert not app.exception


@pytest.mark.parametrize(
    ("sql", "charts"),
    [
        (("DELETE FROM protocol_tvl", "DELETE FROM observation"), 7),
        (("DELETE FROM protocol_tvl", "DELETE FROM crypto_price"), 5),
        (("DELETE FROM crypto_price", "DELETE FROM observation"), 5),
        (("DELETE FROM crypto_price WHERE date < (SELECT max(date) FROM crypto_price)",), 7),
        (("DELETE FROM crypto_price WHERE coin <> 'tether'",), 7),
        (("DELETE FROM observation WHERE date < (SELECT max(date) FROM observation)",), 7),
        (("UPDATE crypto_price SET market_cap = NULL, volume = NULL WHERE coin = 'ethereum'",), 7),
        (("UPDATE crypto_price SET change_24h = NULL, change_7d = NULL, change_30d = NULL",), 7),
        (("UPDATE crypto_price SET price = NULL, market_cap = NULL, volume = NULL, rank = NULL",), 7),
        (("UPDATE protocol_tvl SET tvl = NULL, category = NULL, change_1d = NULL",), 7),
        (("UPDATE observation SET value = NULL, note = NULL",), 7),
        (("UPDATE observation SET note = NULL",), 7),
    ],
    ids=[
        "prices only",
        "metrics only",
        "protocols only",
        "one day of prices",
        "one coin",
        "one day of metrics",
        "a coin without cap",
        "no changes",
        "no prices at all",
        "protocols without values",
        "metrics without values",
        "no labels",
    ],
)
def test_missing_parts_are_blank_and_never_nan(page: Open, sql: tuple[str, ...], charts: int) -> None:
    app = page(*sql)
    assert len(app.get("plotly_chart")) == charts
    said = words(app)
    assert not re.search(r"\b(nan|none|nat|inf)\b", said, re.IGNORECASE), said
    for spec in specs(app).values():
        assert "NaN" not in spec and ">nan" not in spec
    assert not app.exception


def test_hostile_names_stay_text(page: Open) -> None:
    app = page(
        "UPDATE crypto_price SET name = '](javascript:x) <img src=x onerror=y> $a$ %{x}' WHERE rank = 1"
    )
    for text in (*(one.value for one in app.markdown), *(one.value for one in app.header)):
        assert "](javascript" not in text.replace("\\", "\x00")
    assert "<img" not in specs(app)["prices"]
    assert not app.exception


def test_a_locked_store_serves_the_last_numbers_and_says_so(
    page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page()
    before = app.header[0].value

    def busy(*_args: object) -> read.Frames:
        raise StoreBusy("busy", "The store is in use by another program")

    monkeypatch.setattr(ledger, "merge_mark", lambda _settings: "newer")
    monkeypatch.setattr(read, "_read_frames", busy)
    app.run()
    assert app.header[0].value == before
    assert "the store cannot be read now, shown is what was read at" in words(app)
    assert not app.exception

    monkeypatch.setattr(read, "_kept", {})
    app.run()
    assert app.header[0].value == "The numbers cannot be read right now"
    assert not app.exception


def test_red_for_a_rise_colours_the_metrics_and_the_table(page: Open) -> None:
    os.environ["COLLECTOR_UP_COLOR"] = "red"
    app = page("UPDATE crypto_price SET change_24h = 5")
    from streamlit.proto.Metric_pb2 import Metric

    assert app.metric[0].proto.color == Metric.MetricColor.RED
    assert not app.exception


def test_the_page_speaks_the_language_of_the_settings(page: Open) -> None:
    os.environ["COLLECTOR_LANG"] = "ko"
    app = page()
    assert not app.exception
    # Korean counts in 만, 억 and 조 whatever the catalogue says.
    assert "조" in app.metric[0].value
