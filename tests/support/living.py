"""Live studies for tests: raters write, and the answers are stored without models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playground.battles import Viewer
from playground.catalog.catalog import Catalog
from playground.records import FinishReason, Instruction, LiveItem
from playground.settings import Settings
from playground.storage.database.statements import Writing
from playground.studies.live import settle, wanted_answers
from tests.support.cast import House, generation
from tests.support.studying import Studied, studied

CARDS = tuple(Catalog.load(Settings().card_folders, Settings().template_folders).cards.values())


@dataclass(frozen=True)
class Living:
    """A live study, and what is done with it."""

    study: Studied

    @property
    def home(self) -> House:
        return self.study.home

    def write(self, link: int, instruction: str = "Say it.", browser: str = "") -> LiveItem:
        viewer = Viewer(browser or f"rater-{link}")
        token = self.study.tokens[link - 1]
        return self.study.reservations.write(self.study.file.id, token, viewer, Instruction(instruction), "2026-12-01")

    def answer(
        self, live: LiveItem, texts: Sequence[str] = ("One.", "Two."), reasons: Sequence[FinishReason] = ()
    ) -> bool:
        """Store answers as the models would write them, and make an item of them."""
        wanted = wanted_answers(live, CARDS)
        ends = reasons or (FinishReason.STOP,) * len(texts)

        def work(writing: Writing) -> None:
            for one, text, reason in zip(wanted, texts, ends, strict=False):
                id = f"{live.number}-{one.model_id}"
                writing.insert_generation(generation(id, one.model_id, text, reason, live.instruction))
                writing.insert_generated(one.key, 1, 1, one.run_seed, id)

        self.home.store.write(work)
        return settle(self.home.store, live, wanted, ("",) * len(wanted))

    def judge(self, link: int, instruction: str = "Say it.") -> str:
        """Write an instruction, judge its answers, and return the battle's id."""
        self.answer(self.write(link, instruction))
        battle = self.study.judge(link)
        assert battle is not None
        return battle


def living(home: House, links: int, **keys: Any) -> Living:
    """Store a live study with links."""
    return Living(studied(home, 0, links, live=True, **keys))
