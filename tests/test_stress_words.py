"""Text modules: the same words from the same texts, and silence where there is too little to read."""

from datetime import UTC, date, datetime, timedelta

import pytest

from collectors.stress import headlines, speeches
from collectors.stress.business_days import business_days, freshness, is_business_day
from collectors.stress.headlines import Title
from collectors.stress.speeches import Speech, Tone

MONDAY = date(2024, 1, 8)


@pytest.mark.parametrize(
    ("title", "topics", "tone"),
    [
        ("Stocks plunge as bank run fears spread", ("bank", "rout"), 1),
        ("Repo rates spike, liquidity dries up", ("funding",), 1),
        ("Fed eases funding fears", (), 1),
        ("Big lenders pass the stress test", (), 1),
        ("Phone maker unveils phone", (), 0),
        ("Repose and reporters", (), 0),
        ("회사채 시장 자금경색 우려 확산", ("funding", "credit"), 1),
        ("회사채 시장 자금경색 완화", (), 1),
        ("국채금리 하락에 채권시장 안도", ("treasury",), 0),
        ("증시 반등, 변동성 진정", (), -1),
    ],
)
def test_titles_are_read(title: str, topics: tuple[str, ...], tone: int) -> None:
    found = headlines.tone(title)
    assert (headlines.topics(title), (found > 0) - (found < 0)) == (topics, tone)


def title(n: int, feed: str, text: str, day: date = MONDAY) -> Title:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=n)
    return Title(f"{feed}{n}", feed, at, day, text)


def test_a_story_counts_once_whoever_tells_it_again() -> None:
    told = [
        title(2, "b", "Bank shares fall after deposit outflows at a regional lender"),
        title(1, "a", "Bank shares fall after deposit outflows at a regional lender!"),
        title(3, "c", "Something else entirely happened today"),
    ]
    assert [one.id for one in headlines.one_a_story(told)] == ["a1", "c3"]


def test_a_feeds_share_is_of_all_its_titles() -> None:
    texts = ["Repo market stress spikes", "Liquidity improves, stocks gain", "Phone", "Car"]
    assert headlines.share([title(n, "a", text) for n, text in enumerate(texts)]) == 0.25


def day_of_titles(day: date, bad: int, feeds: int = 3, each: int = 11) -> list[Title]:
    found = []
    for feed in range(feeds):
        for n in range(each):
            what = "Liquidity crunch worsens" if n < bad else "Shop opens"
            own = f"{what} {'abcdefghijklmnop'[n]}{feed} {'x' * (n + 1)} yy{feed}{n}"
            found.append(title(n, f"feed{feed}", own, day))
    return found


def test_news_wait_for_a_past_and_for_enough_titles_and_rise_with_stress() -> None:
    days = [MONDAY + timedelta(n) for n in range(30)]
    titles = [one for n, day in enumerate(days[:-1]) for one in day_of_titles(day, n % 3)]
    found = dict(headlines.stress([*titles, *day_of_titles(days[-1], 9)]))
    values = [found[day] for day in days]
    assert values[:19] == [None] * 19 and values[19] is not None
    assert values[-1] is not None and values[-1] > 3
    few = dict(headlines.stress([*titles, *day_of_titles(days[-1], 9, feeds=2)]))
    assert few[days[-1]] is None
    short = dict(headlines.stress([*titles, *day_of_titles(days[-1], 9, each=9)]))
    assert short[days[-1]] is None
    assert headlines.stress(reversed(titles)) == headlines.stress(titles)


def test_a_speech_is_counted_in_words() -> None:
    found = speeches.read(
        MONDAY, "Vulnerabilities and risks remain; the system is resilient. In 2024, 5 per cent."
    )
    assert found is not None
    assert found.tone == Tone(11, pytest.approx(100 * (2 - 1) / 11))
    assert speeches.read(MONDAY, "2024 – 17 %") is None


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("We may need to raise rates.", 1.0),
        ("We do not expect to raise rates.", -1.0),
        ("It is not that we all expect to raise rates.", 1.0),
        ("We will not soon raise rates.", -1.0),
        ("We will not wait, we raise rates.", 1.0),
        ("Raising now, cutting later.", 0.0),
        ("The weather is fine.", None),
    ],
)
def test_stance_turns_round_within_three_words_of_a_negation(text: str, stance: float | None) -> None:
    assert speeches.stance(text) == stance


def test_concern_fades_by_half_in_ten_days_and_falls_silent() -> None:
    old = [Speech(MONDAY - timedelta(400), Tone(10, 0.0), None)] * 59
    two = [Speech(MONDAY, Tone(100, 0.0), None), Speech(MONDAY + timedelta(10), Tone(100, 3.0), None)]
    days = [MONDAY + timedelta(n) for n in (0, 10, 31, 32)]
    found = dict(speeches.concern([*old, *two], days))
    # Weights 1/2 and 1 of the same number of words; what is 400 days old is nothing.
    assert found[days[1]] == pytest.approx(2.0)
    assert found[days[2]] == found[days[1]] and found[days[3]] is None
    assert speeches.concern([*old[:58], *two], days)[1][1] == pytest.approx(2.0)
    assert speeches.concern([*old[:57], *two], days)[1][1] is None


def test_the_exchange_and_the_fed_keep_different_days() -> None:
    good_friday, veterans, columbus = date(2024, 3, 29), date(2024, 11, 11), date(2024, 10, 14)
    assert [is_business_day("nyse", day) for day in (good_friday, veterans, columbus)] == [False, True, True]
    assert [is_business_day("fed", day) for day in (good_friday, veterans, columbus)] == [True, False, False]
    # Saturday 4 July 2026: the Fed works on Friday, the exchange does not.
    assert is_business_day("fed", date(2026, 7, 3)) and not is_business_day("nyse", date(2026, 7, 3))
    # Sunday 19 June 2022: both keep Monday.
    assert not is_business_day("fed", date(2022, 6, 20)) and not is_business_day("nyse", date(2022, 6, 20))


def test_freshness_counts_business_days_of_the_publisher() -> None:
    thursday = date(2024, 11, 7)
    assert business_days("fed", thursday, date(2024, 11, 13)) == 3
    assert business_days("nyse", thursday, date(2024, 11, 13)) == 4
    assert freshness("fred.DGS10", thursday, date(2024, 11, 13)) == "fresh"
    assert freshness("yahoo.SPY.adjusted", thursday, date(2024, 11, 13)) == "tolerated"
    assert freshness("yahoo.SPY.adjusted", thursday, date(2024, 11, 15)) == "dropped"
    assert freshness("fred.DGS10", thursday, date(2030, 1, 1)) == "dropped"
    assert freshness("fred.WALCL", thursday, date(2024, 11, 17), "weekly") == "fresh"
    assert freshness("fred.WALCL", thursday, date(2024, 11, 18), "weekly") == "dropped"
