"""Texts of the Leaderboard page.

Boundary: words; the verdict and findings come from `ratings`.
"""

from __future__ import annotations

from collections.abc import Mapping

EMPTY_CATEGORY = "No votes on {category} yet."
EMPTY_LEAD = "The first blind votes show on the leaderboard at once."
EMPTY_LINK = "Compare now"
LEAD = "{votes} by {raters}."
CATEGORY = "Instructions"
ALL = "all"
VIEW = "Votes"
VIEWS: Mapping[str, str] = {
    "people": "people",
    "programs": "programs",
    "chosen": "chosen pairs",
    "imported": "with imported",
    "all": "every vote",
}
EMPTY_VIEWS: Mapping[str, str] = {
    "programs": "Programs vote through the API. Their votes show here.",
    "chosen": "Votes on models that the visitor chose show here.",
}
"""Advice for an empty board of other votes than blind ones of people."""
LEFT_OUT = "Votes left out"
LEFT_OUT_NONE = "No vote was left out in the last {days} days."
LEFT_OUT_DAY, LEFT_OUT_VOTES, LEFT_OUT_TODAY = "day", "votes", "today"
LEFT_OUT_SHARE = "{left_out:,} ({share})"
LEFT_OUT_UNKNOWN = "How many votes were left out is not known now."
GATE_OK = "No gate leaves out more votes today than the seven days before explain."
GATE_UNKNOWN = "Too few votes to tell if a gate leaves out more of them today than before."
GATE_WARNING = "Today {left_out} of {votes} were left out ({words}), far more than in the seven days before ({before})."
RATINGS = "Rating, with 95 % intervals"
HEAT = "How often the row beats the column (fitted)"
TABLE = "All models"
TRUST = "Can these votes be trusted?"
HEAD: Mapping[str, str] = {
    "rank": "rank",
    "model": "model",
    "rating": "rating",
    "interval": "95 %",
    "battles": "battles",
    "wins": "wins",
    "both_bad": "all bad",
    "license": "license",
}
