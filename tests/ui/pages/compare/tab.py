"""A tab of the Compare page, as its handlers see it."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import gradio as gr
from starlette.datastructures import Headers

from playground.battles import Viewer
from playground.errors import PlaygroundError
from playground.rater_ids import COOKIE
from playground.records import Instruction
from playground.settings import Settings
from playground.ui.pages.compare.page import ComparePage
from tests.support.browsing import RATER, SECRET
from tests.support.stub_arena import ALPACA, StubArena


class Tab:
    """One tab on the page; its methods do what a visitor does."""

    def __init__(self) -> None:
        self.arena = StubArena(Settings(), chars_per_s=1e6, loading_s=-1.0)
        with gr.Blocks():
            self.page = ComparePage(self.arena)  # type: ignore[arg-type]
        self.request: Any = SimpleNamespace(
            client=None, headers=Headers({"cookie": f"{COOKIE}={SECRET}"}), query_params={}, session_hash="tab"
        )
        self.shown: dict[str, Any] = {}

    def begins(self, instruction: str = ALPACA, **how: Any) -> Tab:
        """Show a new battle of the arena."""
        blind = how.pop("blind", True)
        words = Instruction(instruction, system=how.pop("system", ""))
        battle_id = self.arena.compare(words, Viewer(RATER), blind=blind, **how)
        view = self.arena.view(battle_id, Viewer(RATER))
        self.shown = {"battle": battle_id, "revision": view.revision, "step": 1, "said": "", "again": True}
        return self

    def handler(self, name: str) -> Any:
        page = self.page
        owners = (page.starting, page.following, page.voting, page.notes)
        return next(getattr(owner, name) for owner in owners if hasattr(owner, name))

    def votes(self, choice: str = "a") -> dict[Any, Any]:
        return self.does(self.page.voting.vote, choice)

    def does(self, handler: Any, *values: Any) -> dict[Any, Any]:
        """Call a handler, and read from the status line what the script sends next."""
        updates: dict[Any, Any] = handler(self.shown, self.request, *values)
        found = re.search("data-battle='(.+?)' data-revision='(.+?)'", str(updates.get(self.page.panels.status.line)))
        if found:
            self.shown |= {"battle": found[1], "revision": int(found[2])}
        elif "data-phase='compose'" in str(updates.get(self.page.panels.status.line)):
            self.shown |= {"battle": "", "revision": None}
        return updates

    def status(self, updates: dict[Any, Any]) -> str:
        return str(updates[self.page.panels.status.line])

    @property
    def view(self) -> Any:
        return self.arena.view(self.shown["battle"], Viewer(RATER))


def fails(error: PlaygroundError) -> Any:
    def failing(*_args: Any, **_named: Any) -> Any:
        raise error

    return failing
