"""The analyses on the Leaderboard page: boxes with sentences and links, and nothing before they are ready."""

from __future__ import annotations

from playground.ratings.agreement import Agreement
from playground.ratings.alternatives import Ranges, RankRange
from playground.ratings.analyses import Analyses, Carrying, NoAnalyses, Stability, StyleAnalysis, StyleEffect
from playground.ratings.repeats import Between, RaterAgreement, SideWins, Within
from playground.ratings.style import Coefficient
from playground.ui.pages.leaderboard.analyses import analyses_html

COEFFICIENT = Coefficient("length", 0.6, 0.1, 0.4, 0.8, 0.0001, 240)
STYLE = StyleAnalysis(
    (StyleEffect("length", 1.22, 1.14, 1.3, COEFFICIENT, "Length <raises>."),), (), "Same.", 240, False
)
CARRYING = Carrying(3, 0.01, "a", "b", ("0" * 32, "1" * 32), "3 of 300 votes decide first place.")
AGREEMENT = RaterAgreement(
    Between(34, 60, 0.7, Agreement(0.5, 0.4, 0.6, 34), "Two raters <agree>."),
    Within(3, 2, None, None, "Not enough yet."),
    (
        SideWins("a", "A <b>", 1200, 0.5, 1180, 0.62, -0.12, -0.2, -0.04),
        SideWins("b", "B", 3, 1.0, 0, None, None, None, None),
    ),
)
RANGES = Ranges((RankRange("a", 1, 1, 2, ("x",)),), ("x",), ())


def test_nothing_is_drawn_before_analyses_are_ready() -> None:
    assert analyses_html(NoAnalyses()) == ""


def test_analyses_that_cannot_be_made_say_why() -> None:
    assert analyses_html(NoAnalyses("The disk is <full>.")) == (
        "<p class='soft'>What takes longer (style, agreement, ratings over time) cannot be computed now: "
        "The disk is &lt;full&gt;.</p>"
    )


def test_of_few_votes_only_agreement_and_time_have_a_box() -> None:
    html = analyses_html(Analyses(None, None, None, AGREEMENT))
    assert html.count("<section") == html.count("</section>") == 2
    assert "<p>Two raters &lt;agree&gt;.</p><p>Not enough yet.</p>" in html


def test_each_analysis_has_a_box_and_texts_are_escaped() -> None:
    html = analyses_html(Analyses(STYLE, CARRYING, Stability(RANGES, ("A: rank 1 to 2.",), "One moves."), AGREEMENT))
    assert html.count("<section") == html.count("</section>") == 5
    assert "<li>Length &lt;raises&gt;.</li>" in html
    assert "<p>Same.</p>" in html
    assert "<li>A: rank 1 to 2.</li>" in html


def test_each_model_has_its_wins_on_both_sides() -> None:
    html = analyses_html(Analyses(None, None, None, AGREEMENT))
    cells = "<td>50 % of 1,200</td><td>62 % of 1,180</td><td>−12</td><td>−20 to −4</td>"
    assert f"<th scope='row'>A &lt;b&gt;</th>{cells}</tr>" in html
    assert "<td>100 % of 3</td><td>–</td><td>–</td><td>–</td>" in html


def test_battles_of_carrying_votes_are_links_and_the_rest_a_number() -> None:
    html = analyses_html(Analyses(None, CARRYING, None, AGREEMENT))
    assert f"<a href='./?battle={'1' * 32}&amp;look=1'>2</a> and 1 more" in html
