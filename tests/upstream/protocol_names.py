"""The words that the protocol lists are made of: named rows, chains, categories, syllables."""

# name | category | tvl at the reference day in billions of USD | chains
HEAD = """
Binance CEX|CEX|161.3|Bitcoin,Ethereum,Binance,Tron,Solana
Aave V3|Lending|31.42|Ethereum,Plasma,Arbitrum,Base,Avalanche
Lido|Liquid Staking|25.87|Ethereum,Solana,Moonbeam
OKX|CEX|22.1|Bitcoin,Ethereum,Tron,Solana
Bitfinex|CEX|19.8|Bitcoin,Ethereum,Tron
Bybit|CEX|18.2|Bitcoin,Ethereum,Solana
Robinhood|CEX|14.6|Bitcoin,Ethereum
EigenCloud|Restaking|12.94|Ethereum
WBTC|Bridge|11.6|Bitcoin
Binance staked ETH|Liquid Staking|10.71|Ethereum,Binance
ether.fi Stake|Liquid Restaking|8.83|Ethereum
Gate|CEX|7.4|Bitcoin,Ethereum
Ethena USDe|Basis Trading|7.11|Ethereum
Binance Bitcoin|Bridge|6.72|Bitcoin
Morpho V1|Lending|6.38|Ethereum,Base,Hyperliquid L1
Sky Lending|CDP|6.02|Ethereum
Polygon Bridge & Staking|Chain|5.9|Ethereum
Babylon Protocol|Restaking|5.27|Bitcoin
USDT0|Bridge|4.85|Ethereum
Arbitrum Bridge|Canonical Bridge|4.48|Ethereum
JustLend|Lending|4.19|Tron
SparkLend|Lending|3.94|Ethereum,Gnosis
Hyperliquid Bridge|Bridge|3.77|Arbitrum
Pendle|Yield|3.61|Ethereum,Arbitrum,Binance
Base Bridge|Canonical Bridge|3.46|Ethereum
Maple|RWA Lending|3.28|Ethereum,Solana
Ronin Bridge|Chain|3.2|Ethereum
Kamino Lend|Lending|2.93|Solana
Tether Gold|RWA|2.84|Ethereum,TON
Uniswap V3|Dexs|2.71|Ethereum,Base,Arbitrum,Polygon,Unichain
BlackRock BUIDL|RWA|2.58|Ethereum,Avalanche,Aptos
Curve DEX|Dexs|2.47|Ethereum,Fraxtal,Arbitrum
Jito Liquid Staking|Liquid Staking|2.36|Solana
PancakeSwap AMM|Dexs|2.27|Binance,Ethereum
Rocket Pool|Liquid Staking|2.18|Ethereum
Spark Liquidity Layer|Onchain Capital Allocator|2.1|Ethereum,Base
Falcon Finance|Basis Trading|2.03|Ethereum
Veda|Onchain Capital Allocator|1.96|Ethereum,Scroll
DoubleZero Staked SOL|Liquid Staking|1.88|Solana
mETH Protocol|Liquid Staking|1.17|Ethereum
Venus Core Pool|Lending|1.13|Binance
Compound V3|Lending|1.09|Ethereum,Base,Polygon
Fluid Lending|Lending|1.04|Ethereum,Arbitrum
Circle USYC|RWA|1.01|Binance,Ethereum
Uniswap V2|Dexs|0.97|Ethereum,Base
Raydium AMM|Dexs|0.94|Solana
Meteora DLMM|Dexs|0.89|Solana
Gauntlet|Risk Curators|0.84|Ethereum,Base
StakeWise V2|Liquid Staking|0.76|Ethereum,Gnosis
Tornado Cash|Privacy|0.68|Ethereum
GMX V2 Perps|Derivatives|0.41|Arbitrum,Avalanche
mETH Protocol|Restaking|0.0021|Ethereum
Beefy|Yield Aggregator|0.19|Base,Arbitrum,Optimism
Azuro|Prediction Market|0.0043|Polygon
Sunset Farm|Farm|0|Fantom
Old Harbour Swap|Dexs|0|Binance
Market|Lending|-0.00000004|Ethereum
Pinjam Labs|Lending|-0.000000002|Kava
Joltify RWA|RWA|-0.0000061|Joltify
Quiet Vaults|Yield|None|Arbitrum
Paper Desk|Trading App|None|Solana
"""
PARENTS = {
    "Aave V3": "aave", "Uniswap V3": "uniswap", "Uniswap V2": "uniswap", "SparkLend": "spark",
    "Spark Liquidity Layer": "spark", "Compound V3": "compound-finance",
}  # fmt: skip
BORROWING = {"Aave V3": 0.62, "SparkLend": 0.31, "Compound V3": 0.44, "JustLend": 0.08}
CHAINS = (
    "Ethereum", "Solana", "Binance", "Bitcoin", "Tron", "Base", "Arbitrum", "Hyperliquid L1", "Avalanche",
    "Polygon", "Sui", "Aptos", "Optimism", "Mantle", "Linea", "Sonic", "Scroll", "Berachain", "Cronos",
    "TON", "Katana", "Unichain", "Fantom", "Gnosis", "Celo", "Blast", "Moonbeam", "Kava", "Metis", "Core",
)  # fmt: skip
CATEGORIES = (
    "Dexs", "Yield", "Lending", "Derivatives", "Liquid Staking", "Farm", "CDP", "Yield Aggregator",
    "Launchpad", "Bridge", "RWA", "Reserve Currency", "Services", "Algo-Stables", "DEX Aggregator",
    "Canonical Bridge", "Chain", "CEX", "Gaming", "Prediction Market", "Indexes", "SoFi",
)  # fmt: skip
WEIGHTS = (27, 9, 8, 6, 4, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1)
FIRST = (
    "Amber", "Birch", "Cobalt", "Dune", "Ember", "Fjord", "Gale", "Harbor", "Iris", "Juniper", "Kelp",
    "Lumen", "Maple", "Nimbus", "Onyx", "Pebble", "Quartz", "River", "Saffron", "Tidal", "Umber", "Vale",
    "Willow", "Yarrow", "Zephyr",
)  # fmt: skip
SECOND = (
    "Swap", "Finance", "Vaults", "Lend", "Markets", "Labs", "Protocol", "Stake", "Bridge", "DAO", "Perps",
    "Pay",
)  # fmt: skip
WORDS = (
    "pool", "deposits", "liquidity", "of", "tokens", "that", "users", "supply", "and", "earn", "fees",
    "from", "trades", "across", "networks", "with", "a", "single", "vault", "which", "rebalances",
    "positions", "borrowers", "collateral", "the", "protocol", "reads", "balances", "on", "chain", "at",
    "each", "block",
)  # fmt: skip
# Keys that only some rows have, in the order in which they stand; chance of each.
OPTIONAL = (
    "treasury", "audit_links", "oraclesBreakdown", "listedAt", "openSource", "governanceID", "github",
    "dimensions", "forkedFromIds", "methodology", "hallmarks", "referralUrl",
)  # fmt: skip
