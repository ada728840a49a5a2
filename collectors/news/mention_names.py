"""Names by which headlines speak of large companies, funds and coins, and what else those names mean: data.

`stocks`: exchange tickers as in Yahoo without a suffix, Korean ones by their six digits. Coins themselves
come from the crypto record; here are the Korean names and the false friends.
"""

from collections.abc import Mapping

STOCKS: Mapping[str, tuple[str, ...]] = {
    "SPY": (), "QQQ": (), "DIA": (), "IWM": (), "TLT": (), "HYG": (), "LQD": (), "GLD": (), "XLF": (),
    "EEM": (),
    "AAPL": ("Apple", "애플"),
    "MSFT": ("Microsoft", "마이크로소프트"),
    "NVDA": ("Nvidia", "NVIDIA", "엔비디아"),
    "AMZN": ("Amazon", "Amazon.com", "아마존"),
    "GOOGL": ("Alphabet", "Google", "알파벳", "구글"),
    "META": ("Meta", "Meta Platforms", "메타"),
    "TSLA": ("Tesla", "테슬라"),
    "AVGO": ("Broadcom", "브로드컴"),
    "TSM": ("TSMC", "Taiwan Semiconductor"),
    "AMD": ("Advanced Micro Devices",),
    "INTC": ("Intel", "인텔"),
    "MU": ("Micron", "마이크론"),
    "ORCL": ("Oracle", "오라클"),
    "NFLX": ("Netflix", "넷플릭스"),
    "PLTR": ("Palantir", "팔란티어"),
    "BRK.B": ("Berkshire Hathaway", "Berkshire", "버크셔해서웨이", "버크셔 해서웨이"),
    "JPM": ("JPMorgan", "JPMorgan Chase", "JP Morgan", "JP모건", "JP모간"),
    "BAC": ("Bank of America", "BofA", "뱅크오브아메리카"),
    "C": ("Citigroup", "씨티그룹"),
    "GS": ("Goldman Sachs", "골드만삭스"),
    "MS": ("Morgan Stanley", "모건스탠리", "모간스탠리"),
    "WFC": ("Wells Fargo", "웰스파고"),
    "V": ("Visa Inc", "Visa Inc."),
    "MA": ("Mastercard", "마스터카드"),
    "LLY": ("Eli Lilly", "일라이릴리", "일라이 릴리"),
    "UNH": ("UnitedHealth",),
    "XOM": ("Exxon", "ExxonMobil", "Exxon Mobil", "엑손모빌"),
    "CVX": ("Chevron", "셰브론"),
    "WMT": ("Walmart", "월마트"),
    "BA": ("Boeing", "보잉"),
    "COIN": ("Coinbase", "코인베이스"),
    "MSTR": ("MicroStrategy", "마이크로스트래티지"),
    "005930": ("Samsung Electronics", "삼성전자"),
    "000660": ("SK hynix", "SK Hynix", "SK하이닉스", "하이닉스"),
    "373220": ("LG Energy Solution", "LG에너지솔루션", "LG엔솔"),
    "207940": ("Samsung Biologics", "삼성바이오로직스", "삼바"),
    "005380": ("Hyundai Motor", "현대차", "현대자동차"),
    "000270": ("Kia", "Kia Corp", "기아"),
    "068270": ("Celltrion", "셀트리온"),
    "035420": ("Naver", "NAVER", "네이버"),
    "035720": ("Kakao", "카카오"),
    "005490": ("POSCO Holdings", "POSCO", "포스코홀딩스", "포스코"),
    "051910": ("LG Chem", "LG화학"),
    "006400": ("Samsung SDI", "삼성SDI"),
    "066570": ("LG Electronics", "LG전자"),
    "105560": ("KB Financial", "KB금융"),
    "055550": ("Shinhan Financial", "신한지주"),
    "086790": ("Hana Financial", "하나금융지주", "하나금융"),
    "012450": ("Hanwha Aerospace", "한화에어로스페이스"),
    "034020": ("Doosan Enerbility", "두산에너빌리티"),
    "329180": ("HD Hyundai Heavy", "HD현대중공업"),
    "015760": ("KEPCO", "한국전력", "한전"),
    "017670": ("SK Telecom", "SK텔레콤", "SKT"),
    "030200": ("KT Corp",),
    "003670": ("POSCO Future M", "포스코퓨처엠"),
    "247540": ("EcoPro BM", "에코프로비엠"),
}  # fmt: skip
# Tickers that are words, or short: they count only as `$X` or `(X)`.
WORDLIKE_TICKERS = frozenset(("META", "COIN", "DIA", "C", "V", "MA", "GS", "MS", "MU", "BA", "AMD"))
# Phrases in which a company's name is none; taken out before names are looked for.
NO_COMPANY: tuple[str, ...] = (
    "amazon rainforest*", "amazon basin", "amazon river", "amazon fires", "amazon deforestation",
    "apple orchard*",
    "apple grower*", "apple pie", "apple harvest*", "apple cider", "meta-analysis", "meta analysis",
    "delphi oracle",
    "oracle of omaha", "기아자동차 노조", "기아 위기", "기아와", "기아에 허덕", "기아 문제", "메타버스",
    "메타인지", "인텔리",
)  # fmt: skip

