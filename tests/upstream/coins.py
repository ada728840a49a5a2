"""The coins of the fake market: what never changes about each of them.

One line a coin: id | symbol | name | price in USD | market cap in billions of USD | max supply | kind.
Prices and caps are those of the reference day (see `market.REFERENCE`); kind is `s` for a coin
pegged to the dollar, `g` for gold, `f` for a fund share, empty for the rest.
"""

from dataclasses import dataclass
from functools import cache

# The listing always begins with these twenty, in any order their caps give them.
LEADING = 20

_TABLE = """
bitcoin|btc|Bitcoin|97000|1949.7|21000000|
ethereum|eth|Ethereum|3310|399.5||
tether|usdt|Tether|1.0|188.2||s
ripple|xrp|XRP|2.16|131.4|100000000000|
binancecoin|bnb|BNB|884|120.6|200000000|
solana|sol|Solana|141.5|80.3||
usd-coin|usdc|USDC|1.0|76.9||s
tron|trx|TRON|0.2931|27.8||
dogecoin|doge|Dogecoin|0.1437|22.1||
figure-heloc|figr_heloc|Figure Heloc|1.036|18.4||f
cardano|ada|Cardano|0.4168|15.3|45000000000|
bitcoin-cash|bch|Bitcoin Cash|538.4|10.8|21000000|
whitebit|wbt|WhiteBIT Coin|58.2|12.4|400000000|
chainlink|link|Chainlink|13.27|9.6|1000000000|
leo-token|leo|LEO Token|9.41|8.7||
usds|usds|USDS|1.0|11.1||s
stellar|xlm|Stellar|0.2514|8.2||
monero|xmr|Monero|412.6|7.6||
ethena-usde|usde|Ethena USDe|1.0|7.1||s
sui|sui|Sui|1.78|6.8|10000000000|
litecoin|ltc|Litecoin|61.3|4.7|84000000|
avalanche-2|avax|Avalanche|10.62|4.6|715748719|
hyperliquid|hype|Hyperliquid|13.9|4.5|1000000000|
hedera-hashgraph|hbar|Hedera|0.1029|4.4|50000000000|
canton-network|cc|Canton|0.1162|4.3||
zcash|zec|Zcash|257.8|4.2|21000000|
shiba-inu|shib|Shiba Inu|0.00000701|4.1||
dai|dai|Dai|1.0|4.05||s
usd1-wlfi|usd1|USD1|1.0|4.0||s
paypal-usd|pyusd|PayPal USD|1.0|3.9||s
the-open-network|ton|Toncoin|1.47|3.7||
crypto-com-chain|cro|Cronos|0.0913|3.5|100000000000|
polkadot|dot|Polkadot|2.05|3.4||
bittensor|tao|Bittensor|318.7|3.3|21000000|
mantle|mnt|Mantle|0.978|3.2|6219316795|
world-liberty-financial|wlfi|World Liberty Financial|0.1127|3.1|100000000000|
hashnote-usyc|usyc|Circle USYC|1.13|3.0||f
tether-gold|xaut|Tether Gold|4420|2.9||g
pax-gold|paxg|PAX Gold|4431|2.8||g
uniswap|uni|Uniswap|4.36|2.75|1000000000|
aave|aave|Aave|176.2|2.7|16000000|
memecore|m|MemeCore|1.52|2.6|10000000000|
near|near|NEAR Protocol|1.98|2.5||
okb|okb|OKB|113.5|2.38|21000000|
internet-computer|icp|Internet Computer|4.27|2.32||
pepe|pepe|Pepe|0.00000538|2.26|420690000000000|
bitget-token|bgb|Bitget Token|3.22|2.25||
ethereum-classic|etc|Ethereum Classic|14.4|2.2|210700000|
pi-network|pi|Pi Network|0.2437|2.0|100000000000|
aster-2|aster|Aster|0.81|1.95|8000000000|
ondo-finance|ondo|Ondo|0.5982|1.89|10000000000|
falcon-finance|usdf|Falcon USD|1.0|1.84||s
aptos|apt|Aptos|2.44|1.79||
kaspa|kas|Kaspa|0.0652|1.75|28704026601|
worldcoin-wld|wld|Worldcoin|0.7411|1.7|10000000000|
polygon-ecosystem-token|pol|POL (ex-MATIC)|0.1558|1.64||
sky|sky|Sky|0.0694|1.6|23462665147|
ethena|ena|Ethena|0.2203|1.58|15000000000|
arbitrum|arb|Arbitrum|0.2718|1.5|10000000000|
algorand|algo|Algorand|0.1655|1.45|10000000000|
cosmos|atom|Cosmos Hub|2.98|1.42||
usdd|usdd|USDD|1.0|1.4||s
global-dollar|usdg|Global Dollar|1.0|1.38||s
pump-fun|pump|Pump.fun|0.003817|1.35|1000000000000|
vechain|vet|VeChain|0.01536|1.32|86712634466|
filecoin|fil|Filecoin|1.81|1.29|1958463717|
gatechain-token|gt|Gate|10.9|1.26||
kucoin-shares|kcs|KuCoin|9.6|1.24||
render-token|render|Render|2.37|1.22|644168762|
quant-network|qnt|Quant|83.1|1.21|14881364|
ripple-usd|rlusd|Ripple USD|1.0|1.2||s
sei-network|sei|Sei|0.1825|1.18|10000000000|
official-trump|trump|Official Trump|5.83|1.16|1000000000|
bonk|bonk|Bonk|0.00001347|1.15|87994739153188|
nexo|nexo|NEXO|1.14|1.13|1000000000|
xdce-crowd-sale|xdc|XDC Network|0.06217|1.12||
jupiter-exchange-solana|jup|Jupiter|0.3305|1.08|10000000000|
flare-networks|flr|Flare|0.01426|1.07||
htx-dao|htx|HTX DAO|0.00000112|1.05||
pancakeswap-token|cake|PancakeSwap|2.96|1.02|450000000|
morpho|morpho|Morpho|1.91|1.01|1000000000|
optimism|op|Optimism|0.5224|0.99|4294967296|
celestia|tia|Celestia|1.13|0.97||
stacks|stx|Stacks|0.5302|0.96|1818000000|
injective-protocol|inj|Injective|9.52|0.94|100000000|
curve-dao-token|crv|Curve DAO|0.6611|0.93|3030303030|
lido-dao|ldo|Lido DAO|1.02|0.91|1000000000|
immutable-x|imx|Immutable|0.4573|0.9|2000000000|
fetch-ai|fet|Artificial Superintelligence Alliance|0.3715|0.87|2719493896|
starknet|strk|Starknet|0.1842|0.83|10000000000|
the-graph|grt|The Graph|0.0771|0.81|10800262823|
tezos|xtz|Tezos|0.7443|0.79||
floki|floki|FLOKI|0.0000811|0.77|10000000000000|
iota|iota|IOTA|0.1809|0.75||
true-usd|tusd|TrueUSD|1.0|0.49||s
usdtb|usdtb|USDtb|1.0|0.86||s
gho|gho|GHO|1.0|0.47||s
conflux-token|cfx|Conflux|0.0902|0.46||
bittorrent|btt|BitTorrent|0.00000046|0.45|990000000000000|
raydium|ray|Raydium|1.61|0.43|555000000|
ethereum-name-service|ens|Ethereum Name Service|11.7|0.42|100000000|
maple-finance|syrup|Maple Finance|0.3621|0.41||
theta-token|theta|Theta Network|0.4014|0.4|1000000000|
decentraland|mana|Decentraland|0.2031|0.39||
the-sandbox|sand|The Sandbox|0.1518|0.38|3000000000|
astherus-usdf|usdf|Aster USDF|1.0|0.37||s
axie-infinity|axs|Axie Infinity|1.31|0.22|270000000|
gala|gala|GALA|0.00782|0.36|50000000000|
neo|neo|NEO|4.62|0.33|100000000|
eos|eos|EOS|0.2174|0.31|2100000000|
"""


@dataclass(frozen=True, slots=True)
class Coin:
    """A coin at the reference day: price in USD, supply in coins."""

    id: str
    symbol: str
    name: str
    price: float
    supply: float
    max_supply: int | None = None
    kind: str = ""
    leading: bool = False


def _coin(line: str, position: int) -> Coin:
    identifier, symbol, name, price, billions, ceiling, kind = line.split("|")
    supply = float(billions) * 1e9 / float(price)
    return Coin(
        identifier,
        symbol,
        name,
        float(price),
        float(round(supply)),
        int(ceiling) if ceiling else None,
        kind,
        position < LEADING,
    )


@cache
def coins() -> tuple[Coin, ...]:
    """Every coin of the fake, largest first at the reference day."""
    lines = [line for line in _TABLE.splitlines() if line]
    return tuple(_coin(line, position) for position, line in enumerate(lines))
