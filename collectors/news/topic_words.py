"""The words by which the topic of a headline is known, in English and Korean, as data.

English entries are whole words or phrases, in which `*` ends a stem; Korean entries stand anywhere, since
particles and endings are written on to them.
"""

from collections.abc import Mapping

TOPICS: Mapping[str, tuple[str, ...]] = {
    "macro": (
        "inflation", "cpi", "ppi", "pce", "gdp", "recession*", "jobs report", "payroll*", "jobless",
        "unemployment",
        "economy", "economic growth", "retail sales", "consumer price*", "producer price*",
        "consumer spending",
        "consumer confidence", "pmi", "ism", "trade deficit", "trade surplus", "industrial production",
        "soft landing",
        "stagflation", "housing starts", "durable goods", "wage growth", "census",
        "물가", "인플레이션", "국내총생산", "성장률", "경기침체", "경기 침체", "경기둔화", "경기 둔화",
        "고용", "실업",
        "소비자심리", "소매판매", "무역수지", "경상수지", "산업생산", "경기동행", "스태그플레이션",
    ),
    "rates": (
        "rate cut*", "rate hike*", "rate rise*", "interest rate*", "basis point*", "yield*", "treasury",
        "treasuries",
        "bond", "bonds", "bondholder*", "gilt", "gilts", "bunds", "yield curve", "term premium",
        "mortgage rate*", "dot plot",
        "금리", "국채", "국고채", "채권", "수익률곡선", "장단기", "기준금리",
    ),
    "credit": (
        "credit", "default*", "junk bond*", "high yield", "high-yield", "credit spread*", "downgrade*",
        "bankruptc*",
        "bankrupt", "insolven*", "distressed", "delinquenc*", "leveraged loan*", "private credit",
        "debt restructuring",
        "chapter 11", "missed payment*", "corporate bond*", "collateralized loan*",
        "신용등급", "신용위험", "신용 위험", "신용경색", "신용대출", "디폴트", "부도", "채무불이행", "파산",
        "회생절차",
        "법정관리", "워크아웃", "회사채", "하이일드", "연체", "부실채권", "프로젝트파이낸싱",
    ),
    "liquidity": (
        "liquidity", "repo", "reverse repo", "money market*", "funding cost*", "funding market*",
        "funding stress",
        "dollar funding", "commercial paper", "cash crunch", "margin call*", "discount window", "swap line*",
        "interbank", "collateral", "quantitative tightening", "balance sheet runoff", "bank reserves",
        "유동성", "자금시장", "자금 시장", "단기자금", "자금경색", "자금 경색", "환매조건부", "레포",
        "기업어음", "마진콜",
        "통화스와프", "콜금리", "외화자금", "양적긴축",
    ),
    "bank": (
        "bank", "banks", "banking", "lender*", "deposit*", "fdic", "bailout*", "credit union*", "basel",
        "은행", "뱅크런", "예금", "저축은행", "예금보험", "새마을금고", "구제금융", "금융지주",
    ),
    "equity": (
        "stock", "stocks", "stock market*", "shares", "shareholder*", "equities", "equity", "s&p 500",
        "nasdaq", "dow jones", "dow", "wall street", "russell 2000",
        "ftse", "nikkei", "stoxx", "selloff", "sell-off", "rally", "rallies", "bear market", "bull market",
        "earnings",
        "ipo", "ipos", "buyback*", "dividend*", "volatility", "vix", "short seller*", "hedge fund*",
        "증시", "주가", "코스피", "코스닥", "나스닥", "뉴욕증시", "상장", "공모주", "실적", "배당",
        "자사주", "급락", "급등",
        "공매도", "변동성", "특징주", "시총",
    ),
    "crypto": (
        "crypto*", "bitcoin*", "btc", "ether", "ethereum", "stablecoin*", "blockchain*", "defi", "altcoin*",
        "xrp",
        "dogecoin", "solana", "tether", "usdc", "memecoin*", "meme coin*", "nft*", "coinbase", "binance",
        "token*",
        "digital asset*", "web3", "on-chain",
        "비트코인", "이더리움", "가상자산", "가상화폐", "암호화폐", "코인", "스테이블코인", "블록체인",
        "디파이", "업비트",
        "빗썸", "도지코인", "솔라나",
    ),
    "energy": (
        "oil", "crude", "brent", "wti", "opec*", "natural gas", "lng", "gasoline", "diesel", "refiner*",
        "refining",
        "energy", "barrel*", "coal", "uranium", "pipeline*", "power grid", "strait of hormuz", "electricity",
        "유가", "원유", "정유", "천연가스", "석유", "에너지", "브렌트", "오펙", "휘발유", "전력", "원전",
    ),
    "fx": (
        "dollar*", "euro", "yen", "yuan", "renminbi", "sterling", "korean won", "the won", "won weaken*",
        "won strengthen*", "currency", "currencies", "forex",
        "exchange rate*", "foreign exchange", "rupee", "peso", "devaluation", "depreciation",
        "환율", "원화", "달러", "엔화", "위안화", "유로화", "외환", "원·달러", "원/달러", "엔저",
    ),
    "korea": (
        "korea*", "seoul", "kospi", "kosdaq", "bok", "samsung*", "sk hynix", "hyundai*", "korean won",
        "한국", "국내", "한은", "한국은행", "금융위", "금감원", "코스피", "코스닥", "원화", "서울", "기재부",
        "삼성전자", "하이닉스", "현대차", "국민연금",
    ),
    "policy": (
        "fed", "federal reserve", "fomc", "powell", "central bank*", "ecb", "boj", "bank of japan",
        "bank of england",
        "boe", "pboc", "bank of korea", "monetary policy", "treasury secretary", "regulator*", "sec",
        "cftc", "congress",
        "senate", "tariff*", "sanction*", "fiscal", "budget", "debt ceiling", "government shutdown",
        "stimulus",
        "intervention*", "rate decision", "enforcement action*",
        "연준", "연방준비제도", "한은", "한국은행", "금통위", "중앙은행", "통화정책", "금융당국", "금융위",
        "금감원", "관세",
        "제재", "재정", "예산", "규제", "추경", "개입", "당국", "기재부",
    ),
    "tech": (
        "ai", "artificial intelligence", "chip", "chips", "chipmaker*", "semiconductor*", "data center*",
        "data centre*", "software",
        "cloud computing", "nvidia", "big tech", "openai",
        "반도체", "인공지능", "데이터센터", "메모리", "빅테크", "엔비디아", "HBM",
    ),
    "property": (
        "housing", "home price*", "home sales", "mortgage*", "real estate", "commercial property",
        "office tower*",
        "reit*", "rents", "homebuilder*", "property developer*",
        "부동산", "아파트", "주택", "전세", "전셋값", "집값", "분양", "건설사",
    ),
    "trade": (
        "export*", "imports", "importer*", "tariff*", "trade war", "trade talks", "trade deal",
        "supply chain*", "shipping", "freight",
        "수출", "수입", "관세", "무역", "공급망", "해운", "통상",
    ),
}  # fmt: skip
# What a word of a topic means elsewhere: taken out of a title before it is read.
FALSE_FRIENDS: tuple[str, ...] = (
    "james bond", "bond girl*", "market share*", "time share*", "shares his", "shares her", "shares their",
    "share a",
    "food bank*", "blood bank*", "west bank", "river bank*", "piggy bank*", "data bank*", "power bank*",
    "left bank",
    "olive oil", "palm oil", "cooking oil", "essential oil*", "fish oil", "snake oil", "oil painting*",
    "ai-generated image*", "chocolate chip*",
    "potato chip*", "energy drink*", "stock photo*", "stock car*", "out of stock", "in stock",
    "taken stock", "take stock", "takes stock", "token gesture*", "gas station*", "sec championship*",
    "fed up",
    "gift card*", "report card*", "credit card points",
    "전력 질주", "수입차", "실적 없", "코인노래", "코인빨래", "코인세탁",
)  # fmt: skip