# Korean names of coins, by CoinGecko's name. `plain` ones mean nothing else.
COINS_KO: Mapping[str, tuple[str, ...]] = {
    "bitcoin": ("비트코인",),
    "ethereum": ("이더리움",),
    "tether": ("테더",),
    "ripple": ("리플", "엑스알피"),
    "binancecoin": ("바이낸스코인", "비앤비코인"),
    "solana": ("솔라나",),
    "dogecoin": ("도지코인", "도지"),
    "cardano": ("카르다노", "에이다"),
    "tron": ("트론",),
    "chainlink": ("체인링크",),
    "bitcoin-cash": ("비트코인캐시", "비트코인 캐시"),
    "stellar": ("스텔라루멘", "스텔라"),
    "litecoin": ("라이트코인",),
    "monero": ("모네로",),
    "zcash": ("지캐시",),
    "avalanche-2": ("아발란체",),
    "polkadot": ("폴카닷",),
    "shiba-inu": ("시바이누",),
    "sui": ("수이",),
    "near": ("니어프로토콜",),
    "hyperliquid": ("하이퍼리퀴드",),
    "toncoin": ("톤코인",),
}
# Symbols that nothing else is called.
PLAIN_SYMBOLS = frozenset(
    ("BTC", "ETH", "XRP", "DOGE", "USDT", "USDC", "BNB", "LTC", "XLM", "XMR", "ZEC", "SHIB")
)
# Names that nothing else is called; every other name needs a word of crypto beside it.
PLAIN_NAMES = frozenset(
    (
        "bitcoin", "ethereum", "dogecoin", "solana", "cardano", "litecoin", "monero", "zcash", "chainlink",
        "polkadot",
        "hyperliquid", "bitcoin cash", "shiba inu", "binance coin", "toncoin",
        "비트코인", "이더리움", "도지코인", "솔라나", "비트코인캐시", "비트코인 캐시", "라이트코인",
        "바이낸스코인", "시바이누",
        "스텔라루멘", "체인링크", "하이퍼리퀴드", "폴카닷", "톤코인", "니어프로토콜",
    )
)  # fmt: skip
# Symbols and names that are words: `$LINK` and `(LINK)` count, or the name with a word of `FOLLOWS` after it.
WORDLIKE = frozenset(
    (
        "link", "near", "near protocol", "sui", "sol", "ada", "leo", "ton", "dot", "uni", "one", "gas",
        "hype", "atom",
        "op", "optimism", "arb", "apt", "aptos", "sand", "ape", "flow", "sky", "story", "ip", "sonic", "s",
        "m", "cc",
        "canton", "pi", "pi network", "render", "cosmos", "maker", "compound", "stellar", "tron", "ripple",
        "avalanche",
        "mantle", "figure heloc", "just", "sei", "core", "ape", "world", "wld", "etc", "icp", "cro", "pol",
        "trx", "wbt",
        "avax", "usd1", "okb", "bgb", "gt", "pepe", "bonk", "fil", "algo", "grt", "ena", "tao", "ondo",
        "tether", "usds",
        "dai", "aave", "morpho", "리플", "트론", "테더", "스텔라", "에이다", "도지", "수이", "모네로",
        "지캐시", "아발란체",
    )
)  # fmt: skip
FOLLOWS = (
    "token",
    "tokens",
    "coin",
    "coins",
    "network",
    "protocol",
    "blockchain",
    "foundation",
    "price",
    "etf",
)
# A title with one of these is about crypto.
CONTEXT: tuple[str, ...] = (
    "crypto*", "bitcoin*", "btc", "ethereum", "stablecoin*", "blockchain*", "defi", "altcoin*", "token*",
    "coinbase",
    "binance", "memecoin*", "xrp", "on-chain", "digital asset*",
    "비트코인", "이더리움", "가상자산", "가상화폐", "암호화폐", "코인", "블록체인", "업비트", "빗썸",
)  # fmt: skip
