"""The status line."""

from __future__ import annotations

import pytest

from playground.ui.pages.compare.state import PageState, Phase
from playground.ui.pages.compare.status import status_html
from playground.ui.texts import compare as texts
from tests.support.page_states import page


def test_status_line_has_the_data_of_the_script() -> None:
    html = status_html(page(Phase.VOTED))
    assert "role='status' aria-live='polite'" in html
    assert f"data-phase='voted' data-step='0' data-battle='{'b' * 32}' data-revision='1'" in html
    assert "data-final-in='4.8'" in html


@pytest.mark.parametrize("count", [2, 3])
def test_status_line_leaves_the_question_to_the_vote_bar(count: int) -> None:
    assert "?" not in status_html(page(Phase.OPEN, count=count))


def test_message_is_escaped() -> None:
    html = status_html(PageState(message="no <b> ${x} {{y}}", is_error=True))
    assert "no &lt;b&gt; &#36;&#123;x&#125; &#123;&#123;y&#125;&#125;" in html
    assert "class='error'" in html


@pytest.mark.parametrize("reason", ["failed", "expired", "interrupted"])
def test_void_battle_says_why(reason: str) -> None:
    assert texts.STATUS_VOID[reason] in status_html(page(Phase.VOID, void_reason=reason))


@pytest.mark.parametrize("phase", [Phase.GENERATING, Phase.OPEN, Phase.VOTED, Phase.REVEALED, Phase.VOID])
def test_hidden_battle_says_so_in_every_phase(phase: Phase) -> None:
    changes = {"void_reason": "failed"} if phase is Phase.VOID else {}
    assert texts.STATUS_HIDDEN in status_html(page(phase, hidden=True, **changes))
    assert texts.STATUS_ERASED in status_html(page(phase, hidden=True, erased=True, **changes))
