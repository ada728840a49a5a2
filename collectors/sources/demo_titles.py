"""The parts of demo mode's invented headlines, in English and Korean: of no real event, firm or person."""

from typing import NamedTuple


class Parts(NamedTuple):
    """Of the headlines of one language: who and what happens to them (every pair makes a title), and
    titles as they are."""

    stressed: tuple[str, ...]
    troubles: tuple[str, ...]
    topical: tuple[str, ...]
    relief: tuple[str, ...]
    firms: tuple[str, ...]
    deeds: tuple[str, ...]


STRESSED = (
    "Money markets", "Junk bond issuers", "Regional bank stocks", "Commercial paper borrowers",
    "Primary dealers in Treasuries", "Leveraged loan funds", "Repo market lenders",
    "High-yield credit funds", "Interbank lenders", "Private credit managers", "Bond market makers",
    "Dollar funding desks abroad",
)  # fmt: skip
TROUBLES = (
    "come under pressure as investors flee to cash", "face a sudden squeeze ahead of the quarter's end",
    "warn of losses after a week of turmoil", "see worst day in months on contagion fears",
    "freeze up while worries over counterparties deepen", "plunge as margin calls force fire sales",
    "brace for a crunch as outflows surge", "struggle with shortage of buyers and volatile prices",
    "hit by wave of redemptions and fear of default", "slump on alarm over hidden leverage",
    "shaken by emergency meeting of regulators", "strain under weak demand and soaring costs",
    "tumble after a large bank reports trouble", "on the brink as confidence collapses, analysts say",
)  # fmt: skip
TOPICAL = (
    "Treasury yields little changed before inflation figures",
    "Repo market opens quiet as the month begins",
    "Credit growth holds near last year's pace, data show",
    "Treasury auction draws usual demand from abroad",
    "High-yield issuance picks up after the holiday",
    "Lenders publish results for the third quarter",
    "Volatility index ends the day where it began",
    "Central bank reports weekly use of the discount window",
)
RELIEF = (
    "Funding fears ease as cash returns to money markets",
    "Late deal averts default of a property developer",
    "Rescue package calms depositors of a regional bank",
    "Treasury market worries subside after a smooth auction",
)
FIRMS = (
    "A large retailer", "A carmaker", "A maker of chips", "An airline", "A shipping group",
    "A drug company", "A food producer", "A software firm", "A builder of homes", "A utility",
    "A chain of hotels", "A maker of batteries", "A telecoms operator", "A sportswear brand",
)  # fmt: skip
DEEDS = (
    "opens a second plant in the north", "names a new chief of finance", "plans to hire five hundred people",
    "raises its forecast for the year on solid orders", "will buy a smaller rival for cash",
    "delays the launch of its new model", "reports strong growth in overseas sales",
    "signs a ten-year supply contract", "moves its headquarters to the coast",
    "cuts prices before the holiday season", "invests in a research centre near the capital",
    "wins approval for its merger", "pays a special dividend to shareholders",
    "starts a trial of electric trucks", "recalls a batch of kitchen appliances",
    "agrees on wages with its union", "sells a stake in its logistics arm",
    "expects demand to stay flat until spring", "expands delivery to smaller towns",
    "closes two older warehouses", "gains after results top expectations", "loses a patent case on appeal",
    "builds a solar park beside its factory", "takes its online store to six more countries",
)  # fmt: skip

STRESSED_KO = (
    "단기자금시장",
    "회사채 시장",
    "저축은행 업계",
    "국채시장",
    "기업어음 시장",
    "지역은행 업계",
    "외화자금 시장",
    "하이일드 펀드",
    "부동산 프로젝트파이낸싱 업계",
    "콜금리 시장",
)
TROUBLES_KO = (
    "자금 이탈 확산에 투자자 불안 고조",
    "경색 우려 커지며 긴급 점검 회의",
    "손실 경고 잇따르며 투매 조짐",
    "연체 급등에 금융당국 비상 대응 착수",
    "분기 말 앞두고 조달 금리 급등 압박",
    "충격 여파로 거래 급감, 위기 우려 증폭",
    "공포 심리 번지며 하루 새 최악의 하락",
    "부실 우려에 예금 인출 문의 쇄도",
    "담보 가치 급락으로 마진콜 위험 확대",
    "신용 악화 속 발행 연기 기업 속출",
)
TOPICAL_KO = (
    "국채 금리 보합권에서 관망세 이어져",
    "회사채 발행 시장 연휴 이후 다시 열려",
    "은행권 신용대출 증가 폭 지난달과 비슷",
    "중앙은행 환매조건부 채권 정례 입찰 실시",
    "변동성 지수 전날과 같은 수준에서 마감",
)
RELIEF_KO = (
    "유동성 공급 대책에 자금시장 불안 진정",
    "건설사 부도 위기 막판 합의로 모면",
    "채권시장 경색 완화 조짐에 안도",
)
FIRMS_KO = (
    "한 대형 유통업체",
    "국내 조선업체",
    "한 반도체 장비업체",
    "중견 식품회사",
    "한 항공사",
    "배터리 소재업체",
    "한 게임회사",
    "화장품 제조사",
    "물류 스타트업",
    "한 통신사",
    "지역 건설사",
    "의료기기 업체",
)
DEEDS_KO = (
    "해외 매출 늘며 분기 실적 호조",
    "남부 지역에 두 번째 공장 준공",
    "새 재무 책임자 선임 계획 발표",
    "내년 신입 사원 오백 명 채용",
    "십 년 장기 공급 계약 체결",
    "연구소 열고 인공지능 인력 확충",
    "주주에게 특별 배당 지급 결정",
    "노사 임금 협상 잠정 합의",
    "친환경 포장재 전면 도입",
    "신제품 출시 일정 다음 달로 조정",
    "온라인 매장 여섯 나라로 확대",
    "태양광 발전 설비 공장 옆에 구축",
    "소규모 경쟁사 현금 인수 추진",
    "본사 이전 부지 최종 확정",
    "물류 자회사 지분 일부 매각",
    "전기 화물차 시범 운행 시작",
    "특허 소송 항소심에서 패소",
    "봄까지 수요 제자리 전망",
)
ENGLISH = Parts(STRESSED, TROUBLES, TOPICAL, RELIEF, FIRMS, DEEDS)
KOREAN = Parts(STRESSED_KO, TROUBLES_KO, TOPICAL_KO, RELIEF_KO, FIRMS_KO, DEEDS_KO)
