"""The process object: store, catalog, engine and running comparisons, wired once.

Boundary: page, API and command line reach everything through it; it holds no texts for visitors but those of its
errors. ``Arena(settings)`` opens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from playground.arena.battles import ArenaBattles
from playground.arena.begun_battle import begun_battle, regenerable
from playground.arena.blinding import arena_blinding
from playground.arena.boards import arena_analyses, arena_boards, asked_board, newest_analyses
from playground.arena.capacity import Capacity
from playground.arena.column import column_of
from playground.arena.column_plan import ColumnPlan, check_overrides, plan_columns, without_seed
from playground.arena.comparison import Comparison
from playground.arena.daily_tokens import DailyTokens
from playground.arena.file_answers import FileAnswers
from playground.arena.gate_watch import arena_gate_watch
from playground.arena.journal import ArenaJournal
from playground.arena.ledger import arena_ledger
from playground.arena.line_up import LineUp, chosen_models
from playground.arena.listing import sources_line
from playground.arena.live_answers import LiveAnswers
from playground.arena.models import Models
from playground.arena.moderation import ArenaModeration
from playground.arena.pair_choice import PairChoice
from playground.arena.raters import Raters
from playground.arena.rating import ArenaRating
from playground.arena.recorder import Recorder
from playground.arena.running import RunningBattles
from playground.arena.studies import ArenaStudies
from playground.arena.terms import read_terms
from playground.arena.upkeep import Upkeep
from playground.battles import Battles, Viewer
from playground.battles.asking import Asking
from playground.battles.networks import Networks
from playground.battles.rules import Rules
from playground.catalog.catalog import Catalog
from playground.catalog.starters import load_starters, with_category
from playground.clock import Clock
from playground.engines.fleet import Fleet
from playground.engines.protocol import Engine
from playground.errors import InvalidValue, StorageError, without_folders
from playground.messages import Message
from playground.ratings.analyses import Analyses, NoAnalyses
from playground.ratings.board_rules import DEFAULT_RULES, BoardRules
from playground.ratings.leaderboard import NO_FILTER, Leaderboard
from playground.ratings.policy import CountingPolicy, default_policy
from playground.ratings.standing import standing_of
from playground.records import Battle, Generation, Instruction, ModelCard, VoteFilter
from playground.settings import Settings
from playground.storage.database.store import Store, open_store
from playground.storage.maintenance.disk_space import DiskSpace

NO_OVERRIDES: Mapping[str, Any] = MappingProxyType({})
LOCK_WAIT_S = 10.0  # a process that crashed has released the lock by then; one that has not is there to stay


class Arena:
    """The playground without a page; its parts are `models`, `battles`, `raters` …, and `journal` if one is written."""

    def __init__(self, settings: Settings, engine: Engine | None = None, clock: Clock | None = None) -> None:
        self.settings = settings
        self.catalog = Catalog.load(settings.card_folders, settings.template_folders)
        self.starters = load_starters(settings.starters_folder)
        self.terms = read_terms()
        self.policy = default_policy(settings)
        self._clock = clock or Clock()
        self._engine: Engine = DailyTokens(engine or Fleet(settings), self._clock, lambda: self.store)
        self._line_up = LineUp(self.catalog, chosen_models(self.catalog, settings), settings.max_new_tokens)
        self._running = RunningBattles()
        limits = (settings.undo_s, settings.expire_s, settings.votes_per_network, Networks(self._clock))
        voting = (partial(standing_of, policy=self.policy), Asking(settings.guess_share, lambda: self.models.ids()))
        self._rules = Rules(self._clock, *limits, *voting, rated_undo_s=settings.rate_undo_s)
        self.capacity = Capacity(settings.queue_max, self._clock)
        self.models = Models(self.catalog, self._line_up, self._engine, self._store_card)
        self.battles = ArenaBattles(self._rules, self._running)
        self.rating = ArenaRating(self.battles, settings, self.terms.version)
        answering = (self.catalog, self._engine, self.models, self.battles)
        self.live_answers = LiveAnswers(*answering, self.capacity, settings, self._clock)
        self.studies = ArenaStudies(self.battles, self.terms.version, self.live_answers)
        self.raters = Raters(self.battles, self._running, self.policy, self.live_answers)
        self.moderation = ArenaModeration(self.battles, self._running)
        self._boards = arena_boards(self.battles, self.catalog, self.starters, self._clock)
        self._asked = partial(asked_board, self.policy, settings.prior, self.models)
        self._analyses = arena_analyses(self.battles, self.catalog, self.starters, self._clock)
        self.pair_choice = PairChoice(settings, self.policy, self.models.ids, self._clock)
        self.gate_watch = arena_gate_watch(self.policy, self._clock)
        self.blinding = arena_blinding(self._clock)
        self.ledger = arena_ledger(self.catalog, self.models.ids, self.pair_choice, self._clock)
        self._watched = (self.pair_choice, self.gate_watch, self.blinding, self.ledger)
        self._recorder = Recorder(self._ended)
        self._upkeep: Upkeep | None = None
        self.journal: ArenaJournal | None = None
        self.file_answers = FileAnswers(*answering, settings, self._clock)
        self.disk_space = DiskSpace(settings.db.absolute().parent, settings.min_free_bytes)

    def open(self) -> None:
        """Open the database, read-only if another process writes to it, and begin to load the models."""
        store = open_store(self.settings.db, exclusive=self.settings.db_mounted, lock_wait_s=LOCK_WAIT_S)
        self.battles.open(store)
        if store.writable:
            self.journal = ArenaJournal(store, self.settings, self._clock)
            for card in self.models.line_up:
                store.upsert_model(card)
            self.battles.stored.interrupt_all()
        self._engine.open(self.models.line_up)
        work = (self.studies, self._running, self._recorder, self._watched, self._clock)
        self._upkeep = Upkeep(self.battles.stored, *work, self.settings.abandon_s)

    def close(self) -> None:
        """End the models, record what they had written, close the database; idempotent."""
        if self._upkeep is not None:
            self._upkeep.close()
        self.file_answers.close()
        self.live_answers.close()
        self._engine.close()
        self.file_answers.wait()
        self.live_answers.wait()
        self._recorder.close()
        if self.journal is not None:
            self.journal.close()
            self.journal = None
        if self.battles.is_open:
            self.store.close()
            self.battles.close()

    # Comparing

    def compare(
        self,
        instruction: Instruction,
        viewer: Viewer,
        *,
        blind: bool,
        models: Sequence[str] = (),
        columns: int = 2,
        overrides: Mapping[str, Any] = NO_OVERRIDES,
        keep: bool = True,
        parent: Battle | None = None,
    ) -> str:
        """Create a battle and start its generations; return its id.

        Args:
            models: ids in column order, they may repeat; empty: `columns` of the arena's choice.
            overrides: sampling parameters (and `seed`) for all columns, or by side; empty: as each card says.
            keep: False holds everything in memory only.
            parent: the earlier battle that this one regenerates.

        Raises:
            Busy: there is no capacity for another comparison.
            PlaygroundError: anything that does not fit, before anything is stored or started.
        """
        if keep:
            self._check_storing()
        check_overrides(overrides, blind, models)
        instruction = with_category(instruction, self.starters)
        states = {status.model_id: status.state for status in self.models.statuses()}
        pairing = self.pair_choice.pairing if blind else None
        draw = self._line_up.choose(instruction, models, columns, blind, overrides, states, pairing)
        plans = plan_columns(self.catalog, draw.cards, instruction, overrides, self._line_up.max_new_tokens)
        now, chance = self._clock.now(), draw.probability
        battle = begun_battle(instruction, viewer, plans, blind=blind, overrides=overrides, probability=chance, now=now)
        if keep and parent is not None:
            battle = replace(battle, parent_id=parent.id)
        battles = self._create(battle, draw.cards, keep)
        self.pair_choice.remember(battle.id, draw.why)
        self._start(battle, viewer, plans, battles)
        return battle.id

    def regenerate(self, battle_id: str, viewer: Viewer) -> str:
        """Compare the same models on the same instruction with new seeds, and in a new order if blind.

        Raises:
            Refused: the earlier battle is unknown, erased, hidden, or not the viewer's.
        """
        battles = self.battles.of(battle_id)
        old = regenerable(battles.owned(battle_id, viewer))
        return self.compare(
            old.instruction,
            viewer,
            blind=old.blind,
            models=[side.model_id for side in old.sides],
            overrides=without_seed(old.overrides),
            keep=battles is self.battles.stored,
            parent=old,
        )

    def stop(self, battle_id: str, viewer: Viewer, side: str | None = None) -> None:
        """Stop one column, or all; do nothing if the battle is not being written.

        Raises:
            Refused: unknown, or not the viewer's.
            InvalidValue: one column of a blind battle, whose columns end together.
        """
        battle = self.battles.of(battle_id).owned(battle_id, viewer)
        if battle.blind and side is not None:
            raise InvalidValue(Message("the columns of a blind battle are stopped together; stop all of them"))
        running = self._running.get(battle_id)
        if running is not None:
            running.comparison.stop(side)

    @property
    def running(self) -> frozenset[str]:
        """The ids of the battles that are being written."""
        return self._running.ids

    @property
    def num_waiting(self) -> int:
        """The number of running battles without a word yet, because their models are busy."""
        return sum(comparison.is_waiting for comparison in self._running.comparisons)

    # Results and state

    def leaderboard(
        self, filter: VoteFilter = NO_FILTER, policy: CountingPolicy | None = None, rules: BoardRules = DEFAULT_RULES
    ) -> Leaderboard:
        """Return the ratings from the votes that count, by default under the default board's policy; see `boards`."""
        return self._boards.get(self._asked(filter, policy, rules))

    def analyses(
        self,
        filter: VoteFilter = NO_FILTER,
        policy: CountingPolicy | None = None,
        rules: BoardRules = DEFAULT_RULES,
        is_operator: bool = False,
    ) -> Analyses | NoAnalyses:
        """Return the analyses of the same board, as soon as they are ready.

        They name battles only for who may browse the data: a battle's id shows its words to everybody.
        """
        found = newest_analyses(self._analyses, self._asked(filter, policy, rules))
        names = is_operator or self.settings.data == "public"
        return found if names or isinstance(found, NoAnalyses) else found.without_battles()

    def sources_line(self) -> str:
        """Return a short line on where answers come from and where votes go."""
        return sources_line(self.models.line_up, self.models.statuses(), saved=not self.read_only)

    @property
    def store(self) -> Store:
        """The database, while the arena is open."""
        return self.battles.stored.store

    @property
    def read_only(self) -> str:
        """The reason, for visitors, why nothing can be stored; empty if it can."""
        return without_folders(self.store.read_only) if self.battles.is_open else ""

    # Inside

    def _check_storing(self) -> None:
        """Raise StorageError if a new battle cannot or should not be stored."""
        if why := self.read_only:
            raise StorageError(
                Message("Nothing is stored here: {why}. With “do not store” you can still compare.", why=why)
            )
        self.disk_space.check()

    def _store_card(self, card: ModelCard) -> None:
        if self.store.writable:
            self.store.upsert_model(card)

    def _create(self, battle: Battle, cards: Sequence[ModelCard], keep: bool) -> Battles:
        """Take capacity for a battle and store it, here or in memory."""
        self.capacity.take(battle.id)
        with ExitStack() as undo:
            undo.callback(self.capacity.free, battle.id, ended=False)
            in_memory = self.battles.in_memory
            battles = self.battles.stored if keep else in_memory.add(battle.id, battle.owner, cards, self.running)
            battles.create(battle, self.terms.version if keep else "")
            undo.pop_all()  # freed when the battle has ended
        return battles

    def _start(self, battle: Battle, viewer: Viewer, plans: Sequence[ColumnPlan], battles: Battles) -> None:
        columns = [
            column_of(plan, battle.instruction, self.catalog, self._clock, self._engine.cancel) for plan in plans
        ]

        def record(ended: Mapping[str, Generation]) -> None:
            if not battle.blind:
                self._rules.networks.remember(viewer, ended.values())
            self._recorder.submit(battles, battle.id, ended)

        comparison = Comparison(battle.id, battle.blind, columns, self._clock, record)
        self._running.add(battle, comparison)
        comparison.start(self._engine, self.settings.deadline_s)

    def _ended(self, battle_id: str) -> None:
        self._running.remove(battle_id)
        self.capacity.free(battle_id)
