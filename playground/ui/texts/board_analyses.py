"""Texts of the analyses on the Leaderboard page.

Boundary: words; the sentences with numbers come from `ratings`.
"""

STYLE = "Does style win votes?"
STYLE_LEAD = "All else held equal, the models too: better models that write more show no preference for length."
CARRYING = "Which votes carry the result?"
BATTLES = "Battles:"
MORE = " and {votes} more"
STABILITY = "Does the ranking depend on how votes are counted?"
STABILITY_LEAD = "Ranks of the ratings themselves, one choice changed at a time. Chance is in the intervals, not here."
