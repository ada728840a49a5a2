"""The sentences that the fake's speeches are made of: worry and comfort about financial stability, a lean of
policy, and plain talk around them. All invented; nobody said any of it.

`{market}`, `{firms}`, `{when}`, `{how}` and `{number}` are filled in by `speech_text`.
"""

MARKETS = (
    "the market for Treasury securities", "short-term funding markets", "the market for leveraged loans",
    "corporate bond markets", "commercial real estate", "the market for commercial paper",
    "municipal finance", "equity markets", "the repo market", "private credit",
)  # fmt: skip
FIRMS = (
    "regional banks", "the largest banks", "money market funds", "broker-dealers", "insurers", "hedge funds",
    "nonbank lenders", "smaller community banks", "households", "nonfinancial firms",
)  # fmt: skip
WHEN = (
    "over the past year", "since our last report", "in recent months", "during the spring",
    "in the past two quarters", "since the turn of the year", "over the past several weeks",
)  # fmt: skip
HOW = ("markedly", "somewhat", "modestly", "noticeably", "in several respects", "by most of our measures")

WORRY = (
    "Leverage among {firms} has risen {how} {when}, and with it the exposure to a sudden repricing.",
    "I am concerned that strains in {market} could spill over to {firms} and amplify losses.",
    "Liquidity in {market} deteriorated {how} {when}, and the risk of disorderly trading remains elevated.",
    "A sharp correction in {market} would expose vulnerabilities that calm times conceal.",
    "Runs need not begin at banks: {firms} fund long assets with short debt, a mismatch that turns fragile"
    " under stress.",
    "Delinquencies at {firms} have increased {how}, and the losses are not yet on every balance sheet.",
    "Volatility in {market} surged {when}, and haircuts were raised at the worst moment.",
    "Fire sales by {firms} would impair collateral across {market} and deepen the turmoil.",
    "The shock {when} revealed weaknesses in risk management that should trouble all of us.",
    "Valuations in {market} look stretched, and an unexpected downturn could unwind them abruptly.",
    "Uncertainty about {firms} has weighed on {market}, where spreads widened under pressure.",
    "Contagion moves faster than it did in earlier crises, and failures cascade across {firms}.",
    "We saw how uninsured deposits can flee within {number} hours, and panic leaves little time to think.",
    "Maturity and liquidity mismatches at {firms} remain a threat that we have underestimated before.",
    "If {market} were to freeze, {firms} would face a shortfall that private money may not fill.",
    "Crowded positions in {market} could be liquidated all at once, and dislocations would follow.",
    "Refinancing needs of {firms} will peak in {number} months, when defaults are likely to worsen.",
    "The erosion of lending standards in {market} is a problem that good years hide.",
    "Cyber incidents at {firms} could disrupt payments and undermine confidence within hours.",
    "Stress in {market} tends to be systemic because {firms} hold the same risky assets.",
    "A severe recession abroad would hit {firms} that are already exposed and undercapitalized.",
    "Some of the tensions {when} came from {firms} that were forced to sell into a weak market.",
)  # fmt: skip
COMFORT = (
    "The banking system is sound and resilient, with capital and liquidity well above requirements.",
    "Conditions in {market} have improved {how} {when}, and trading is orderly.",
    "Buffers at {firms} are ample, and they have withstood larger swings than these.",
    "{market} has functioned smoothly {when}, with support from steady demand.",
    "Households remain in strong financial health, and {firms} have stable funding.",
    "Reforms made after the last episode have strengthened {firms} and made {market} safer.",
    "Deposits at {firms} have stabilized, and funding is again reliable and well diversified.",
    "I take some comfort from the prudent way in which {firms} have rebuilt their cushions.",
    "Spreads in {market} have eased {how} {when} and are moderate by the standards of the past.",
    "Central clearing has bolstered {market}, and margins proved robust {when}.",
    "Our facilities restored calm in {market}, and they have since been repaid.",
    "Balance sheets of {firms} are healthy, with durable earnings and sustainable debt.",
    "Supervisors and {firms} have made real progress on resolution planning {when}.",
    "Reserves remain abundant, so that {market} can absorb ordinary swings with ease.",
    "The recovery of {market} has been steady, and pricing is again orderly.",
    "Stronger standards for {firms} paid off {when}, and that success should be preserved.",
    "Activity in {market} has normalized, and intermediaries stand ready to support it.",
    "Well-capitalized {firms} continued to lend {when}, which is what soundness is for.",
)  # fmt: skip
TIGHT = (
    "Inflation has been persistent, and I would support a further increase should progress stall.",
    "Policy needs to remain restrictive for some time to bring inflation down to 2 percent.",
    "Upside surprises in prices would call for tighter policy, and I am vigilant about them.",
    "Tightening has more to do before demand and supply are in line.",
    "I do not see a case to cut rates while inflationary pressures are broad.",
    "Raising the target range was the right decision given how firm demand has been.",
)
EASY = (
    "With inflation moving down, it will be appropriate to lower the target range over time.",
    "There is slack in the labor market, and patience in cutting rates could do harm.",
    "Disinflation has broadened, which leaves room for a less restrictive stance.",
    "Downside risks to employment argue for easing sooner rather than later.",
    "I would not raise rates on a few strong readings, and I expect to support further cuts.",
    "A more accommodative stance would guard against an unwelcome slowing.",
)
PLAIN = (
    "Thank you for the invitation; it is a pleasure to be with you today.",
    "Let me begin with the outlook and then turn to the subject of this conference.",
    "Gross domestic product grew by {number} tenths of a percent more than we had estimated {when}.",
    "Payroll gains averaged about {number} thousand a month {when}, close to what we had projected.",
    "Data for {market} are collected by several agencies and arrive with different lags.",
    "Our staff surveys {firms} four times a year and publishes the answers a month later.",
    "Payments in this country run over systems that were designed {number} years ago.",
    "The Board receives comments from {firms} on each proposal and reads all of them.",
    "Consumer prices rose {number} tenths in the latest month, about what forecasters had written down.",
    "I will describe three channels through which policy reaches {firms}.",
    "The first of these channels runs through {market}, where prices adjust within minutes.",
    "A second channel is slower and works through the plans of {firms}.",
    "Research at the Reserve Banks has looked at {market} from a different angle.",
    "Economists disagree about how long it takes, and the evidence is mixed.",
    "My colleagues and I meet eight times a year, and between meetings we travel and listen.",
    "Community development takes time, and the people in this room know that better than I do.",
    "Productivity grew {how} {when}, which would help incomes if it lasted.",
    "New technology is changing how {firms} do business, and our rules have to keep up.",
    "Housing starts moved {how} {when}, and rents followed with the usual delay.",
    "The supervisory calendar for {firms} will be published in {number} weeks.",
    "Let me illustrate this with a chart that shows {market} {when}.",
    "As the figure shows, the line has moved {how} from where it stood {number} quarters ago.",
    "Survey answers of {firms} point in the same direction as the official figures.",
    "Labor force participation of people between 25 and 54 is close to where it was {number} years ago.",
    "Imports and inventories moved the headline {how}, and I look through such swings.",
    "I look forward to your questions and to a conversation about {market}.",
    "Any view of this kind is my own and may not be shared by others on the Committee.",
    "The dual mandate asks for maximum employment and for prices that people need not think about.",
    "Students of monetary history will recognize the pattern, though no two episodes are alike.",
    "Tailoring of requirements by size and activity is a principle that I have long favored.",
)
TITLES = (
    "The Outlook and {about}", "{about}: Lessons of the Past Year", "Thoughts on {about}",
    "{about} and the Work Ahead", "Opening Remarks on {about}", "A Conversation about {about}",
)  # fmt: skip
ABOUT = (
    "Monetary Policy", "Financial Stability", "Bank Supervision", "Community Banking", "the Payment System",
    "the Labor Market", "Bank Capital", "Treasury Market Structure", "Household Balance Sheets",
    "Artificial Intelligence", "Central Bank Communication", "Housing Finance",
)  # fmt: skip
PLACES = (
    "At the Harbor Economic Forum, Boston, Massachusetts",
    "At the Association of Lenders Annual Meeting, Denver, Colorado",
    "At the Conference on Money and Banking, S&atilde;o Paulo, Brazil",
    "At the Institute for Public Finance, Z&uuml;rich, Switzerland",
    "At the University Lecture Series, Ann Arbor, Michigan",
    "At a Luncheon of the Chamber of Commerce, Mobile, Alabama",
    "At the Workshop on Market Structure, Washington, D.C.",
)
