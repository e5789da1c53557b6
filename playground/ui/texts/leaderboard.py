"""Texts of the Leaderboard page.

Boundary: words; the verdict and findings come from `ratings`.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.ui.texts.language import Plural, _

EMPTY_CATEGORY = _("No votes on {category} yet.")
NO_BOARD = _("There is no leaderboard at this address.")
EMPTY_LEAD = _("The first blind votes show on the leaderboard at once.")
EMPTY_LINK = _("Compare now")
LEAD = _("{votes} by {raters}.")
# Filters

FILTERS = _("Filters of the leaderboard")
CHANGE = _("change")
CLEAR = _("Back to the default board")
DEFAULT_BOARD = _("The default board: all instructions, and the votes that count.")
ALL = _("all")
DEFAULT = _("default")
SET = _("{name}: {value}")
NO_RATER = _(
    "Your browser keeps no rater's id here, so there are no votes of yours to rate. Vote once, then look again."
)
LABELS: Mapping[str, str] = {
    "category": _("Instructions"),
    "origin": _("Votes of"),
    "pairs": _("Models"),
    "mode": _("Names"),
    "sampling": _("Sampling"),
    "imported": _("Imported votes"),
    "license": _("Licenses"),
    "since": _("From day (UTC)"),
    "until": _("To day (UTC)"),
    "models": _("Models"),
    "study": _("Study"),
    "unit": _("Unit of intervals"),
    "level": _("Level of intervals"),
    "both_bad": _("All-bad votes"),
    "bootstrap": _("Intervals from"),
    "mine": _("my votes only"),
    "count_all": _("quick, flagged and repeated votes too"),
    "hide_retired": _("without models that answer here no more"),
}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "origin": {
        "person": _("people"),
        "program": _("programs"),
        "judge": _("judging models"),
        "shared": _("guests of shared links"),
        "all": _("anybody"),
    },
    "pairs": {"drawn": _("drawn by the arena"), "chosen": _("chosen by somebody"), "all": _("drawn or chosen")},
    "mode": {"blind": _("hidden (blind)"), "open": _("shown (open)"), "all": _("hidden or shown")},
    "sampling": {"card": _("as on the cards"), "changed": _("changed"), "all": _("any")},
    "imported": {"only": _("only these"), "none": _("none"), "all": _("counted too")},
    "license": {"commercial": _("commercial use"), "other": _("other or unknown")},
    "unit": {"rater": _("each rater"), "vote": _("each vote")},
    "level": {"0.9": _("90 %"), "0.99": _("99 %")},
    "both_bad": {"omit": _("left out")},
    "bootstrap": {"200": _("200 resamples")},
}
"""Values of a filter, in words."""
EMPTY_ORIGINS: Mapping[str, str] = {
    "program": _("Programs vote through the API. Their votes show here."),
    "judge": _("Votes of judging models show here."),
    "shared": _("Votes of guests of shared links show here."),
}
EMPTY_CHOSEN = _("Votes on models that the visitor chose show here.")
EMPTY_MINE = _("Your own votes show here.")
EMPTY_FILTER = _("No vote fits these filters. Fewer of them show more.")
"""Advice for an empty board of other votes than blind ones of people."""

# Parts

PARTS: Mapping[str, str] = {
    "ratings": _("Rating, with {level} % intervals"),
    "trust": _("Can these votes be trusted?"),
    "table": _("All models"),
    "model": _("One model"),
    "missing": _("Battles that are missing"),
    "heat": _("How often the row beats the column"),
}
"""Titles of the boxes."""
HEAD: Mapping[str, str] = {
    "rank": _("rank"),
    "model": _("model"),
    "rating": _("rating"),
    "interval": _("{level} %"),
    "battles": _("battles"),
    "wins": _("win rate"),
    "both_bad": _("all bad"),
    "license": _("license"),
}
METRICS_NOTE = _("The last columns are figures that the models' own cards publish; they were not measured here.")
FOREST_WORDS = _("Ratings with {level} % intervals. {models}.")
FOREST_MODEL = _("{name}: {rating}, {lower} to {upper}")
FOREST_PROVISIONAL = _("{name}: {rating}, {lower} to {upper}, provisional")
MAPS: Mapping[str, tuple[str, str]] = {
    "fitted": (_("Fitted, %"), _("The chance that the ratings give.")),
    "observed": (_("Observed, %"), _("Wins and half of the ties, of the pairs that met.")),
    "counts": (_("Pairs"), _("The number of judged pairs behind each cell.")),
}
"""Title of each map, and the meaning of its numbers."""
RETIRED = _("retired")

# Downloads

DOWNLOAD = _("Download this board:")
DOWNLOAD_LABEL = _("Download this board as {container}")
CONTAINERS: Mapping[str, str] = {"csv": "CSV", "json": "JSON"}
PICTURE = "PNG"
PICTURE_LABEL = _("Download the plot of ratings as PNG")
NO_CONTAINER = _("A leaderboard is no {container!r} file; valid: {valid}")

# One model

MODEL_RANKED = _("Rank {rank}, rating {rating} ({interval}), {battles}.")
MODEL_PROVISIONAL = _("Provisional: rating {rating} ({interval}), {battles}.")
MODEL_UNRATED = _("No vote on this board is about this model.")
MODEL_CLOSE = _("Close")
OPPONENTS = _("Results against each other model")
OPPONENTS_HEAD = (_("against"), _("win rate"), _("wins"), _("losses"), _("ties"), _("pairs"))

# Small boards

MISSING_NOTE = _("Ranks and claims need {least} battles of a model.")
MORE_BATTLES: Plural = Plural("{count:,} more battle", "{count:,} more battles")

# Method

HOW = _("How this is computed")
HOW_FIT = _(
    "Bradley–Terry ratings by maximum likelihood: 400 points are odds of ten to one, and the mean is 1000. "
    "The prior is {prior} × (models − 1) ties, spread over the pairs that met."
)
HOW_BOTH_BAD: Mapping[str, str] = {
    "half": _("A tie is half a win, and so is a vote that finds all answers bad."),
    "omit": _("A tie is half a win; votes that find all answers bad are left out."),
}
HOW_UNIT: Mapping[str, str] = {
    "rater": _("Intervals hold at {level} % for one look. Each rater is one unit, as one person's votes are alike."),
    "vote": _("Intervals hold at {level} % for one look. Each vote is one unit, so they speak of these raters only."),
}
HOW_FEW_RATERS = _(
    "Fewer than {least} raters, or mostly fewer, say nothing about others: the verdict speaks of these raters only."
)
HOW_CLAIMS = _("Claims in the verdict hold together at {level} %, however often the board is read.")
HOW_CLAIMS_VIEW = _(
    "Claims hold at {level} % for one look: this is one of many views, and they are not corrected for the others."
)
HOW_PROVISIONAL = _("Below {least} battles a rating is provisional and has no rank.")
HOW_QUICK = _("Votes within {seconds} s of the end of the answers do not count.")
HOW_DAILY = _("At most {most} votes of one rater count on one day.")
HOW_SHARE = _("With raters enough, nobody weighs more than {share} %.")
HOW_FLAGGED = _("Votes on answers that name their model, or that were seen with its name before, do not count.")
HOW_FLAGGED_COUNT = _("Votes on answers that name their model, or that were seen with its name before, count too.")

# Votes left out

LEFT_OUT = _("Votes left out")
LEFT_OUT_NONE = _("No vote was left out in the last {days} days.")
LEFT_OUT_DAY, LEFT_OUT_VOTES, LEFT_OUT_TODAY = _("day"), _("votes"), _("today")
LEFT_OUT_SHARE = _("{left_out:,} ({share})")
LEFT_OUT_UNKNOWN = _("How many votes were left out is not known now.")
GATE_OK = _("No gate leaves out more votes today than the seven days before explain.")
GATE_UNKNOWN = _("Too few votes to tell if a gate leaves out more of them today than before.")
GATE_WARNING = _(
    "Today {left_out} of {votes} were left out ({words}), far more than in the seven days before ({before})."
)
