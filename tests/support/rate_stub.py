"""The rating routes over made-up battles in memory: the JSON that the Rate page sends and gets, nothing else.

For tests that need every state of the page: studies with a strength and criteria, refusals, ends.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from typing import Any

from playground.ui.http.asgi import ASGIApp, Receive, Scope, Send, read_body
from playground.ui.http.responses import respond_json
from playground.ui.rendering.differences import marked_differences

QUESTION = "Which answer is better?"
ANSWERS = (
    ("An alpaca is a smaller relative of the llama. " * 12, "Alpaca: wool. Llama: loads."),
    ("الألبكة حيوان صغير من أمريكا الجنوبية.", "羊驼是一种来自南美洲的小型动物。" * 30),
    ("word " * 4000, "def is_llama(kg): return kg > 100"),
)
"""Left to right, right to left, without spaces; the last one has 20,000 characters."""


@dataclass
class RateStub:
    """Stored battles, and what one rater has made of them."""

    count: int = 30
    of: int | None = None  # the number of battles that progress names
    strength: bool = False
    reasons: tuple[str, ...] = ("correct", "complete", "clear")
    criteria: tuple[dict[str, Any], ...] = ()
    question: str = QUESTION
    why_none: str = "No stored battle is left for you."
    refusal: str = ""  # of the link
    vote_refusal: str = ""
    why_not: str = ""  # votes do not count
    votes: list[dict[str, Any]] = field(default_factory=list)  # as they were sent; choice "undo" takes one back
    asked: list[dict[str, Any]] = field(default_factory=list)  # bodies of /rate/next
    skipped: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)  # battles that were hidden
    live: str = ""  # what a rater who writes instructions does next, without a battle: write | wait
    why_no_battle: str = ""  # became of their last instruction
    code: str = ""  # of a panel, at the end
    write_answer: tuple[int, dict[str, Any]] = (200, {"accepted": True})
    written: list[str] = field(default_factory=list)  # instructions, as they were sent

    def reset(self, **changes: Any) -> None:
        """Begin anew with other battles and questions."""
        self.__init__(**changes)  # type: ignore[misc]

    @property
    def choices(self) -> list[str]:
        return [str(vote["choice"]) for vote in self.votes]

    def last(self, battle: str) -> tuple[str, int]:
        """Return choice and revision of a battle; ("", 0) before its first vote."""
        mine = [vote["choice"] for vote in self.votes if vote["battle"] == battle]
        return (mine[-1] if mine else "", len(mine))

    def answer(self, path: str, sent: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return status and body of the answer to a request."""
        if path == "/rate/next":
            self.asked.append(sent)
            return (403, {"error": self.refusal}) if self.refusal else (200, self._next(sent))
        if path == "/rate/write":
            self.written.append(sent["instruction"])
            return self.write_answer
        if path == "/rate/skip":
            self.skipped.add(sent["battle"])
            return 200, {"accepted": True}
        if path == "/rate/differences":
            number = int(sent["battle"], 16)
            marked = marked_differences(*ANSWERS[number % len(ANSWERS)])
            return 200, {"battle": sent["battle"], "sides": dict(zip("ab", marked, strict=True))}
        if path == "/rate/undo":
            sent = {**sent, "choice": "undo"}
        if self.vote_refusal:
            return 200, {"accepted": False, "reason": "expired", "error": self.vote_refusal}
        if self.last(sent["battle"])[1] == sent["revision"]:
            self.votes.append(sent)
        choice, revision = self.last(sent["battle"])
        saved = {"accepted": True, "choice": choice, "revision": revision, "state": "voted"}
        return 200, saved | ({"why_not": self.why_not} if self.why_not else {})

    def _next(self, sent: dict[str, Any]) -> dict[str, Any]:
        ids = [f"{number:032x}" for number in range(self.count)]
        done = [battle for battle in ids if self.last(battle)[0] not in ("", "undo")]
        taken = {*done, *sent["have"], *self.skipped, *self.gone}
        free = [battle for battle in ids if battle not in taken and not self.live]
        left_s = 30 * (self.count - len(done)) if self.of else None
        return {
            "item": self._item(free[0]) if free else None,
            "why_none": None if free else self.why_none,
            "live": {"step": self.live, "why_not": self.why_no_battle or None} if self.live else None,
            "end": {"code": self.code, "address": None} if self.code else None,
            "gone": sorted(self.gone.intersection(sent["have"])),
            "progress": {
                "done": len(done),
                "of": self.of,
                "left_s": left_s,
            },
            "asks": {
                "question": self.question,
                "strength": self.strength,
                "reasons": list(self.reasons),
                "criteria": list(self.criteria),
                "instruction_hidden": False,
            },
        }

    def _item(self, battle: str) -> dict[str, Any]:
        number = int(battle, 16)
        sides = [
            {"side": side, "html": f"<p>{escape(text)}</p>", "text": text}
            for side, text in zip("ab", ANSWERS[number % len(ANSWERS)], strict=True)
        ]
        instruction = f"<p>{number}. Ŵħáţ íš áñ áłþáçá?</p>"
        inside = {"instruction": instruction, "input": "<p>Ééé</p>" if number % 5 == 4 else "", "system": ""}
        return {"battle": battle, "revision": self.last(battle)[1], **inside, "sides": sides}


class RateStubRoutes:
    """Answer the rating routes, and votes on the stub's battles."""

    def __init__(self, app: ASGIApp, stub: RateStub) -> None:
        self._app = app
        self._stub = stub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or scope["method"] != "POST" or not path.startswith(("/rate/", "/vote")):
            await self._app(scope, receive, send)
            return
        body = await read_body(receive)
        status, answer = self._stub.answer(path, json.loads(body or b"{}"))
        await respond_json(scope, send, status, answer)
