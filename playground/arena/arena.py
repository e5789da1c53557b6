"""The one process object: store, catalog, engine and running comparisons, wired once.

Boundary: everything that a page, the API or the command line may ask for goes through here; it holds no words for
visitors but those of the errors that it passes on. ``Arena(settings)`` opens nothing.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from playground.arena.capacity import Places
from playground.arena.comparison import Column, ColumnPlan, Comparison
from playground.arena.in_memory import UnkeptBattles
from playground.arena.line_up import LineUp, chosen_models
from playground.arena.listing import current_leaderboard, sources_line
from playground.arena.recorder import Recorder
from playground.arena.terms import read_terms
from playground.battles import REFUSALS, Ballot, Battles, VoteResult
from playground.battles.networks import Network, Networks
from playground.catalog.catalog import Catalog
from playground.catalog.starters import load_starters
from playground.clock import Clock
from playground.engines.fleet import Fleet
from playground.engines.protocol import Engine
from playground.errors import InvalidValue, Refused, StorageError, without_folders
from playground.prompting.answer_text import AnswerReader
from playground.raters import key_hash
from playground.ratings.counting import CountingPolicy, default_policy, reasons_of_rater, standing_of, told
from playground.ratings.leaderboard import Leaderboard, LeaderboardOptions
from playground.records import (
    Battle,
    BattleState,
    BattleView,
    Belongings,
    Erased,
    Generation,
    Instruction,
    ModelCard,
    ModelStatus,
    OwnBattle,
    Standing,
)
from playground.settings import Settings
from playground.storage.database.statements import Reading
from playground.storage.database.store import Store, open_store
from playground.storage.journal.journal import Journal, JournalState
from playground.storage.journal.segments import journal_folder
from playground.storage.maintenance.disk_space import DiskSpace

log = logging.getLogger(__name__)

NO_OVERRIDES: Mapping[str, Any] = MappingProxyType({})
LOCK_WAIT_S = 10.0
"""A process that crashed may take so long to be gone; one that is still there then is there to stay."""
TEND_EVERY_S = 1.0
SETTLE_EVERY_S = 60.0
SCRUB_SHARE = 100
"""Writing the database anew takes at most one in so many seconds."""
SCRUB_BYTES = 100_000_000
"""Votes wait for that, so what is larger (0.7 s on a usual disk) is written anew by `erase --leftovers` only."""
SCRUB_AGAIN_S = 600.0
"""What could not be done is not tried again sooner."""


@dataclass(frozen=True, slots=True)
class Running:
    """A battle that is being written, as it was created."""

    battle: Battle
    comparison: Comparison


class Arena:
    """The playground without a face."""

    def __init__(self, settings: Settings, engine: Engine | None = None, clock: Clock | None = None) -> None:
        self.settings = settings
        self.catalog = Catalog.load(settings.card_folders, settings.template_folders)
        self._line_up = LineUp(self.catalog, chosen_models(self.catalog, settings))
        self.starters = load_starters(settings.starters_folder)
        self.terms = read_terms()
        self._category_of = {replace(s, category=""): s.category for group in self.starters.values() for s in group}
        self._engine = engine or Fleet(settings)
        self._clock = clock or Clock()
        self.policy: CountingPolicy = default_policy(settings)
        self._networks = Networks(self._clock)
        self._running: dict[str, Running] = {}
        self.places = Places(settings.queue_max, self._clock)
        self._unkept = UnkeptBattles(self._battles_on)
        self._guard = threading.Lock()  # of the running comparisons
        self._recorder = Recorder(self._ended)
        self._closed = threading.Event()
        self._next_scrub_s = 0.0
        self._opened: Battles | None = None
        self._store: Store | None = None
        self._journal: Journal | None = None
        self._disk_space = DiskSpace(settings.db.absolute().parent, settings.min_free_bytes)

    # Life of the process

    def open(self) -> None:
        """Open the database, for reading only where that is all that can be; begin to bring up the models."""
        self._store = open_store(self.settings.db, exclusive=self.settings.db_mounted, lock_wait_s=LOCK_WAIT_S)
        self._opened = self._battles_on(self._store)
        if self._store.writable:
            self._journal = Journal(self._store, journal_folder(self.settings.db))
            for card in self.line_up:
                self._store.upsert_model(card)
            self._opened.interrupt_all()
        self._engine.open(self.line_up)
        threading.Thread(target=self._tend, name="tender", daemon=True).start()

    def close(self) -> None:
        """End the models, record what they had written, close the database; idempotent."""
        self._closed.set()
        self._engine.close()
        self._recorder.close()
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        if self._store is not None:
            self._store.close()
            self._store, self._opened = None, None

    # Comparing

    def compare(
        self,
        instruction: Instruction,
        *,
        owner: str,
        source: str,
        blind: bool,
        models: Sequence[str] = (),
        columns: int = 2,
        overrides: Mapping[str, Any] = NO_OVERRIDES,
        keep: bool = True,
        parent: Battle | None = None,
        address: str = "",
    ) -> str:
        """Make a battle and start writing its answers; returns its id.

        Args:
            models: ids in column order, they may repeat; empty: `columns` of the arena's choice.
            overrides: sampling parameters (and `seed`) for all columns; empty: as each card says.
            keep: False holds everything in memory only.
            parent: the earlier battle that this one regenerates.
            address: where the request comes from; empty where that is not known.

        Raises:
            Busy: as many are being written as may be at once.
            PlaygroundError: anything that does not fit, before anything is stored or started.
        """
        if keep:
            self._check_storing()
        instruction = replace(instruction, category=self._category_of.get(replace(instruction, category=""), ""))
        if blind and "seed" in overrides:
            raise InvalidValue("a seed cannot be given while blind: it would let answers be told apart; use open mode")
        states = {status.model_id: status.state for status in self.statuses()}
        cards, probability = self._line_up.choose(instruction, models, columns, blind, overrides, states)
        plans = self._line_up.plan(cards, instruction, overrides)
        battle = Battle(
            id=secrets.token_hex(16),
            comparison_id=secrets.token_hex(16),
            parent_id=None if parent is None or not keep else parent.id,
            owner=owner,
            source=source,
            blind=blind,
            state=BattleState.GENERATING,
            instruction=instruction,
            overrides=dict(overrides),
            sides=tuple(plan.side for plan in plans),
            created_at=self._clock.now(),
            draw_probability=probability,
        )
        self.places.take(battle.id)
        with ExitStack() as undo:
            undo.callback(self.places.free, battle.id, ended=False)
            battles = self._kept if keep else self._unkept.add(battle.id, owner, cards, self.running)
            battles.create(battle, self.terms.version if keep else "")
            undo.pop_all()  # its place is freed when it has ended
        comparison = self._comparison(battle, plans, battles, self._networks.of(address))
        with self._guard:
            self._running[battle.id] = Running(battle, comparison)
        comparison.start(self._engine, self.settings.deadline_s)
        return battle.id

    def regenerate(self, battle_id: str, viewer: str, address: str = "") -> str:
        """A new battle of the same models on the same instruction, with new seeds and a new order if it is blind.

        Raises:
            Refused: the earlier battle is unknown, erased, or not the viewer's.
        """
        battles = self._battles_of(battle_id)
        old = battles.owned(battle_id, viewer)
        if old.erased_at is not None:
            raise Refused("erased", REFUSALS["erased"])
        kept = battles is self._kept
        return self.compare(
            old.instruction,
            owner=old.owner,
            source=old.source,
            blind=old.blind,
            models=[side.model_id for side in old.sides],
            overrides={name: value for name, value in old.overrides.items() if name != "seed"},
            keep=kept,
            parent=old,
            address=address,
        )

    def view(self, battle_id: str, viewer: str, source: str = "page") -> BattleView:
        """What `viewer` may see of a battle now; counts as reading it.

        Raises:
            Refused: unknown, or not for this viewer.
        """
        glanced = self.glance(battle_id, viewer, source)
        if glanced is not None:
            return glanced
        with self._guard:
            running = self._running.get(battle_id)
        live = None if running is None else running.comparison.snapshot()
        return self._battles_of(battle_id).view(battle_id, viewer, live, source=source)

    def glance(self, battle_id: str, viewer: str, source: str = "page") -> BattleView | None:
        """What `view` would say, if it is known at once: of a blind battle that is being written; else None.

        Either way it counts as reading it.

        Raises:
            Refused: not for this viewer.
        """
        with self._guard:
            running = self._running.get(battle_id)
        if running is None:
            return None
        live = running.comparison.snapshot()
        if not running.battle.blind:
            return None
        return self._battles_of(battle_id).view_begun(running.battle, viewer, live, source=source)

    def stop(self, battle_id: str, viewer: str, side: str | None = None) -> None:
        """End the writing of one column, or of all; a battle that is not being written is left alone.

        Raises:
            Refused: unknown, or not the viewer's.
            InvalidValue: one column of a blind battle, whose columns end together.
        """
        battle = self._battles_of(battle_id).owned(battle_id, viewer)
        if battle.blind and side is not None:
            raise InvalidValue("the columns of a blind battle are stopped together; stop all of them")
        with self._guard:
            running = self._running.get(battle_id)
        if running is not None:
            running.comparison.stop(side)

    # Judging

    def vote(
        self, battle_id: str, viewer: str, choice: str, revision: int | None = None, address: str = ""
    ) -> BattleView:
        """Save a choice made on the page; a repeated vote gets the stored one, whatever it says.

        Raises:
            Refused: the battle is unknown, unfinished, foreign, expired or void.
            InvalidValue: the choice names no side that may be judged.
        """
        network = self._networks.of(address)
        seen = self._networks.seen(network, viewer)
        self._battles_of(battle_id).vote(battle_id, choice, viewer, revision, network=network, seen=seen)
        return self.view(battle_id, viewer)

    async def vote_final(
        self,
        battle_id: str,
        rater: str,
        choice: str,
        reasons: Sequence[str] = (),
        comment: str = "",
        address: str = "",
    ) -> VoteResult:
        """Save a choice made over the API: final at once. Raises as `vote`."""
        network = self._networks.of(address)
        seen = self._networks.seen(network, "")  # a free name is nobody's in particular
        ballot = Ballot(choice, rater, None, True, "api", reasons, comment, network, seen)
        return await self._battles_of(battle_id).vote_soon(battle_id, ballot)

    def undo(self, battle_id: str, viewer: str, revision: int | None = None) -> BattleView:
        """Take back a vote whose models have not been revealed."""
        self._battles_of(battle_id).undo(battle_id, viewer, revision)
        return self.view(battle_id, viewer)

    def reveal(self, battle_id: str, viewer: str) -> BattleView:
        """Make the vote final and show which model is which."""
        self._battles_of(battle_id).reveal(battle_id, viewer)
        return self.view(battle_id, viewer)

    def note(
        self,
        battle_id: str,
        viewer: str,
        *,
        reasons: Sequence[str] | None = None,
        comment: str | None = None,
        report_side: str | None = None,
        report: str = "",
    ) -> None:
        """Set the reasons or the comment of a vote (None leaves them), or report one answer."""
        self._battles_of(battle_id).note(
            battle_id, viewer, reasons=reasons, comment=comment, report_side=report_side, report=report
        )

    # What is a rater's

    def belongings(self, rater: str) -> Belongings:
        """How much is stored of a rater of the page."""
        return self._kept.belongings(rater)

    def latest_battles(self, rater: str, limit: int, chars: int) -> Sequence[OwnBattle]:
        """A rater's battles, the newest first, with so many characters of each instruction."""
        found = self._kept.latest(rater, limit, chars)
        with self.store.reading() as reading:
            reasons = reasons_of_rater(reading, rater, self.policy)
        return [
            replace(own, standing=told(reasons[own.battle_id], own.state, own.blind, self.policy))
            if own.battle_id in reasons
            else own
            for own in found
        ]

    def own_data(self, rater: str) -> dict[str, Any]:
        """All that is stored of her as one document; of a battle that is blind still, as much as she may see."""
        return self._kept.own_data(rater)

    def erase(self, rater: str) -> Erased:
        """Erase the words of all that is stored of a rater of the page, and forget what is only in memory.

        Raises:
            Refused: answers of hers are still being written; nothing was erased.
        """
        hers = self._unkept.owned_by(rater)
        if not self.running.isdisjoint(hers):
            raise Refused("writing", REFUSALS["writing"])
        erased = self._kept.erase(rater)
        self._unkept.forget(hers)
        return erased

    # Looking

    @property
    def line_up(self) -> tuple[ModelCard, ...]:
        """The models of this playground, in order."""
        return self._line_up.cards

    def statuses(self) -> tuple[ModelStatus, ...]:
        """Where the models of the line-up stand, in its order."""
        known = self._engine.status()
        return tuple(known.get(card.id, ModelStatus(card.id, "off")) for card in self.line_up)

    def program_of(self, key: str) -> str:
        """The name of the program that has a key.

        Raises:
            InvalidValue: no program has this key.
        """
        with self.store.reading() as reading:
            name = reading.program_of_key(key_hash(key))
        if name is None:
            raise InvalidValue("this key is not known here; make one with: python -m playground key NAME")
        return name

    def leaderboard(self, category: str = "", policy: CountingPolicy | None = None) -> Leaderboard:
        """The ratings from all votes that count now; `policy` says which do, by default those of the default board."""
        options = LeaderboardOptions(policy=policy or self.policy, prior=self.settings.prior)
        models = [card.id for card in self.line_up]
        now = self._clock.now()
        return current_leaderboard(self.store, self.catalog, models, self.starters, now, category, options)

    @property
    def read_only(self) -> str:
        """Why nothing can be stored here, in words for a visitor; empty where it can."""
        return "" if self._store is None else without_folders(self._store.read_only)

    @property
    def is_loading(self) -> bool:
        """Whether a model of the line-up is on its way."""
        return any(status.state in ("queued", "loading") for status in self.statuses())

    def sources_line(self) -> str:
        """Where the answers come from and where the votes go, in a few words."""
        return sources_line(self.line_up, self.statuses(), saved=not self.read_only)

    # Managing

    def load_model(self, name: str) -> ModelCard:
        """Begin to bring a model up: a card id, a folder or a hub id that was fetched; a new one joins the line-up.

        Raises:
            PlaygroundError: there is no such model, or its files are not here.
        """
        card = self.catalog.card(name)
        self.catalog.tokenizer_of(card)  # every prompt needs it: a model without one could not be asked
        if self.store.writable:
            self.store.upsert_model(card)
        self._engine.open([card])
        self._line_up.add(card)
        return card

    def unload_model(self, model_id: str) -> None:
        """Give a model's memory back; it stays in the line-up, and who asks for it brings it up again.

        Raises:
            Unknown: a model that was never brought up here.
        """
        self._engine.unload(model_id)

    # Inside

    @property
    def running(self) -> frozenset[str]:
        """Battles that are being written."""
        with self._guard:
            return frozenset(self._running)

    @property
    def journal(self) -> JournalState | None:
        """How the journal is doing; None where none is written. Raises StorageError."""
        return None if self._journal is None else self._journal.state()

    @property
    def num_waiting(self) -> int:
        """How many of the battles that are being written have no word yet, because their models write others."""
        with self._guard:
            running = list(self._running.values())
        return sum(one.comparison.is_waiting for one in running)

    @property
    def store(self) -> Store:
        """The database, while the arena is open."""
        if self._store is None:
            raise StorageError("the arena is not open; call open() first")
        return self._store

    @property
    def _kept(self) -> Battles:
        if self._opened is None:
            raise StorageError("the arena is not open; call open() first")
        return self._opened

    def _check_storing(self) -> None:
        """Raises StorageError where a new battle cannot be stored, or should not be."""
        if self.read_only:
            raise StorageError(f"Nothing is stored here: {self.read_only}. With “do not store” you can still compare.")
        self._disk_space.check()

    def _battles_on(self, store: Store) -> Battles:
        return Battles(
            store,
            self._clock,
            undo_s=self.settings.undo_s,
            expire_s=self.settings.expire_s,
            votes_per_network=self.settings.votes_per_network,
            standing_of=self._standing_of if store.stored else _counts_nowhere,
        )

    def _standing_of(self, reading: Reading, battle: Battle) -> Standing | None:
        return standing_of(reading, battle, self.policy)

    def _battles_of(self, battle_id: str) -> Battles:
        return self._unkept.of(battle_id) or self._kept

    def _comparison(
        self, battle: Battle, plans: Sequence[ColumnPlan], battles: Battles, network: Network | None
    ) -> Comparison:
        """The answers of a battle on their way; an open run is remembered with the network that sees it."""
        columns = [
            Column(
                plan,
                battle.instruction,
                AnswerReader(self.catalog.template_of(plan.card), self.catalog.tokenizer_of(plan.card)),
                self._clock,
                self._engine.cancel,
            )
            for plan in plans
        ]

        def record(ended: Mapping[str, Generation]) -> None:
            if not battle.blind:
                self._networks.saw(network, battle.owner if battle.source == "page" else "", ended.values())
            self._recorder.submit(battles, battle.id, ended)

        return Comparison(battle.id, battle.blind, columns, self._clock, record)

    def _scrub(self) -> None:
        """Take out what an erasure may have left in the file; votes wait meanwhile, so for at most 1 % of the time."""
        began = self._clock.monotonic()
        if began < self._next_scrub_s:
            return
        pause = 0.0
        try:
            self.store.scrub(most_bytes=SCRUB_BYTES)
        except StorageError as error:
            log.error("bytes of what was erased may still stand in the database's file: %s", error)
            pause = SCRUB_AGAIN_S
        self._next_scrub_s = began + max(pause, SCRUB_SHARE * (self._clock.monotonic() - began))

    def _ended(self, battle_id: str) -> None:
        with self._guard:
            self._running.pop(battle_id, None)
        self.places.free(battle_id)

    def _tend(self) -> None:
        """Once a second: end what nobody reads any more, save what could not be saved; once a minute: expire."""
        settled = self._clock.monotonic()
        while not self._closed.wait(TEND_EVERY_S):
            with self._guard:
                running = list(self._running.values())
            for one in running:
                if one.comparison.unread_s > self.settings.abandon_s:
                    one.comparison.stop()
            if not self._closed.is_set():
                self._recorder.try_again()
            if not self._closed.is_set():
                self._scrub()
            if self._clock.monotonic() - settled >= SETTLE_EVERY_S:
                settled = self._clock.monotonic()
                with suppress(StorageError):  # another minute; nobody sees what is not written down yet
                    self._kept.expire()


def _counts_nowhere(reading: Reading, battle: Battle) -> Standing:
    return Standing(False, "it is kept in memory only")
