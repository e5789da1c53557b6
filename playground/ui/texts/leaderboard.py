"""Texts of the Leaderboard page.

Boundary: words; the verdict and findings come from `ratings`.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.ui.texts.language import _

EMPTY_CATEGORY = _("No votes on {category} yet.")
EMPTY_LEAD = _("The first blind votes show on the leaderboard at once.")
EMPTY_LINK = _("Compare now")
LEAD = _("{votes} by {raters}.")
CATEGORY = _("Instructions")
ALL = _("all")
VIEW = _("Votes")
VIEWS: Mapping[str, str] = {
    "people": _("people"),
    "programs": _("programs"),
    "chosen": _("chosen pairs"),
    "imported": _("with imported"),
    "all": _("every vote"),
}
EMPTY_VIEWS: Mapping[str, str] = {
    "programs": _("Programs vote through the API. Their votes show here."),
    "chosen": _("Votes on models that the visitor chose show here."),
}
"""Advice for an empty board of other votes than blind ones of people."""
RATINGS = _("Rating, with 95 % intervals")
HEAT = _("How often the row beats the column (fitted)")
RATED = _("{model}: {rating}, {lower} to {upper}")
TABLE = _("All models")
TRUST = _("Can these votes be trusted?")
LEFT_OUT = _("Votes left out")
LEFT_OUT_NONE = _("No vote was left out in the last {days} days.")
LEFT_OUT_DAY, LEFT_OUT_VOTES, LEFT_OUT_TODAY = (_("day"), _("votes"), _("today"))
LEFT_OUT_SHARE = "{left_out:,} ({share})"
LEFT_OUT_UNKNOWN = _("How many votes were left out is not known now.")
GATE_OK = _("No gate leaves out more votes today than the seven days before explain.")
GATE_UNKNOWN = _("Too few votes to tell if a gate leaves out more of them today than before.")
GATE_WARNING = _(
    "Today {left_out} of {votes} were left out ({words}), far more than in the seven days before ({before})."
)
HEAD: Mapping[str, str] = {
    "rank": _("rank"),
    "model": _("model"),
    "rating": _("rating"),
    "interval": _("95 %"),
    "battles": _("battles"),
    "wins": _("wins"),
    "both_bad": _("all bad"),
    "license": _("license"),
}
