"""USD or KRW on the Overview and the crypto page, over a real demo store with rates put into it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from storage import read
from storage.settings import ROOT

# A thousand won for every day of the record: what is shown in won is a thousandfold.
EVERY_DAY = (
    "INSERT INTO observation (series, date, value, source, run_id, observed_at, provisional)"
    " SELECT DISTINCT 'yahoo.KRW=X', date, 1000.0, 'DEMO', 'run-1', now(), false FROM crypto_price"
)
NOBODY = "DELETE FROM observation WHERE series IN ('yahoo.KRW=X', 'fred.DEXKOUS')"
NEWEST = "(SELECT max(date) FROM crypto_price)"
Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo store with crypto alone, collected once and only ever copied."""
    folder = tmp_path_factory.mktemp("market")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COLLECTOR_")}
    command = [sys.executable, str(ROOT / "collect.py"), "crypto", "--demo"]
    subprocess.run(
        command,
        env={**environment, "COLLECTOR_HOME": str(folder)},
        check=True,
        capture_output=True,
        timeout=100,
    )
    return folder


@pytest.fixture
def page(home: Path, market: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the console on a page of it over a copy of the store in which `sql` was done first."""
    monkeypatch.setattr(read, "_kept", {})

    def opened(name: str = "overview.py", *sql: str, **query: str) -> AppTest:
        shutil.copytree(market, home, dirs_exist_ok=True)
        os.environ["COLLECTOR_DEMO"] = "1"
        with duckdb.connect(str(home / "demo" / "console.duckdb")) as store:
            for statement in sql:
                store.execute(statement)
        app = AppTest.from_file(str(ROOT / "pages" / "_frame.py"), default_timeout=30)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        if name != "overview.py":
            app.switch_page(name).run()
        assert not app.exception
        return app

    yield opened


def said(app: AppTest) -> str:
    """Every word on the page, with what the charts say, without Markdown's backslashes."""
    parts = [str(one.value) for kind in ("markdown", "caption", "header", "html") for one in app.get(kind)]
    parts += [f"{one.label} {one.value} {one.delta} {one.proto.help}" for one in app.metric]
    parts += [one.proto.spec for one in app.get("plotly_chart")]
    return "\n".join(parts).replace("\u00a0", " ").replace("\\", "")


def address(app: AppTest) -> str | None:
    found = app.query_params.get("currency")
    return found[0] if isinstance(found, list) else found


def metric(app: AppTest, label: str) -> Any:
    return next(one for one in app.metric if one.label == label)


def amount(text: str) -> float:
    """A shown amount without its sign, in its own scale."""
    return float(re.sub(r"[^\d.]", "", text))


def test_without_a_rate_the_switch_cannot_be_pressed_and_says_what_brings_one(page: Open) -> None:
    for name in ("overview.py", "crypto.py"):
        app = page(name, NOBODY, currency="krw")
        switch = app.segmented_control(key="currency")
        assert switch.disabled and switch.value == "USD"
        assert "Won need an exchange rate: collect Liquidity once" in said(app)
        assert "₩" not in said(app) and metric(app, "DeFi TVL").value.startswith("$")


@pytest.mark.parametrize("name", ["overview.py", "crypto.py"])
def test_in_usd_the_rate_stands_beside_the_switch_and_nothing_else_is_of_it(page: Open, name: str) -> None:
    app = page(name, EVERY_DAY)
    assert app.segmented_control(key="currency").value == "USD" and address(app) is None
    assert len(re.findall("₩", said(app))) == 1 and "₩1,000.00 for $1 · KRW=X (Yahoo)," in said(app)


def test_the_overview_shows_all_its_money_in_won_and_no_percentage_moves(page: Open) -> None:
    before = page("overview.py", EVERY_DAY)
    usd = {one.label: (one.value, one.delta) for one in before.metric}
    app = before.segmented_control(key="currency").set_value("KRW").run()
    assert not app.exception and address(app) == "krw"
    bitcoin = metric(app, "Bitcoin")
    assert bitcoin.value.startswith("₩") and bitcoin.delta == usd["Bitcoin"][1]
    # "$97,412" are whole dollars: a thousandfold of them is as near as they are.
    assert amount(bitcoin.value) == pytest.approx(1000 * amount(usd["Bitcoin"][0]), abs=500)
    assert metric(app, "DeFi TVL").value == usd["DeFi TVL"][0].replace("$", "₩").replace("bn", "tn")
    assert metric(app, "DeFi TVL").delta == usd["DeFi TVL"][1]
    assert metric(app, "BTC dominance").value == usd["BTC dominance"][0]
    table = next(str(one.value) for one in app.get("html") if "Moved most" in str(one.value))
    assert "₩" in table and "$" not in re.sub(r"for \$1", "", table)
    assert "The brief is in USD" in said(app)


def test_every_hint_of_the_overview_names_rate_and_day(page: Open) -> None:
    app = page("overview.py", EVERY_DAY, currency="krw")
    for label in ("Bitcoin", "DeFi TVL"):
        assert "at ₩1,000.00 for $1, KRW=X (Yahoo) of" in metric(app, label).proto.help.replace("\\", "")
    assert "for $1" not in metric(app, "BTC dominance").proto.help.replace("\\", "")


def test_the_crypto_page_shows_all_its_money_in_won(page: Open) -> None:
    app = page("crypto.py", EVERY_DAY)
    usd = app.dataframe(key="crypto_table").value
    locked = app.dataframe[2].value
    app = app.segmented_control(key="currency").set_value("KRW").run()
    won = app.dataframe(key="crypto_table").value
    for column in ("price", "market_cap", "volume"):
        assert won[column].tolist() == pytest.approx((usd[column] * 1000).tolist())
    assert won["change_24h"].tolist() == usd["change_24h"].tolist()
    assert won["week"].iloc[0] == pytest.approx([price * 1000 for price in usd["week"].iloc[0]])
    assert app.dataframe[2].value["tvl"].tolist() == pytest.approx((locked["tvl"] * 1000).tolist())
    assert "Bitcoin is at ₩" in app.header[0].value
    assert metric(app, "Market cap of the top 20").value.startswith("₩")
    captions = "\n".join(str(one.value) for one in app.caption)
    assert "KRW at ₩1,000.00 for" in said(app) and "Price, KRW" in app.dataframe[0].value
    assert "KRW; tick rows" in captions and "KRW, each day at its own rate" in captions
    assert not re.search(r"\$(?!1\b)", said(app))


def charts(app: AppTest) -> dict[str, dict[str, Any]]:
    names = ("prices", "market", "total_tvl", "btc_dominance", "categories", "fear_greed", "fear_greed_year")
    found = [json.loads(one.proto.spec) for one in app.get("plotly_chart")]
    return dict(zip(names, found, strict=True))


def test_pointer_and_axis_of_the_charts_are_in_won_with_the_rate_of_each_day(page: Open) -> None:
    older = f"UPDATE observation SET value = 500 WHERE series = 'yahoo.KRW=X' AND date < {NEWEST} - 30"
    app = page("crypto.py", EVERY_DAY, older, currency="krw")
    drawn = charts(app)
    for name in ("prices", "total_tvl"):
        told = [text for line in drawn[name]["data"] for text in line.get("customdata", ()) if text]
        assert any("for $1" in text and "₩500.00" in text for text in told), name
        assert any("₩1,000.00" in text for text in told), name
        assert all(text.startswith("₩") for text in drawn[name]["layout"]["yaxis"]["ticktext"]), name
    assert all("₩" in text for text in drawn["market"]["data"][0]["customdata"])
    assert all(text.startswith("₩") for text in drawn["categories"]["data"][0]["text"])
    assert "₩" not in json.dumps(drawn["btc_dominance"], ensure_ascii=False)


def test_days_without_a_rate_are_holes_and_the_chart_says_how_many(page: Open) -> None:
    gone = (
        "DELETE FROM observation WHERE series = 'yahoo.KRW=X'"
        f" AND date BETWEEN {NEWEST} - 40 AND {NEWEST} - 21"
    )
    app = page("crypto.py", EVERY_DAY, gone, currency="krw")
    assert re.search(r"1[0-3] days without a rate left out", "\n".join(str(one.value) for one in app.caption))


def test_an_old_rate_serves_the_newest_figure_and_says_so(page: Open) -> None:
    old = f"DELETE FROM observation WHERE series = 'yahoo.KRW=X' AND date > {NEWEST} - 20"
    app = page("crypto.py", EVERY_DAY, old, currency="krw")
    assert "older than a week: collect Liquidity" in said(app)
    assert "Bitcoin is at ₩" in app.header[0].value


def test_the_choice_stays_on_the_way_to_another_page_and_back_to_usd_clears_the_address(page: Open) -> None:
    app = page("overview.py", EVERY_DAY, currency="krw")
    assert address(app) == "krw"
    for name in ("liquidity.py", "crypto.py"):
        app.query_params.clear()
        app = app.switch_page(name).run()
    assert app.segmented_control(key="currency").value == "KRW" and address(app) == "krw"
    app = app.segmented_control(key="currency").set_value("USD").run()
    assert address(app) is None and "Bitcoin is at \\$" in app.header[0].value
    app = app.switch_page("overview.py").run()
    assert app.segmented_control(key="currency").value == "USD" and not app.exception


@pytest.mark.parametrize("asked", ["", "eur", "<script>", "KRW;"])
def test_rubbish_in_the_address_is_usd(page: Open, asked: str) -> None:
    app = page("overview.py", EVERY_DAY, currency=asked)
    assert app.segmented_control(key="currency").value == "USD" and address(app) is None


def test_since_the_last_visit_is_told_in_won_at_the_rates_of_its_days() -> None:
    import pandas as pd

    from pages._view import currency, since
    from storage.texts import speaking

    days = pd.to_datetime(["2026-11-20", "2026-11-27"])
    rates = pd.DataFrame({"date": days, "series": "yahoo.KRW=X", "value": [1400.0, 1500.0]})
    won = currency.of(rates.assign(provisional=False), "KRW")
    then = {"bitcoin": {"value": 100.0, "day": "2026-11-21"}, "tvl": {"value": 5.0, "day": "2026-11-21"}}
    now = {"bitcoin": {"value": 110.0, "day": "2026-11-27"}, "tvl": {"value": 5.0, "day": "2026-11-27"}}
    with speaking("en"):
        (line,) = since.lines(then, now, "green", won)
        (first,) = since.lines({"seen": 1}, {"bitcoin": now["bitcoin"]}, "green", won)
    # What did not move in USD is no news, whatever the won did; what did is compared as it is shown.
    assert "₩140,000 → ₩165,000" in line and "▲ \\+17\\.9" in line
    dearer = currency.of(rates.assign(provisional=False, value=[1500.0, 1400.0]), "KRW")
    up = {"bitcoin": {"value": 102.0, "day": "2026-11-27"}}
    (down,) = since.lines(then, up, "green", dearer)
    assert "₩150,000 → ₩142,800" in down and ":red[▼ " in down
    assert "₩165,000, not seen before" in first
