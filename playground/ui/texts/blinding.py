"""Texts of the box that says how well raters recognise models, and of the question on the page Compare."""

from __future__ import annotations

from playground.ui.texts.language import Plural, _

# The question, on the page Compare

QUESTION = _("Which model was {side}?")
DONT_KNOW = _("Don’t know")

# The box, on the page Leaderboard

TITLE = _("Can raters tell the models apart?")
METHOD = _(
    "After some blind votes, before the reveal, raters are asked which model one answer was. 0 % is no better than"
    " chance, 100 % is always right."
)
UNKNOWN = _("Not known: the guesses could not be read.")
NOBODY = _("Not known yet: nobody has been asked.")
TOO_FEW = _("Not known yet: {guesses}, and it takes at least {fewest}.")
GUESSES: Plural = Plural("{count:,} guess", "{count:,} guesses")
BETTER = _(
    "Better than chance: {index} ({lower} to {upper}), from {guesses} of {raters}. Blind battles are not quite blind."
)
NOT_BETTER = _("No better than chance, as far as {guesses} of {raters} can tell: {index} ({lower} to {upper}).")
ANSWERED = _("{share} of the {asked:,} that were asked answered.")

MODELS = _("How often a model is recognised beyond chance")
MODEL, ANSWERS, INDEX = _("Model"), _("Guesses about it"), _("Recognised beyond chance (95 %)")
REVEALS = _("By the reveals that the rater had seen before")
SEEN, ASKED, SHARE = _("Reveals seen"), _("Asked"), _("Answered")
SEEN_NONE = _("none")
SEEN_FROM_TO = _("{least} to {most}")
SEEN_FROM = _("{least} or more")
NOT_YET = _("not known yet")
RANGE = _("{index} ({lower} to {upper})")
