"""Topics and tones of headlines, in English and Korean.

English entries are whole words or phrases, in which `*` ends a stem; Korean entries are stems that
stand anywhere in the title, since particles and endings are written on to them.
"""

from collections.abc import Mapping

TOPICS: Mapping[str, tuple[str, ...]] = {
    "funding": (
        "liquidity", "repo", "repo market", "money market*", "funding cost*", "funding market*",
        "funding stress", "dollar funding", "commercial paper", "cash crunch", "margin call*",
        "discount window", "reverse repo", "swap line*", "interbank", "collateral",
        "유동성", "자금시장", "자금 시장", "단기자금", "자금경색", "자금 경색", "돈맥경화", "환매조건부",
        "레포",
        "기업어음", "마진콜", "통화스와프", "콜금리", "외화자금", "증거금",
    ),
    "credit": (
        "credit", "default*", "junk bond*", "high yield", "high-yield", "bond spread*", "credit spread*",
        "downgrade*", "bankruptc*", "bankrupt", "insolven*", "distressed debt", "delinquenc*",
        "leveraged loan*",
        "debt crisis", "debt restructuring", "chapter 11", "missed payment*", "private credit",
        "신용", "디폴트", "부도", "채무불이행", "파산", "회생절차", "법정관리", "워크아웃", "신용등급",
        "회사채",
        "하이일드", "연체", "부실채권", "지급불능", "프로젝트파이낸싱", "PF 부실",
    ),
    "bank": (
        "bank failure*", "bank run*", "bank collapse*", "bank rescue", "failed bank*", "bank stock*",
        "regional bank*", "deposit flight", "deposit outflow*", "fdic", "lender*", "bank bailout*",
        "uninsured deposit*", "receivership", "bank seized",
        "뱅크런", "은행 파산", "은행 위기", "은행 부실", "예금 인출", "예금인출", "지역은행", "지방은행 부실",
        "저축은행", "예금보험", "새마을금고", "구제금융", "영업정지",
    ),
    "rout": (
        "rout", "selloff", "sell-off", "market crash", "stock crash", "stocks plunge", "stocks tumble",
        "stocks sink", "stocks slump", "market turmoil", "market panic", "volatility", "vix", "bear market",
        "circuit breaker*", "flash crash", "wipeout", "meltdown", "stocks fall", "stocks drop",
        "market fear*",
        "급락", "폭락", "투매", "패닉", "서킷브레이커", "사이드카", "변동성", "검은 월요일", "블랙먼데이",
        "약세장",
        "증시 하락", "공포지수",
    ),
    "treasury": (
        "treasury market*", "treasury yield*", "treasuries", "treasury auction*", "weak auction*",
        "bond rout", "bond market*", "basis trade*", "basis trades", "debt ceiling", "yields surge",
        "yields spike", "primary dealer*", "gilt*", "gilt crisis",
        "미 국채", "미국채", "국채 금리", "국채금리", "국채 입찰", "국채입찰", "국채시장", "국채 시장",
        "채권시장",
        "채권 시장", "부채한도", "부채 한도", "베이시스 거래",
    ),
    "policy": (
        "emergency rate cut", "emergency meeting", "emergency lending", "emergency facility",
        "emergency liquidity", "bailout*", "rescue package", "backstop*", "lender of last resort",
        "intervention*", "intervenes", "capital control*", "bank holiday", "trading halt*",
        "긴급 금리", "긴급 회의", "긴급회의", "비상 회의", "긴급 대출", "긴급 자금", "시장안정", "시장 안정",
        "안정펀드", "시장 개입", "구두개입", "자본통제", "거래정지", "거래 정지",
    ),
}  # fmt: skip

NEGATIVE: tuple[str, ...] = (
    "alarm*", "anxiet*", "bankrupt*", "bleed*", "brink", "chaos", "collaps*", "contagion", "crash*", "cris*",
    "crunch*", "default*", "deepen*", "deteriorat*", "disarray", "distress*", "downgrad*", "dries up",
    "drought", "dump*", "emergency", "fail*", "fall*", "fear*", "fire sale*", "flee*", "freez*", "froze*",
    "halt*", "hit*", "jitter*", "liquidat*", "loss*", "meltdown*", "miss*", "panic*", "plummet*", "plung*",
    "pressure*", "risk*", "rout", "seiz*", "sell-off*", "selloff*", "shock*", "shortage*", "sink*", "slump*",
    "soar*", "spike*", "squeeze*", "strain*", "stress*", "sudden*", "surge*", "threat*", "tight*", "trouble*",
    "tumbl*", "turmoil", "unravel*", "volatil*", "warn*", "weak*", "wipe*", "worr*", "worst", "writedown*",
    "경고", "경색", "고조", "공포", "급등", "급락", "긴급", "냉각", "디폴트", "무너", "법정관리", "부도",
    "부실",
    "불안", "붕괴", "비상", "손실", "쇼크", "악화", "압박", "연체", "우려", "위기", "위험", "이탈", "인출",
    "적자",
    "증폭", "최악", "추락", "충격", "투매", "파산", "파장", "패닉", "폭락", "하락", "확산",
)  # fmt: skip
POSITIVE: tuple[str, ...] = (
    "advance*", "boost*", "climb*", "confiden*", "gain*", "growth", "healthy", "improv*", "jump*", "optimis*",
    "rally", "rallies", "rebound*", "recover*", "record high*", "resilien*", "rise*", "robust", "solid",
    "stabil*", "strong*", "support*", "upbeat", "upgrade*",
    "강세", "개선", "견조", "기대", "반등", "상승", "성장", "안도", "양호", "최고치", "호전", "호조",
    "회복", "흑자",
)  # fmt: skip
# A title that says it is over, or that speaks of an exercise, is no stress.
RELIEF: tuple[str, ...] = (
    "ease", "eases", "eased", "easing fears", "avert", "averts", "averted", "calm", "calms", "calmed",
    "soothe*", "subside*", "stress test*", "allay*", "dodge*",
    "완화", "진정", "해소", "잠재", "모면", "스트레스 테스트", "스트레스테스트", "일단락",
)  # fmt: skip
