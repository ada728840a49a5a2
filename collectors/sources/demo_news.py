"""The invented news of demo mode: five desks, three English and two Korean, of no real event, firm or person.

They write of what the demo market shows (stress, rates, coins), tell each other's stories again, and are
never among the headlines that the StressIndex counts.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from collectors.model import Row
from collectors.news.topics import tone, topics
from collectors.sources.demo_stress import stress
from storage.tables import NEWS

SOURCE = "news.feeds"
ENGLISH = ("demo-news-harbour", "demo-news-summit", "demo-news-ticker")
KOREAN = ("demo-news-dorim", "demo-news-gaya")
FEEDS = (*ENGLISH, *KOREAN)
OUTLETS = {
    "demo-news-harbour": "Harbour Post (demo)",
    "demo-news-summit": "Summit Daily (demo)",
    "demo-news-ticker": "Ticker Desk (demo)",
    "demo-news-dorim": "도림경제 (데모)",
    "demo-news-gaya": "가야신문 (데모)",
}
WEEKDAY, WEEKEND = (48, 64), 22
AGAIN = 0.18
_DAY = timedelta(days=1)

# (subjects, predicates) by kind: every pair makes a title.
_EN = {
    "stress": (
        ("Money markets", "Junk bond issuers", "Regional lenders", "Private credit funds", "Treasury dealers",
         "Commercial paper borrowers", "Bond funds", "Corporate treasurers"),
        ("face funding stress as the quarter ends", "warn of losses after a week of turmoil",
         "struggle with redemptions as liquidity dries up",
         "see credit spreads surge to the worst level in months",
         "brace for defaults as interest rates stay high", "hit by margin calls after a sudden selloff"),
    ),
    "rates": (
        ("Central bankers", "Policy makers", "Bond investors", "Most economists"),
        ("keep to one more rate cut this year", "look past the latest inflation figures",
         "expect Treasury yields to hold their range", "weigh slower wage growth against firm prices",
         "wait for the jobs report before the next meeting"),
    ),
    "equity": (
        ("Stocks", "Technology shares", "Bank shares", "Small company stocks", "Chip makers' shares"),
        ("close higher on solid earnings", "slip as volatility returns", "little changed before the holiday",
         "rebound after three days of losses", "climb to a record high on strong demand"),
    ),
    "crypto": (
        ("Bitcoin", "Ethereum", "Solana (SOL)", "Chainlink (LINK)", "The stablecoin market",
         "The coin market"),
        ("slides as traders take profit", "climbs with inflows into funds", "holds its range in thin trading",
         "swings after a large transfer on-chain", "gains while DeFi deposits recover"),
    ),
    "energy": (
        ("Oil", "Natural gas", "The refining margin"),
        ("falls on larger inventories", "rises after a pipeline halts", "steadies as producers meet"),
    ),
    "plain": (
        ("A large retailer", "A carmaker", "An airline", "A drug company", "A builder of homes",
         "A software firm"),
        ("opens a second plant in the north", "names a new chief of finance",
         "signs a ten-year supply contract",
         "moves its headquarters to the coast", "agrees on wages with its union",
         "recalls a batch of kitchen appliances", "expands delivery to smaller towns"),
    ),
}  # fmt: skip
_KO = {
    "stress": (
        ("단기자금시장", "회사채 시장", "저축은행 업계", "국채시장", "기업어음 시장",
         "부동산 프로젝트파이낸싱 업계"),
        ("유동성 경색 우려에 긴급 점검", "자금 이탈 확산에 불안 고조", "연체 급등에 금융당국 비상 대응",
         "분기 말 조달 금리 급등 압박", "부실 우려에 투매 조짐"),
    ),
    "rates": (
        ("금통위", "채권 딜러들", "중앙은행", "국고채 금리"),
        ("물가 지표 앞두고 관망", "기준금리 동결 전망 우세", "입찰 이후 보합권", "고용 둔화에 인하 기대"),
    ),
    "equity": (
        ("코스피", "코스닥", "반도체 업종 주가", "은행주"),
        ("외국인 매수에 강세", "차익 매물에 하락 마감", "실적 기대에 최고치 경신", "연휴 앞두고 제자리"),
    ),
    "crypto": (
        ("비트코인", "이더리움", "솔라나", "가상자산 거래소", "스테이블코인 발행사"),
        ("차익 실현에 약세", "자금 유입에 상승", "거래 한산 속 횡보", "변동성 커지며 급락 후 반등"),
    ),
    "energy": (
        ("국제유가", "정유업계"),
        ("재고 증가에 하락", "공급 차질 우려에 상승", "산유국 회의 앞두고 보합"),
    ),
    "plain": (
        ("한 대형 유통업체", "국내 조선업체", "중견 식품회사", "한 항공사", "배터리 소재업체", "지역 건설사"),
        ("남부 지역에 두 번째 공장 준공", "새 재무 책임자 선임", "십 년 장기 공급 계약 체결",
         "본사 이전 부지 확정",
         "노사 임금 협상 잠정 합의", "온라인 매장 여섯 나라로 확대"),
    ),
}  # fmt: skip
_SHARES = {"rates": 0.16, "equity": 0.18, "crypto": 0.16, "energy": 0.08}
_PREFIX = {True: ("", "Update: "), False: ("", "[종합] ")}


def _kind(random: Random, level: float) -> str:
    shares = {"stress": max(0.05, min(0.4, 0.1 + 0.1 * level)), **_SHARES}
    drawn = random.random()
    for kind, share in shares.items():
        if drawn < share:
            return kind
        drawn -= share
    return "plain"


def _title(random: Random, level: float, english: bool) -> str:
    subjects, predicates = (_EN if english else _KO)[_kind(random, level)]
    return f"{random.choice(subjects)} {random.choice(predicates)}"


def _minute(random: Random, english: bool) -> int:
    """English desks write from New York's morning on, Korean ones in Seoul's day (minutes of the UTC day)."""
    hour = random.randint(10, 23) if english else random.choice((*range(10), 22, 23))
    return 60 * hour + random.randint(0, 59)


def _day(day: date) -> list[Row]:
    """All titles of a day, oldest first."""
    random = Random(f"desks {day}")
    level = stress(day.year)[day.timetuple().tm_yday - 1]
    told: dict[bool, list[tuple[str, int]]] = {True: [], False: []}
    found: list[Row] = []
    for number in range(random.randint(*WEEKDAY) if day.weekday() < 5 else WEEKEND):
        feed = random.choice(FEEDS)
        english = feed in ENGLISH
        minute = _minute(random, english)
        if told[english] and random.random() < AGAIN:
            title, first = random.choice(told[english])
            # Told again later the same day, where some of it is left.
            minute = min(1439, first + random.randint(10, 240))
            title = random.choice(_PREFIX[english]) + title
        else:
            title = _title(random, level, english)
            told[english].append((title, minute))
        found.append(_row(day, number, feed, title, minute, random.randint(0, 59)))
    return sorted(found, key=lambda row: (str(row["published_at"]), str(row["id"])))


def _row(day: date, number: int, feed: str, title: str, minute: int, second: int) -> Row:
    name = f"{day:%Y%m%d}-{number:02d}"
    return {
        "id": f"{NEWS}demo-{name}",
        "published_at": datetime.combine(day, time(minute // 60, minute % 60, second), UTC),
        "feed": feed,
        "title": title,
        "link": f"https://example.com/demo/desk/{name}",
        "topics": " ".join(topics(title)),
        "tone": float(tone(title)),
        "outlet": OUTLETS[feed],
        "story": None,
        "mentions": None,
    }


def rows(first: date, now: datetime) -> Iterator[Row]:
    """Titles published from `first` up to `now` (UTC)."""
    for n in range((now.date() - first).days + 1):
        for row in _day(first + _DAY * n):
            at = row["published_at"]
            if isinstance(at, datetime) and at <= now:
                yield row
