"""Texts of the Leaderboard page.

Boundary: words; the verdict and findings come from `ratings`.
"""

from __future__ import annotations

from collections.abc import Mapping

EMPTY_CATEGORY = "No votes on {category} yet."
NO_BOARD = "There is no leaderboard at this address."
EMPTY_LEAD = "The first blind votes show on the leaderboard at once."
EMPTY_LINK = "Compare now"
LEAD = "{votes} by {raters}."
# Filters

FILTERS = "Filters of the leaderboard"
CHANGE = "change"
CLEAR = "Back to the default board"
DEFAULT_BOARD = "The default board: all instructions, and the votes that count."
ALL = "all"
DEFAULT = "default"
SET = "{name}: {value}"
NO_RATER = "Your browser keeps no rater's id here, so there are no votes of yours to rate. Vote once, then look again."
LABELS: Mapping[str, str] = {
    "category": "Instructions",
    "origin": "Votes of",
    "pairs": "Models",
    "mode": "Names",
    "sampling": "Sampling",
    "imported": "Imported votes",
    "license": "Licenses",
    "since": "From day (UTC)",
    "until": "To day (UTC)",
    "models": "Models",
    "mine": "my votes only",
    "count_all": "quick, flagged and repeated votes too",
    "hide_retired": "without models that answer here no more",
}
NARROWING = ("category", "license")
"""Filters without which all votes are shown; the others have a default of the board."""
CHOICES: Mapping[str, Mapping[str, str]] = {
    "origin": {
        "person": "people",
        "program": "programs",
        "judge": "judging models",
        "shared": "guests of shared links",
        "all": "anybody",
    },
    "pairs": {"drawn": "drawn by the arena", "chosen": "chosen by somebody", "all": "drawn or chosen"},
    "mode": {"blind": "hidden (blind)", "open": "shown (open)", "all": "hidden or shown"},
    "sampling": {"card": "as on the cards", "changed": "changed", "all": "any"},
    "imported": {"only": "only these", "none": "none", "all": "counted too"},
    "license": {"commercial": "commercial use", "other": "other or unknown"},
}
"""Values of a filter, in words."""
EMPTY_ORIGINS: Mapping[str, str] = {
    "program": "Programs vote through the API. Their votes show here.",
    "judge": "Votes of judging models show here.",
    "shared": "Votes of guests of shared links show here.",
}
EMPTY_CHOSEN = "Votes on models that the visitor chose show here."
EMPTY_MINE = "Your own votes show here."
EMPTY_FILTER = "No vote fits these filters. Fewer of them show more."
"""Advice for an empty board of other votes than blind ones of people."""

# Parts

PARTS: Mapping[str, str] = {
    "ratings": "Rating, with 95 % intervals",
    "trust": "Can these votes be trusted?",
    "table": "All models",
    "model": "One model",
    "missing": "Battles that are missing",
    "heat": "How often the row beats the column",
}
"""Titles of the boxes."""
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
METRICS_NOTE = "The last columns are figures that the models' own cards publish; they were not measured here."
FOREST_WORDS = "Ratings with 95 % intervals. {models}."
FOREST_MODEL = "{name}: {rating}, {lower} to {upper}"
FOREST_PROVISIONAL = "{name}: {rating}, {lower} to {upper}, provisional"
MAPS: Mapping[str, tuple[str, str]] = {
    "fitted": ("Fitted, %", "The chance that the ratings give."),
    "observed": ("Observed, %", "Wins and half of the ties, of the pairs that met."),
    "counts": ("Pairs", "The number of judged pairs behind each cell."),
}
"""Title of each map, and the meaning of its numbers."""
RETIRED = "retired"

# Downloads

DOWNLOAD = "Download this board:"
DOWNLOAD_LABEL = "Download this board as {container}"
CONTAINERS: Mapping[str, str] = {"csv": "CSV", "json": "JSON"}
PICTURE = "PNG"
PICTURE_LABEL = "Download the plot of ratings as PNG"
NO_CONTAINER = "A leaderboard is no {container!r} file; valid: {valid}"

# One model

MODEL_RANKED = "Rank {rank}, rating {rating} ({interval}), {battles}."
MODEL_PROVISIONAL = "Provisional: rating {rating} ({interval}), {battles}."
MODEL_UNRATED = "No vote on this board is about this model."
MODEL_CLOSE = "Close"
OPPONENTS = "Results against each other model"
OPPONENTS_HEAD = ("against", "win rate", "wins", "losses", "ties", "pairs")

# Small boards

MISSING_NOTE = "Ranks and claims need {least} battles of a model."
MORE_BATTLES = ("{count:,} more battle", "{count:,} more battles")

# Method

HOW = "How this is computed"
HOW_FIT = (
    "Bradley–Terry ratings by maximum likelihood: 400 points are odds of ten to one, and the mean is 1000. "
    "The prior is {prior} × (models − 1) ties, spread over the pairs that met."
)
HOW_BOTH_BAD: Mapping[str, str] = {
    "half": "A tie is half a win, and so is a vote that finds all answers bad.",
    "omit": "A tie is half a win; votes that find all answers bad are left out.",
}
HOW_UNIT: Mapping[str, str] = {
    "rater": "Intervals hold at {level} % for one look. Each rater is one unit, as one person's votes are alike.",
    "vote": "Intervals hold at {level} % for one look. Each vote is one unit, so they speak of these raters only.",
}
HOW_CLAIMS = "Claims in the verdict hold together at {level} %, however often the board is read."
HOW_CLAIMS_VIEW = "Claims are those of one look: this is one of many views, and they are not corrected for the others."
HOW_PROVISIONAL = "Below {least} battles a rating is provisional and has no rank."
HOW_QUICK = "Votes within {seconds} s of the end of the answers do not count."
HOW_DAILY = "At most {most} votes of one rater count on one day."
HOW_SHARE = "With raters enough, nobody weighs more than {share} %."
HOW_FLAGGED = "Votes on answers that name their model, or that were seen with its name before, do not count."
HOW_FLAGGED_COUNT = "Votes on answers that name their model, or that were seen with its name before, count too."
