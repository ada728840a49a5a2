"""The sentences of the morning brief, as gettext ids: what is between braces is a value of the record."""

from storage.texts import N_

LEVEL = N_("StressIndex {index} on {day}: {band}, percentile {percentile} of its history.")
LEVEL_ALONE = N_("StressIndex {index} on {day}; its history is too short for a percentile.")
MOVE = N_("It moved {points} points against the trading day before.")
DRIVER = N_("{module} moved it by {points} points, to a score of {score}.")
PART = N_("{module} adds {points} points to the neutral 50, with a score of {score}.")
COVERAGE = N_("{points} points of the move come from what could be measured, not from the market.")
SET = N_("Coverage is {coverage}% of the market's weight: {label}.")
NO_INDEX = N_("There is no StressIndex yet: collect liquidity.")

BITCOIN = N_("Bitcoin stood at {price} USD on {day}: {change}% in 24 hours, {week}% in 7 days.")
RISE = N_("Largest rise of the top 20: {name}, {change}% in 24 hours.")
FALL = N_("Largest fall of the top 20: {name}, {change}% in 24 hours.")
DOMINANCE = N_("Bitcoin's share of the market is {value}%, {change} points against {before}.")
TVL = N_("{value} billion USD are locked in DeFi, {change}% against {before}.")
MOOD = N_("Fear & Greed is at {value} ({label}), {change} against {before}.")
NO_CRYPTO = N_("There are no crypto prices yet: collect crypto.")

ABOUT = N_("On {what}: “{title}” ({outlet}).")
ABOUT_TOLD = N_("On {what}: “{title}” ({outlet} and {others} more).")
MOST = N_("Told most: “{title}” ({outlet} and {others} more).")
NO_STORY = N_("No story of the last 24 hours is about what moved.")

OPEN_INDEX = N_("The StressIndex of {day} is provisional: that trading day was not over.")
OPEN_CRYPTO = N_("Crypto prices of {day} are provisional: that day (UTC) was not over.")
UNDATED = N_("News without a time that can be believed: {n}; the time they were first seen stands for it.")
MISSED = N_("No prices were collected on {days}.")
LATE = N_("Late: {source}, stored up to {day}.")
NEVER = N_("Missing: {source}, of which nothing is stored.")
MORE = N_("Late or missing besides: {n}.")
COMPLETE = N_("Everything that is out by now is stored.")
