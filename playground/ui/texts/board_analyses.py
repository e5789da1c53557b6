"""Texts of the analyses on the Leaderboard page.

Boundary: words; the sentences with numbers come from `ratings`.
"""

STYLE = "Does style win votes?"
STYLE_LEAD = "All else held equal, the models too: better models that write more show no preference for length."
CARRYING = "Which votes carry the result?"
BATTLES = "Battles:"
MORE = " and {votes} more"
