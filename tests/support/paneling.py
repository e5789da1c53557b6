"""Studies whose raters a panel sends, for tests: entered, judged and left without a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from playground.arena.studies import ArenaStudies, StudyAssignment
from playground.battles import Battles, Viewer
from playground.studies.panel import Panel
from playground.studies.panel_raters import PanelEnd
from tests.support.cast import House
from tests.support.panel_server import STUDY_ID
from tests.support.studying import FINAL_S, Studied, studied

RATER, SESSION = "5f" * 12, "6e" * 12
CODES = {"complete": "CDONE", "screened_out": "COUT", "attention_failed": "CMISSED", "our_fault": "COURS"}
PROLIFIC = Panel(kind="prolific", study_id=STUDY_ID, **CODES)
LINK = Panel(kind="link", **CODES)


def ids(rater: str = RATER, session: str = SESSION, study_id: str = STUDY_ID) -> dict[str, str]:
    """Return the parameters of a link of Prolific."""
    return {"PROLIFIC_PID": rater, "STUDY_ID": study_id, "SESSION_ID": session}


@dataclass(frozen=True)
class Paneled:
    """A stored study of a panel, and what its raters do."""

    study: Studied
    studies: ArenaStudies

    def enter(self, query: Mapping[str, str] | None = None) -> str:
        return self.studies.enter("helpful", ids() if query is None else query)

    def next(self, token: str, have: Sequence[str] = (), browser: str = "rater-1") -> StudyAssignment:
        return self.studies.next(Viewer(browser), have, "helpful", token)

    def judge(self, token: str, right: bool = True, votes: int = 1000, browser: str = "rater-1") -> PanelEnd | None:
        """Vote until the end, or so many times; return the end. The best answer of a known item is its first."""
        for _ in range(votes):
            given = self.next(token, browser=browser)
            if given.view is None:
                return given.end
            battle = given.view.battle_id
            self.study.home.battles.vote(battle, self.study.side_of(battle, first=right), browser)
            self.study.home.time.pass_s(FINAL_S)
        return None

    def skip(self, token: str, browser: str = "rater-1") -> None:
        given = self.next(token, browser=browser)
        assert given.view is not None
        self.study.home.battles.skip(given.view.battle_id, browser)


def paneled(home: House, instructions: int, panel: Panel = PROLIFIC, **keys: Any) -> Paneled:
    """Store a study of the first instructions for a panel, without links."""
    study = studied(home, instructions, 0, **{"votes_per_rater": 3, "panel": panel, **keys})
    held: Any = SimpleNamespace(stored=Battles(home.store, home.battles.rules))
    return Paneled(study, ArenaStudies(held, ""))
