"""Words of a report.

Boundary: words; English, as everything that a command writes.
"""

from __future__ import annotations

from collections.abc import Mapping

MADE = "Report of {day}"
CONTENTS = "Contents"
TITLES: Mapping[str, str] = {
    "board": "Ranking",
    "criteria": "Further questions",
    "again": "Rate again",
    "examples": "Examples",
    "votes": "Votes",
    "about": "About this report",
}
"""Titles of the parts, by the ids that links lead to."""

LEFT_OUT = "Votes left out"
LEFT_OUT_NONE = "No vote of this ranking's selection was left out."
LEFT_OUT_SOME = "{counted} of {all} count. The others do not, for one reason each:"
BLINDING_NOTE = "Of all blind battles, whatever the report's filter."

CRITERIA_LEAD = (
    "Answers to the further questions of the study, of all its votes that stand. They are counted, and not rated: the"
    " ranking is made of the main question alone."
)
CRITERIA_HEAD = ("question", "answer", "votes", "share")
CRITERIA_NONE = "no answer yet"

AGAIN_LEAD = (
    "Your browser computes these ratings from the counted votes, which are part of this file. Leave out models,"
    " instructions or votes to see what rests on them. The mean stays 1000, so that leaving out a weak model lowers the"
    " others. This is one of many views, without intervals: it claims no order."
)
AGAIN_MODELS, AGAIN_CATEGORIES = "Models", "Instructions"
NO_CATEGORY = "other instructions"
AGAIN_BOTH_BAD = "Votes that find all answers bad"
BOTH_BAD: Mapping[str, str] = {"half": "count as ties", "omit": "left out"}
AGAIN_RESET = "As in the report"
AGAIN_HEAD = ("model", "rating now", "in the report", "change")
SCRIPTS_OFF = "This part needs JavaScript, which is switched off here."

EXAMPLES_LEAD = "For each two models, the newest counted vote that each won, as far as the words are public."
EXAMPLES_NONE = "No battle with a winner has words that may be shown."
EXAMPLES_MORE = "Left out to keep this file small: {pairs}."
PAIR = "{first} and {second}"
WON = "{winner} was preferred to {loser}"
NEVER_WON = "No vote with {winner} as the one best answer beside {loser}."
PREFERRED = "preferred"
CUT = "… ({chars:,} characters in all)"

VOTES_LEAD = "Newest first: {battles} with words."
VOTES_NONE = "There is no battle whose words may be shown."
VOTES_OLDER = "{older} more are older, and left out to keep this file small."
WITHHELD = "Not shown, though votes on them may count in the ranking: {reasons}."
SEARCH, MODEL, OUTCOME, COUNTED = "Words in instruction or answers", "Model", "Outcome", "counted votes only"
ANY = "any"
OUTCOMES: Mapping[str, str] = {"won": "one preferred", "order": "a ranking", "tie": "a tie", "both_bad": "all bad"}
MORE = "Show more"
VOTES_LIST = "Battles"

METHOD, FACTS, LICENSES, CITE = "How the ranking is made", "Made from", "Licenses", "How to cite"
NO_FILTER = "none: the default ranking"
OTHER_RULES = "none; other votes count, or count in another way, than in the default ranking"
FACTS_HEAD: Mapping[str, str] = {
    "filter": "Filter",
    "study": "Study",
    "policy": "Votes that count",
    "votes": "Votes",
    "until": "Votes final by",
    "version": "Made by",
}
VERSION = "playground {version}"
STUDY = "{study}, hash {hash}"
DATA_LICENSE = (
    "Each answer carries the license of its model. What raters wrote and their votes are free for any use (CC0 1.0), by"
    " the terms that they agreed to. Instructions from files have the license of their source."
)
MODELS_HEAD = ("model", "license", "weights", "revision")
CITATION = "{title}: a comparison of {models} by {votes} of {raters}. Made with playground {version}, {day}."
WORDS_AS_WRITTEN = "Answers are shown as written, without layout. They come from models and may be wrong or offensive."
