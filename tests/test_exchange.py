"""Won for a dollar: which rate serves which day, and what money in won is and says."""

import io
from typing import Any

import pandas as pd
import pytest

from pages._view import currency, formats, tables
from pages._view.currency import USD, Currency
from storage import exchange
from storage.texts import speaking

YAHOO, FRED = "yahoo.KRW=X", "fred.DEXKOUS"


@pytest.fixture(autouse=True)
def english() -> Any:
    with speaking("en"):
        yield


def rates(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Rows as the store gives them: by day and series."""
    frame = pd.DataFrame(sorted((day, series, value) for series, day, value in rows))
    frame = frame.set_axis(["date", "series", "value"], axis=1)
    return frame.assign(date=pd.to_datetime(frame["date"]), provisional=False)


BOTH = rates(
    (FRED, "2026-11-13", 1400.0),
    (YAHOO, "2026-11-13", 1401.0),
    (YAHOO, "2026-11-16", 1410.0),
    (FRED, "2026-11-17", 1420.0),
    (YAHOO, "2026-11-27", 1384.2),
)
WON = currency.of(BOTH, "KRW")


def of_day(day: str) -> tuple[Any, ...]:
    found = exchange.of_days(exchange.best(BOTH), pd.DatetimeIndex([day])).iloc[0]
    return tuple(None if pd.isna(value) else value for value in found)


@pytest.mark.parametrize(
    ("day", "value", "of", "series"),
    [
        # Both have that day: Yahoo's.
        ("2026-11-13", 1401.0, "2026-11-13", YAHOO),
        # A weekend has the rate of its Friday.
        ("2026-11-15", 1401.0, "2026-11-13", YAHOO),
        # FRED's where Yahoo has none as new.
        ("2026-11-17", 1420.0, "2026-11-17", FRED),
        # A week it serves, and no day longer.
        ("2026-11-24", 1420.0, "2026-11-17", FRED),
        ("2026-12-04", 1384.2, "2026-11-27", YAHOO),
    ],
)
def test_a_day_has_the_newest_rate_up_to_it(day: str, value: float, of: str, series: str) -> None:
    assert of_day(day) == (value, pd.Timestamp(of), series)


@pytest.mark.parametrize("day", ["2026-11-12", "2026-11-25", "2026-11-26", "2026-12-05"])
def test_before_the_first_rate_and_after_a_week_without_one_there_is_none(day: str) -> None:
    assert of_day(day) == (None, None, None)


def test_rates_alone_are_those_of_the_days() -> None:
    days = pd.date_range("2026-11-10", "2026-12-08")
    one = exchange.of_days(exchange.best(BOTH), days)[exchange.RATE].astype(float)
    other = pd.Series(exchange.values_of_days(exchange.best(BOTH), days))
    pd.testing.assert_series_equal(one, other, check_names=False)


def prices() -> pd.DataFrame:
    days = pd.to_datetime(["2026-11-12", "2026-11-13", "2026-11-29"])
    return pd.DataFrame({"coin": "bitcoin", "date": days, "price": [100.0, 100.0, 200.0], "change_24h": 1.0})


def test_the_past_is_at_its_own_rates_and_the_present_at_the_newest() -> None:
    past = WON.past(prices(), "price")
    assert past["price"].isna().tolist() == [True, False, False]
    assert past["price"].tolist()[1:] == [100 * 1401.0, 200 * 1384.2]
    assert WON.now(prices(), "price")["price"].tolist() == [100 * 1384.2, 100 * 1384.2, 200 * 1384.2]
    assert WON.worth(100) == 100 * 1384.2 and WON.worth(100, pd.Timestamp("2026-11-15")) == 100 * 1401.0
    assert past["change_24h"].tolist() == [1.0, 1.0, 1.0]


def test_days_keep_their_days_and_those_without_a_rate_are_holes() -> None:
    by_day = prices().set_index("date")["price"]
    found = WON.days(by_day)
    assert found.index.equals(by_day.index)
    assert found.isna().tolist() == [True, False, False] and found.iloc[2] == 200 * 1384.2


def test_usd_is_what_is_stored_and_says_nothing_of_rates() -> None:
    frame = prices()
    assert USD.now(frame, "price") is frame and USD.past(frame, "price") is frame
    assert currency.told(frame.iloc[0]) == "" and currency.named(frame) is frame
    assert USD.show(97412.3) == "$97,412" and USD.worth(3.0) == 3.0


def test_without_a_rate_or_for_another_currency_it_is_usd() -> None:
    assert currency.of(BOTH.head(0), "KRW") is USD
    assert currency.of(BOTH, "EUR") is USD and currency.of(BOTH, "USD") is USD
    assert WON.past(prices().head(0), "price").empty and WON.now(prices().head(0), "price").empty


def test_every_row_says_its_rate_with_day_and_source() -> None:
    past = WON.past(prices(), "price")
    assert currency.told(past.iloc[0]) == "no exchange rate of that day"
    assert currency.told(past.iloc[1]) == "at ₩1,401.00 for $1, KRW=X (Yahoo) of 13 Nov"
    noon = currency.of(BOTH[BOTH["series"] == FRED], "KRW").past(prices(), "price")
    assert currency.told(noon.iloc[1]) == "at ₩1,400.00 for $1, DEXKOUS (FRED) of 13 Nov"


def test_the_line_beside_the_switch_is_of_the_newest_rate() -> None:
    assert currency.as_of(BOTH) == "₩1,384.20 for $1 · KRW=X (Yahoo), 27 Nov"
    assert currency.as_of(BOTH.head(2)).endswith("KRW=X (Yahoo), 13 Nov")
    live = BOTH.assign(provisional=BOTH["date"] == BOTH["date"].max())
    assert currency.as_of(live).endswith("27 Nov, provisional")
    assert not currency.is_old(BOTH, pd.Timestamp("2026-12-04"))
    assert currency.is_old(BOTH, pd.Timestamp("2026-12-05"))


def test_a_chart_says_how_many_days_have_no_rate() -> None:
    assert WON.unit(WON.past(prices().tail(2), "price")) == "KRW, each day at its own rate"
    said = WON.unit(WON.past(prices(), "price"))
    assert said == "KRW, each day at its own rate, 1 day without a rate left out"


def test_a_file_names_won_in_its_columns_and_holds_the_rate() -> None:
    frame = WON.past(prices(), "price")
    found = pd.read_csv(io.BytesIO(tables.csv(currency.named(frame))))
    assert "price" not in found and found["price_krw"].tolist()[1:] == [140100.0, 276840.0]
    assert found["krw_per_usd"].tolist()[1:] == [1401.0, 1384.2]
    assert found["krw_per_usd_series"].tolist()[1:] == [YAHOO, YAHOO]
    assert found["krw_per_usd_date"].tolist()[1:] == ["2026-11-13", "2026-11-27"]


@pytest.mark.parametrize(
    ("amount", "english", "korean"),
    [
        (134_874_512.3, "₩134,874,512", "₩134,874,512"),
        (4_831_035, "₩4,831,035", "₩4,831,035"),
        (1384.2, "₩1,384", "₩1,384"),
        (0.01385, "₩0.01385", "₩0.01385"),
        (845.5e9, "₩846 bn", "₩8,455억"),
        (1.234e12, "₩1.23 tn", "₩1.23조"),
        (4.659e15, "₩4,659 tn", "₩4,659조"),
        (-2.5e9, "−₩2.50 bn", "−₩25억"),
        (float("nan"), "–", "–"),
    ],
)
def test_large_amounts_of_won_are_read_in_the_words_of_the_language(
    amount: float, english: str, korean: str
) -> None:
    assert WON.show(amount).replace("\u00a0", " ") == english
    with speaking("ko"):
        assert WON.show(amount) == korean


def test_a_label_and_an_axis_of_won_are_short() -> None:
    assert WON.label(134_874_512).replace("\u00a0", " ") == "₩135 m"
    axis = formats.axis([120e6, 140e6], "money", "₩")
    assert [text.replace("\u00a0", " ") for text in axis] == ["₩120 m", "₩140 m"]
    with speaking("ko"):
        assert WON.label(134_874_512) == "₩1.35억"
        assert formats.axis([120e6, 140e6], "money", "₩") == ["₩1.2억", "₩1.4억"]


def test_a_currency_holds_the_rates_it_was_made_of() -> None:
    assert isinstance(WON, Currency) and WON.rates is not None
    assert WON.rates["date"].is_unique and WON.rates["date"].is_monotonic_increasing
