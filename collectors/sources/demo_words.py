"""The sentences of demo mode's invented speeches. Nobody said any of them, and nobody real is named.

They are sorted by what they are meant to be; what counts as concern or comfort, the lexicon says.
"""

MARKETS = (
    "funding markets", "the market for corporate credit", "money market funds", "the Treasury market",
    "commercial real estate", "the market for leveraged loans", "smaller banks", "private credit",
)  # fmt: skip

WORRY = (
    "Strains in {market} can spread suddenly, and leverage amplifies the losses that follow.",
    "Vulnerabilities in {market} have become more pronounced, and they deserve our close attention.",
    "When liquidity in {market} dries up, forced sales turn a problem of one firm into a systemic threat.",
    "The rapid unwinding of positions in {market} showed how fragile market depth can be.",
    "Runs do not need a reason, and {market} remains exposed to a loss of confidence.",
    "I worry about maturity mismatch in {market}, where redemptions can outpace what can be sold.",
    "Default rates among weaker borrowers have increased, and stress in {market} has deepened.",
    "Elevated valuations in {market} leave little room for disappointment and invite a sharp correction.",
    "A severe shock to {market} would test institutions that are already under pressure.",
    "Uncertainty about losses in {market} has led lenders to withdraw at the worst moment.",
    "Concentrated exposures to {market} are a source of contagion that few had measured.",
    "Delinquencies have risen, and the deterioration is sharper among households with variable rates.",
    "Volatility has surged, and dealers have been less willing to take risk onto their books.",
    "The failure of one intermediary can cascade through {market} within hours.",
    "Margin calls in {market} were large, unexpected and difficult to meet in cash.",
    "Spreads in {market} have widened to levels that we associate with distress.",
    "Hidden leverage in {market} is hard to see and harder to unwind in an orderly way.",
    "Turmoil abroad could spill over to {market} through several channels at once.",
    "A shortage of safe collateral has added to tensions in {market}.",
    "Weak underwriting in {market} has left vulnerable borrowers exposed to a downturn.",
    "Disruptions in {market} have impaired the flow of credit to households and firms.",
    "Some institutions underestimate how quickly unstable deposits can leave.",
    "The turbulence of recent days is a reminder that imbalances in {market} do not resolve themselves.",
    "Illiquid assets funded with overnight money are a hazard, in {market} as elsewhere.",
)
COMFORT = (
    "Banks are well capitalized, and their buffers are ample by any historical standard.",
    "Functioning in {market} has improved, and bid-ask spreads are back to normal.",
    "Households have strengthened their balance sheets, and savings provide a cushion.",
    "The system as a whole has proved resilient, and it stands ready to support the economy.",
    "Conditions in {market} are calm, and issuance has been steady and robust.",
    "Stable and diversified deposits are a reliable source of funding for most institutions.",
    "Reserves remain abundant, and {market} has continued to function in an orderly manner.",
    "Reforms of the past decade have made {market} safer and more durable.",
    "Our supervision has supported prudent practice, and capital positions are sound.",
    "Progress in {market} has been encouraging, and confidence has been restored.",
    "Liquidity buffers were built in good times, and they have served their purpose.",
    "Corporate earnings are healthy, and interest coverage is strong across most sectors.",
    "The recovery of {market} has been durable, and participants describe it as sound.",
    "Central clearing has bolstered the stability of {market}.",
    "Standing facilities work as a backstop, and their success is that they are little used.",
    "Most participants in {market} could withstand a large fall in asset prices.",
    "Credit quality is solid, and loan growth has moderated to a sustainable pace.",
    "Volumes have normalized, and {market} is once again a reliable place to raise money.",
)
OPENING = (
    "Thank you for the invitation to speak here today.",
    "It is a pleasure to be here, and I thank the organizers for asking me.",
    "Good afternoon, and thank you all for coming on a busy day.",
)
CLOSING = (
    "Thank you, and I look forward to your questions.",
    "With that, I will stop here and listen to what you have to say.",
)
PLAIN = (
    "Let me say again that these views are my own and not those of my colleagues.",
    "I would like to organize my remarks around three questions.",
    "Let me describe how we look at {market} and what we measure.",
    "The data that we publish every week tell only a part of the story.",
    "Technology has changed who lends, who borrows and how the two find each other.",
    "In the years that followed, the number of firms active in {market} doubled.",
    "Our staff speak with participants in {market} nearly every day.",
    "History offers a few lessons, though it seldom offers the same one twice.",
    "Let me turn to the role that public disclosure plays in {market}.",
    "Economists have written a great deal about {market} over the last thirty years.",
    "A framework is only as good as the questions that it makes us ask.",
    "We publish our methods so that others may check them and tell us where we are wrong.",
    "I will come back to this point at the end of my remarks.",
    "The structure of {market} differs from country to country, and so do its rules.",
    "Some of these changes were planned, and others came about on their own.",
    "Data arrive with a delay, and they are revised more often than we would like.",
    "It is worth asking who holds what, and since when.",
    "Local banks know their customers, and that knowledge takes years to build.",
    "There is a long list of open questions, and research will keep us busy.",
    "The committee meets again in a few weeks and will look at all of the incoming information.",
    "Communication matters in {market}, and it is a part of policy rather than an addition to it.",
    "Students often ask me what a central bank does on an ordinary day.",
    "Participation in {market} has become broader, and its hours have become longer.",
)
HAWKISH = (
    "Inflation has been persistent, and policy will have to stay restrictive for some time.",
    "I see upside pressures on prices, and I would raise rates again if the data call for it.",
    "We must remain vigilant until inflation is firmly back at our goal.",
    "A tight labor market and firming wages argue for further tightening.",
    "Restraint has a cost today, and the cost of lifting it early would be larger.",
    "Inflationary expectations would move if we were seen to lose our resolve.",
    "Without tighter policy, demand would run ahead of supply for another year.",
)
DOVISH = (
    "With inflation lower, I can support a cut at one of the coming meetings.",
    "There is slack in the labor market, and I see downside surprises to hiring.",
    "We can afford to be patient, and the next move is more likely to be a cut.",
    "Disinflation has been broad, and lower rates would sustain the expansion.",
    "A more accommodative stance would be appropriate if hiring slows further.",
    "Price pressures are subdued, and I see no reason for tightening.",
    "Easing gradually would keep the expansion on its path.",
)
MANNERS = ("Remarks on", "Thoughts on", "A View of")
SUBJECTS = (
    "Financial Stability", "the Economic Outlook", "Bank Supervision", "the Structure of Markets",
    "Payments", "Market Liquidity", "Community Banking", "Monetary Policy and Communication",
)  # fmt: skip
