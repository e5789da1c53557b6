"""Texts of the page About.

Boundary: words; no markup, no Gradio.
"""

from __future__ import annotations

from playground.ui.texts.language import _

LEAD = _("Open instruction models, compared side by side by people who do not know which is which.")
PURPOSE = _("What it is for")
PURPOSE_WORDS = (
    _(
        "You type one instruction, and two to six models answer it at once. In a blind comparison their names stay "
        "hidden until you have said which answer is best, so that a name cannot sway you. In an open one you choose"
        " the models."
    ),
    _(
        "Each answer is stored with its exact prompt, its settings and the revision of its model. Whoever doubts a "
        "vote can look at what was compared; whoever trains or studies models can use the votes as data."
    ),
)
RANKING = _("How the ranking is made")
RANKING_WORDS = (
    _(
        "A vote is turned into pairs: the best answer beat each of the others, or, if you ranked them, each answer "
        "beat those below it. The ratings are the Bradley–Terry strengths that explain these pairs best. 1000 is "
        "the mean, and 400 points more mean ten wins to one loss. A tie counts as half a win for each, and so does "
        "“both bad”."
    ),
    _(
        "The intervals cover 95 %. Once enough people have voted, a person, not a vote, is the unit: one who votes a "
        "hundred times tells less than a hundred who vote once. Blind votes of people count, on pairs that the "
        "playground drew. The leaderboard says how many votes were left out and why, and says so when there are too "
        "few to tell."
    ),
)
RANKING_LINK = _("See the {link}.")
SOURCE = _("Source")
SOURCE_WORDS = _(
    "The playground is free software under the Apache License 2.0; this is version {version}. Each model has a license "
    "of its own, which the page Models names."
)
SOURCE_LINK = _("The files that run here are at {link}.")
API = _("For programs")
API_WORDS = _(
    "Programs compare and vote through an API, with Python's gradio_client or plain HTTP. The leaderboard counts their "
    "votes apart from those of people."
)
API_EXAMPLE = """\
from gradio_client import Client

client = Client("{address}", headers={{"X-Playground-Rater": "your name"}})
battle = client.submit("What is an alpaca?", blind=True, api_name="/compare").result()
print(client.predict(battle["battle_id"], "a", api_name="/vote"))"""
API_LABEL = _("Example in Python")
CITE = _("How to cite")
CITE_WORDS = _(
    "Name the address, the version and the day on which you looked, because a ranking changes with every vote:"
)
CITATION = _("Playground, version {version}: a web arena for open instruction models. {address} (accessed {day}).")
CITE_LABEL = _("Citation")
