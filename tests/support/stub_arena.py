"""An arena without models or database: made-up answers and times, otherwise as the real one.

For tests that need every state of the page, and for viewing it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from playground.arena.blinding import arena_blinding
from playground.arena.gate_watch import arena_gate_watch
from playground.arena.ledger import arena_ledger
from playground.arena.pair_choice import PairChoice
from playground.arena.terms import read_terms
from playground.battles import REFUSALS, Ballot, Viewer, may_join
from playground.battles.sharing import offered
from playground.catalog.catalog import CARD_FOLDER, Catalog
from playground.clock import Clock
from playground.errors import PlaygroundError, Refused
from playground.messages import Message, joined
from playground.ratings.analyses import Analyses, NoAnalyses
from playground.ratings.board_rules import DEFAULT_RULES, BoardRules, options_of
from playground.ratings.bradley_terry import DEFAULT_PRIOR
from playground.ratings.leaderboard import NO_FILTER, Leaderboard
from playground.ratings.policy import CountingPolicy
from playground.records import (
    SIDES,
    BattleState,
    BattleView,
    ColumnState,
    ColumnView,
    FinishReason,
    Generation,
    HeadToHead,
    Instruction,
    JudgedPair,
    ModelCard,
    ModelStatus,
    OwnBattle,
    Prompt,
    SamplingParams,
    VoteFilter,
)
from playground.settings import Settings
from tests.support.judged import build_leaderboard

ALPACA = "What is an alpaca? How is it different from a llama?"
NAMES = {
    "pocket-orca-mini": ("CC BY-NC-SA", 3_100_000),
    "pocket-openalpaca": ("Apache-2.0", 3_100_000),
    "pocket-galpaca": ("CC BY-NC", 3_000_000),
    "pocket-minotaur": ("Apache-2.0", 3_000_000),
    "pocket-mamba-gpt": ("Apache-2.0", 3_200_000),
}
ANSWERS = (
    "An alpaca is a smaller relative of the llama. Both come from South America.\n\n"
    "An alpaca is kept for its soft wool; a llama is larger and carries loads.",
    "**Alpaca.** A domesticated animal of the Andes, about 70 kg.\n\n"
    "**Llama.** About twice as heavy, with long, curved ears.",
    "Size and use. Let $$m$$ be the mass:\n\n$$m_\\text{llama} \\approx 2\\, m_\\text{alpaca}$$\n\n"
    "```python\ndef is_llama(kg):\n    return kg > 100\n```",
    "1. Alpacas are small.\n2. Llamas are large.\n3. Both hum.\n\n"
    "| animal | kg |\n|---|---|\n| alpaca | 70 |\n| llama | 140 |",
    "Alpaca: wool. Llama: loads. That is all there is to it, and it costs $5 to $7 to find out.",
    "It depends on what you mean by `different`. " * 30,
)
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)><b>bold?</b>\n\n"
    "![remote](https://example.org/pixel.png) [click](javascript:alert(1)) [web](https://example.org/)\n\n"
    "<div style='position:fixed;inset:0;background:red'>cover</div><form action='https://example.org'><input></form>\n\n"
    "```mermaid\ngraph TD; A-->B\n```\n\n```html\n<b>code stays &amp; is code</b>\n```\n\n%%%LATEX_BLOCK_7%%% "
    "`<i>` $$\\href{javascript:alert(1)}{x}$$"
)
FAILURE = "The worker ran out of memory while loading (needs 6 MB more than the limit). It has been restarted."
"""The stored reason of every failed answer."""
UNDO_S = 5.0
WITHOUT_END = 1000
"""Repeats of a slow answer, more than any test reads."""


def make_cards() -> tuple[ModelCard, ...]:
    """The five pocket models as cards."""
    return tuple(
        ModelCard(
            id=name,
            name=name,
            repo=str(CARD_FOLDER.parent / "pocket" / "weights" / name),
            revision="local",
            license=license,
            architecture="LlamaForCausalLM",
            num_parameters=size,
            size_bytes=2 * size,
            context_length=512,
            dtype="float32",
            template=name.removeprefix("pocket-"),
            sampling=SamplingParams(max_new_tokens=96, do_sample=True, temperature=0.7, top_k=50),
            sampling_source="ours",
            description="A toy.",
            limitations=("A toy: it stands in for a real model.", "Sums mostly go wrong."),
            stands_in_for=name.removeprefix("pocket-"),
        )
        for name, (license, size) in NAMES.items()
    )


def make_generation(
    card: ModelCard,
    text: str,
    instruction: Instruction,
    finish: FinishReason = FinishReason.STOP,
    error: str | None = None,
) -> Generation:
    """A finished answer of `card`."""
    prompt = Prompt(
        f"### User:\n{instruction.instruction}\n\n### Response:\n", (1, 835, 2659, 29901, 13), "orca-mini", "0" * 64
    )
    return Generation(
        id=secrets.token_hex(16),
        model_id=card.id,
        model_revision="0123456789abcdef",
        repo=card.repo,
        license=card.license,
        instruction=instruction,
        prompt=prompt,
        params=card.sampling,
        seed=42,
        text=text,
        token_ids=tuple(range(len(text) // 4)),
        finish_reason=finish,
        error=error,
        engine="local",
        device="cpu",
        dtype="float32",
        versions={"torch": "2.13.0"},
        faithful=True,
        created_at="2026-11-20T19:00:00.000+00:00",
        first_token_s=0.2,
        duration_s=1.4,
    )


class StubTime:
    """Seconds that pass by themselves, but not while they are held, so that a browser may be slow."""

    def __init__(self) -> None:
        self._held: float | None = None
        self._behind_s = 0.0

    def now(self) -> float:
        return time.monotonic() - self._behind_s if self._held is None else self._held

    def hold(self) -> None:
        self._held = self.now()

    def go_on(self) -> None:
        if self._held is not None:
            self._behind_s, self._held = time.monotonic() - self._held, None

    @contextmanager
    def held(self) -> Iterator[None]:
        self.hold()
        try:
            yield
        finally:
            self.go_on()


@dataclass
class _Battle:
    """One made-up battle and when its parts happen."""

    id: str
    owner: str
    instruction: Instruction
    blind: bool
    stored: bool
    overrides: Mapping[str, Any]
    cards: tuple[ModelCard, ...]
    began_s: float
    stopped_s: dict[str, float] = field(default_factory=dict)
    choice: str | None = None
    final_s: float | None = None
    opened_s: float | None = None
    revision: int = 0
    reasons: tuple[str, ...] = ()
    comment: str = ""


class StubArena:
    """The interface of an arena that `ui` uses.

    An instruction with ``fail:bd`` in it names columns that fail; one with ``slow`` is answered endlessly.
    """

    def __init__(self, settings: Settings, chars_per_s: float = 90.0, loading_s: float = 0.8) -> None:
        self.settings = settings
        self.journal = None
        self.battles = self.models = self.raters = self  # it plays the parts of an arena too
        self.pair_choice = PairChoice(settings, self.policy, tuple, Clock())  # computes nothing: nobody asks it to
        self.gate_watch = arena_gate_watch(self.policy, Clock())
        self.blinding = arena_blinding(Clock())
        self.catalog = Catalog.load(settings.card_folders, settings.template_folders)
        self.ledger = arena_ledger(self.catalog, tuple, self.pair_choice, Clock())
        self.line_up = make_cards()
        self.starters = {
            "explain": tuple(
                Instruction(t) for t in (ALPACA, "Why is the sky blue?", "What is a glacier?", "What is rust?")
            ),
            "list": (Instruction("List three colours."), Instruction("Name five rivers.")),
            "rewrite": (Instruction("Make it shorter.", "It was, all in all, a rather long and winding sentence."),),
        }
        self._chars_per_s, self._loading_s = chars_per_s, loading_s
        self.time = StubTime()
        self._battles: dict[str, _Battle] = {}
        self.notes: list[dict[str, Any]] = []
        self.known: dict[str, ModelStatus] = {}  # of models that are not ready
        self.running: frozenset[str] = frozenset()
        self.left_open: OwnBattle | None = None  # offered on the empty page

    def compare(
        self,
        instruction: Instruction,
        viewer: Viewer,
        *,
        blind: bool,
        models: tuple[str, ...] = (),
        columns: int = 2,
        overrides: Mapping[str, Any] = {},
        keep: bool = True,
    ) -> str:
        known = {card.id: card for card in self.line_up}
        cards = tuple(known[m] for m in models) or tuple(self.line_up[i % len(self.line_up)] for i in range(columns))
        if "refuse" in instruction.instruction:
            raise PlaygroundError(
                "prompt and answer need 700 tokens, Pocket galpaca has room for 512; shorten the instruction"
            )
        battle = _Battle(
            secrets.token_hex(16), viewer.rater, instruction, blind, keep, dict(overrides), cards, self.time.now()
        )
        self._battles[battle.id] = battle
        return battle.id

    def regenerate(self, battle_id: str, viewer: Viewer) -> str:
        old = self._owned(battle_id, viewer)
        return self.compare(old.instruction, viewer, blind=old.blind, models=tuple(c.id for c in old.cards))

    terms = read_terms()

    def join(self, battle_id: str, viewer: Viewer, consent_version: str) -> BattleView:
        old = self._battles[battle_id]
        copy = replace(old, id=secrets.token_hex(16), owner=viewer.rater, choice=None, final_s=None, opened_s=None)
        self._battles[copy.id] = replace(copy, revision=0, reasons=(), comment="")
        return self.view(copy.id, viewer)

    def visit(self, battle_id: str, viewer: Viewer) -> BattleView:
        view = self.view(battle_id, viewer)
        return offered(view) if may_join(view) else view

    def reveal_to_guest(self, battle_id: str, viewer: Viewer) -> BattleView:
        return self.view(battle_id, viewer)

    def stop(self, battle_id: str, viewer: Viewer, side: str | None = None) -> None:
        battle = self._owned(battle_id, viewer)
        for place in SIDES[: len(battle.cards)]:
            if side in (None, place):
                battle.stopped_s.setdefault(place, self.time.now())

    def stop_all(self) -> None:
        """Stop every battle."""
        for battle in self._battles.values():
            self.stop(battle.id, Viewer(battle.owner))

    def vote(self, battle_id: str, viewer: Viewer, ballot: Ballot) -> BattleView:
        battle = self._owned(battle_id, viewer)
        if self._state(battle) is BattleState.OPEN and ballot.revision in (None, battle.revision):
            battle.choice, battle.final_s = ballot.choice, self.time.now() + UNDO_S
            battle.revision += 1
        return self.view(battle_id, viewer)

    async def vote_soon(self, battle_id: str, viewer: Viewer, ballot: Ballot) -> BattleView:
        return self.vote(battle_id, viewer, ballot)

    def undo(self, battle_id: str, viewer: Viewer) -> BattleView:
        battle = self._owned(battle_id, viewer)
        if self._state(battle) is BattleState.VOTED:
            battle.choice, battle.final_s = None, None
            battle.revision += 1
        return self.view(battle_id, viewer)

    def reveal(self, battle_id: str, viewer: Viewer) -> BattleView:
        battle = self._owned(battle_id, viewer)
        if battle.choice is None:
            raise Refused("unfinished", REFUSALS["unfinished"])
        battle.final_s = self.time.now()
        return self.view(battle_id, viewer)

    def note(self, battle_id: str, viewer: Viewer, **note: Any) -> None:
        battle = self._owned(battle_id, viewer)
        if note.get("reasons") is not None:
            battle.reasons = tuple(note["reasons"])
        if note.get("comment") is not None:
            battle.comment = note["comment"]
        self.notes.append(note)

    def report(self, battle_id: str, viewer: Viewer, side: str, text: str) -> None:
        self._owned(battle_id, viewer)
        self.notes.append({"side": side, "report": text})

    def statuses(self) -> tuple[ModelStatus, ...]:
        ready = (ModelStatus(card.id, "ready", device="cpu", load_s=0.4) for card in self.line_up)
        return tuple(self.known.get(status.model_id, status) for status in ready)

    is_loading = False
    read_only = ""

    def unfinished(self, rater: str, chars: int) -> OwnBattle | None:
        return self.left_open

    def sources_line(self) -> str:
        return joined(" · ", map(Message, ("pocket models", "this CPU", "votes saved")))

    policy = CountingPolicy()
    num_votes = 480

    def leaderboard(
        self,
        filter: VoteFilter = NO_FILTER,
        policy: CountingPolicy = policy,
        rules: BoardRules = DEFAULT_RULES,
    ) -> Leaderboard:
        pairs = made_up_votes(0 if filter.category else self.num_votes)
        cards = {c.id: c for c in self.line_up}
        options = options_of(rules, filter=VoteFilter(), policy=policy, default=policy, prior=DEFAULT_PRIOR)
        return build_leaderboard(pairs, cards, options=options)

    def analyses(
        self,
        filter: VoteFilter = NO_FILTER,
        policy: CountingPolicy = policy,
        rules: BoardRules = DEFAULT_RULES,
        is_operator: bool = False,
    ) -> Analyses | NoAnalyses:
        return NoAnalyses()

    def head_to_heads(self, view: BattleView) -> tuple[HeadToHead, ...]:
        if view.choice not in SIDES or view.state is not BattleState.REVEALED:
            return ()
        return tuple(HeadToHead(view.choice, c.side, 21, 35) for c in view.columns if c.side != view.choice)

    def glance(self, battle_id: str, viewer: Viewer) -> BattleView | None:
        return None

    def view(self, battle_id: str, viewer: Viewer) -> BattleView:
        battle = self._battles.get(battle_id)
        if battle is None:
            raise Refused("unknown", REFUSALS["unknown"])
        state = self._state(battle)
        if battle.owner != viewer.rater and state is not BattleState.REVEALED:
            raise Refused("foreign", REFUSALS["foreign"])
        columns = tuple(self._column(battle, place, state) for place in range(len(battle.cards)))
        good = tuple(c.side for c in columns if c.state is not ColumnState.FAILED and c.text.strip())
        return BattleView(
            battle_id=battle.id,
            state=state,
            blind=battle.blind,
            revision=battle.revision,
            instruction=battle.instruction,
            overrides=battle.overrides,
            columns=columns,
            good_sides=good if state is BattleState.OPEN else (),
            may_vote=state is BattleState.OPEN and battle.owner == viewer.rater,
            mine=battle.owner == viewer.rater,
            stored=battle.stored,
            choice=battle.choice,
            open_for_s=self._open_for_s(battle, state),
            final_in_s=max(0.0, (battle.final_s or 0) - self.time.now()) if state is BattleState.VOTED else None,
            void_reason="failed" if state is BattleState.VOID else None,
            reasons=battle.reasons,
            comment=battle.comment,
            votes_today=self._votes_of(battle.owner) if battle.choice and battle.owner == viewer.rater else None,
        )

    def _votes_of(self, rater: str) -> int:
        return sum(battle.owner == rater and battle.choice is not None for battle in self._battles.values())

    def _open_for_s(self, battle: _Battle, state: BattleState) -> float | None:
        """Return the seconds since the battle was first seen open."""
        if state is not BattleState.OPEN:
            return None
        battle.opened_s = self.time.now() if battle.opened_s is None else battle.opened_s
        return self.time.now() - battle.opened_s

    def _owned(self, battle_id: str, viewer: Viewer) -> _Battle:
        battle = self._battles.get(battle_id)
        if battle is None:
            raise Refused("unknown", REFUSALS["unknown"])
        if battle.owner != viewer.rater:
            raise Refused("foreign", REFUSALS["foreign"])
        return battle

    def _text(self, battle: _Battle, place: int) -> str:
        if "hostile" in battle.instruction.instruction:
            return HOSTILE
        said = battle.instruction.instruction.partition("say:")[2]
        return said or ANSWERS[place] * (WITHOUT_END if "slow" in battle.instruction.instruction else 1)

    def _fails(self, battle: _Battle, side: str) -> bool:
        words = battle.instruction.instruction.partition("fail:")[2].split()
        return bool(words) and side in words[0]

    def _written(self, battle: _Battle, place: int) -> tuple[str, bool]:
        side = SIDES[place]
        until = min(self.time.now(), battle.stopped_s.get(side, float("inf")))
        written_s = until - battle.began_s - self._loading_s
        slow = 100 if "slow" in battle.instruction.instruction else 1
        pace = self._chars_per_s / slow if battle.blind else self._chars_per_s / slow * (1 + place / 2)
        text = self._text(battle, place)
        shown = text[: max(0, int(written_s * pace))]
        return shown, shown == text or side in battle.stopped_s

    def _state(self, battle: _Battle) -> BattleState:
        if battle.choice is not None:
            return BattleState.REVEALED if self.time.now() >= (battle.final_s or 0) else BattleState.VOTED
        places = range(len(battle.cards))
        if not all(self._written(battle, p)[1] or self._fails(battle, SIDES[p]) for p in places):
            return BattleState.GENERATING
        good = [p for p in places if self._written(battle, p)[0].strip() and not self._fails(battle, SIDES[p])]
        return BattleState.OPEN if len(good) >= 2 else BattleState.VOID

    def _column(self, battle: _Battle, place: int, state: BattleState) -> ColumnView:
        side, card = SIDES[place], battle.cards[place]
        known = not battle.blind or state is BattleState.REVEALED
        text, ended = self._written(battle, place)
        failed = self._fails(battle, side)
        if failed and (known or state is not BattleState.GENERATING):
            generation = make_generation(card, "", battle.instruction, FinishReason.ERROR, FAILURE)
            if not known:
                return ColumnView(side, ColumnState.FAILED, "", "", None)
            return ColumnView(side, ColumnState.FAILED, "", "", FAILURE, FinishReason.ERROR, card, generation)
        if state is BattleState.GENERATING and (battle.blind or not ended):
            loading = self.time.now() - battle.began_s < self._loading_s
            column_state = ColumnState.LOADING if loading else ColumnState.WRITING
            return ColumnView(
                side, column_state, text, "loading, about 1 s" if loading else "", None, card=card if known else None
            )
        stopped = side in battle.stopped_s
        if not known:
            return ColumnView(side, ColumnState.DONE, text, "", None)
        finish = FinishReason.CANCELLED if stopped else FinishReason.STOP
        generation = make_generation(card, text, battle.instruction, finish)
        column_state = ColumnState.STOPPED if stopped else ColumnState.DONE
        return ColumnView(
            side, column_state, text, "", None, finish, card, generation, generation.num_tokens, 119.0, 0.2
        )


def made_up_votes(count: int) -> list[JudgedPair]:
    """Votes of 23 raters in which the models differ in strength."""
    strength = {
        "pocket-galpaca": 0.6,
        "pocket-orca-mini": 0.25,
        "pocket-minotaur": 0.2,
        "pocket-openalpaca": -0.3,
        "pocket-mamba-gpt": -0.6,
    }
    names, pairs = list(strength), []
    for n in range(count):
        first, second = names[n % 5], names[(n * 3 + n // 5 + 1) % 5]
        if first == second:
            second = names[(names.index(first) + 1) % 5]
        chance = 1 / (1 + 10 ** (strength[second] - strength[first]))
        draw = (n * 0.754877666) % 1
        winner = "tie" if n % 9 == 0 else "both_bad" if n % 17 == 0 else "model_a" if draw < chance else "model_b"
        pairs.append(
            JudgedPair(
                vote_id=f"v{n}", battle_id=f"b{n}", rater_id=f"r{n % 23}", model_a=first, model_b=second, winner=winner,
                weight=1.0, blind=True, category="", chars_a=100 + n % 90, chars_b=120, decision_s=4.0,
                created_at="2026-11-20T19:00:00.000+00:00",
            )
        )  # fmt: skip
    return pairs
