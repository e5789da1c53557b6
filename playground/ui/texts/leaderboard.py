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
PARTS: Mapping[str, str] = {
    "ratings": "Rating, with 95 % intervals",
    "trust": "Can these votes be trusted?",
    "table": "All models",
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
