"""The analyses on the Leaderboard page: boxes with sentences and links, and nothing before they are ready."""

from __future__ import annotations

from playground.ratings.alternatives import Ranges, RankRange
from playground.ratings.analyses import Analyses, Carrying, Stability, StyleAnalysis, StyleEffect
from playground.ratings.style import Coefficient
from playground.ui.pages.leaderboard.analyses import analyses_html

COEFFICIENT = Coefficient("length", 0.6, 0.1, 0.4, 0.8, 0.0001, 240)
STYLE = StyleAnalysis(
    (StyleEffect("length", 1.22, 1.14, 1.3, COEFFICIENT, "Length <raises>."),), (), "Same.", 240, False
)
CARRYING = Carrying(3, 0.01, "a", "b", ("0" * 32, "1" * 32), "3 of 300 votes decide first place.")
RANGES = Ranges((RankRange("a", 1, 1, 2, ("x",)),), ("x",), ())


def test_nothing_is_drawn_before_analyses_are_ready_or_of_few_votes() -> None:
    assert analyses_html(None) == analyses_html(Analyses(None, None, None)) == ""


def test_each_analysis_has_a_box_and_texts_are_escaped() -> None:
    html = analyses_html(Analyses(STYLE, CARRYING, Stability(RANGES, ("A: rank 1 to 2.",), "One moves.")))
    assert html.count("<section") == html.count("</section>") == 3
    assert "<li>Length &lt;raises&gt;.</li>" in html
    assert "<p>Same.</p>" in html
    assert "<li>A: rank 1 to 2.</li>" in html


def test_battles_of_carrying_votes_are_links_and_the_rest_a_number() -> None:
    html = analyses_html(Analyses(None, CARRYING, None))
    assert f"<a href='./?battle={'1' * 32}&amp;look=1'>2</a> and 1 more" in html
