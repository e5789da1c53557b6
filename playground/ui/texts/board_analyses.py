"""Texts of the analyses on the Leaderboard page.

Boundary: words; the sentences with numbers come from `ratings`.
"""

from playground.ui.texts.language import _

FAILED = _("What takes longer (style, agreement, ratings over time) cannot be computed now: {reason}")
STYLE = _("Does style win votes?")
STYLE_LEAD = _("All else held equal, the models too: better models that write more show no preference for length.")
CARRYING = _("Which votes carry the result?")
BATTLES = _("Battles:")
MORE = _(" and {votes} more")
STABILITY = _("Does the ranking depend on how votes are counted?")
STABILITY_LEAD = _(
    "Ranks of the ratings themselves, one choice changed at a time. Chance is in the intervals, not here."
)
