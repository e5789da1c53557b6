"""Battles of one store: every step of their life, each in one transaction.

Boundary: knows the store and the clock, neither models nor Gradio. Time passes at reading: a vote that can no longer
be undone is revealed, and an open battle that waited too long is void, whenever somebody looks.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from playground.battles.answers import insert_generation, interrupted, name_in, without_erased_words
from playground.battles.belongings import battle_document
from playground.battles.choices import (
    REASONS,
    Ballot,
    check_choice,
    check_fits,
    check_new,
    check_notes,
    check_reportable,
)
from playground.battles.expiry import Passing, allowed, elapsed_s, ended_event, later, moved
from playground.battles.networks import Network, Seen
from playground.battles.table import TABLE, Event, Sends, Who, cell, refused
from playground.battles.views import VoteResult, at_one_pace, column, result
from playground.clock import Clock
from playground.errors import StorageError
from playground.records import (
    Battle,
    BattleState,
    BattleView,
    Belongings,
    Erased,
    Generation,
    LiveColumn,
    ModelCard,
    OwnBattle,
    Standing,
    Vote,
)
from playground.storage.database.statements import Reading, Writing
from playground.storage.database.store import Store

GENERATING, OPEN, VOTED, REVEALED, VOID = BattleState
ALL = -1
"""No limit."""
NETWORKS_KEPT = timedelta(days=30)

StandingOf = Callable[[Reading, Battle], Standing | None]
"""Whether the vote on a battle counts, as far as its rater may know now."""


class Battles:
    """Every battle of one store.

    `viewer` is a rater's id, `source` says where the request came from (page or api): one never acts on the other's
    battles. A battle made through the API belongs to whoever holds its id.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock | None = None,
        *,
        undo_s: float = 5.0,
        expire_s: float = 86400.0,
        votes_per_network: int = 0,
        standing_of: StandingOf = lambda reading, battle: None,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._store = store
        self._clock = clock or Clock()
        self._passing = Passing(self._clock, undo_s, expire_s)
        self._votes_per_network = votes_per_network
        self._standing_of = standing_of
        self._new_id = new_id

    # The arena's part

    def create(self, battle: Battle, consent_version: str = "") -> Battle:
        """Store a new battle before anything of it is written; sides may bring finished generations along.

        Args:
            consent_version: of the terms that its rater agrees to by comparing; stored with her first battle under
                them. Empty for what is kept in memory.

        Raises:
            InvalidValue: its sides are not the first two to six letters in order, or it is not new.
        """
        check_new(battle)
        ended = all(side.generation is not None for side in battle.sides)
        if ended:
            battle = moved(battle, ended_event(battle), battle.created_at)
        names = self._names_in(side.generation for side in battle.sides if side.generation is not None)

        def work(writing: Writing) -> Battle:
            for side in battle.sides:
                if side.generation is not None and writing.generation(side.generation.id) is None:
                    insert_generation(writing, side.generation, names)
            writing.insert_battle(battle)
            if consent_version:
                writing.agree(battle.owner, consent_version, battle.created_at)
            return battle

        return self._store.write(work)

    def finish(self, battle_id: str, ended: Mapping[str, Generation]) -> BattleState:
        """Store what columns ended with, by side; the battle's state after it, also when asked again with the same.

        Raises:
            Refused: unknown, or a side has ended before with something else; nothing of the others was stored.
            InvalidValue: no such side, or another model's generation; likewise.
        """
        names = self._names_in(ended.values())

        def work(writing: Writing) -> BattleState:
            battle = _found(writing, battle_id)
            known = {side.side: side.generation for side in battle.sides}
            new = {side: generation for side, generation in ended.items() if known.get(side) != generation}
            if not new:  # it was stored, and whoever stored it was told of an error
                return self._passing.now(battle).state
            return self._finish(writing, battle, new, "failed", names)

        return self._store.write(work)

    def interrupt_all(self) -> int:
        """At start: end what a process that is gone left unfinished; returns how many battles."""
        with self._store.reading() as reading:
            left = reading.battles_in(GENERATING)
        for battle_id in left:
            self._store.write(partial(self._interrupt, battle_id=battle_id))
        return len(left)

    def expire(self) -> int:
        """Write down what time has changed; returns how many battles. What anybody sees never waits for this.

        Networks of votes that are 30 days old are forgotten.
        """
        oldest = (datetime.fromisoformat(self._clock.now()) - NETWORKS_KEPT).date().isoformat()
        with self._store.reading() as reading:
            waiting = (_found(reading, battle_id) for battle_id in reading.battles_in(OPEN, VOTED))
            due = [battle.id for battle in waiting if self._passing.now(battle).state is not battle.state]
            has_old_networks = reading.has_networks_before(oldest)
        if has_old_networks:
            self._store.write(lambda writing: writing.forget_networks(oldest))
        return sum(self._store.write(partial(self._settled, battle_id=battle_id)) for battle_id in due)

    # The rater's part

    def owned(self, battle_id: str, viewer: str, source: str = "page") -> Battle:
        """The whole battle, for code that acts for its rater; nothing of it may be sent but through `view`.

        Raises:
            Refused: unknown or foreign.
        """
        with self._store.reading() as reading:
            battle = _found(reading, battle_id)
        if not _owns(battle, viewer, source):
            raise refused("foreign")
        return self._passing.now(battle)

    def vote(
        self,
        battle_id: str,
        choice: str,
        viewer: str,
        revision: int | None = None,
        final: bool = False,
        *,
        source: str = "page",
        reasons: Sequence[str] = (),
        comment: str = "",
        network: Network | None = None,
        seen: Seen = Seen(),  # noqa: B008  # frozen
    ) -> VoteResult:
        """Save a choice: a side, ``tie``, ``both_bad``, or an order such as ``b>a=c`` of every side that may be judged.

        Asked again, the answer is the stored one, whatever the choice says.

        Args:
            revision: what the page showed; a vote on an older state of the battle changes nothing.
            final: no undo; the models are revealed at once.
            network: where it comes from; None where that is not known.
            seen: what its rater and network saw in open runs, beside what is stored of the rater.

        Raises:
            Refused: unknown, unfinished, foreign, expired, void.
            InvalidValue: a choice that cannot be made, or a reason that does not exist.
        """
        ballot = Ballot(choice, viewer, revision, final, source, reasons, comment, network, seen)
        return self._store.write(partial(self._vote, battle_id=battle_id, ballot=ballot))

    async def vote_soon(self, battle_id: str, ballot: Ballot) -> VoteResult:
        """The same for an event loop, which goes on meanwhile."""
        return await self._store.write_soon(partial(self._vote, battle_id=battle_id, ballot=ballot))

    def undo(self, battle_id: str, viewer: str, revision: int | None = None, *, source: str = "page") -> VoteResult:
        """Take back a vote that is not final; where none stands, nothing happens.

        Raises:
            Refused: unknown, unfinished, foreign, void, or final.
        """

        def work(writing: Writing) -> VoteResult:
            battle, after = self._enter(writing, battle_id, Event.UNDO, viewer, source)
            if battle.state is VOTED and revision in (None, battle.revision):
                now = self._clock.now()
                vote = Vote(self._new_id(), battle.id, battle.revision + 1, "undo", viewer, now, None)
                self._move(writing, battle, replace(battle, state=after, final_at=None))
                writing.insert_vote(vote)
                battle = replace(battle, state=after, final_at=None, vote=None, revision=vote.revision)
            return result(battle)

        return self._store.write(work)

    def reveal(self, battle_id: str, viewer: str, *, source: str = "page") -> VoteResult:
        """Make a vote final before its time, and say which side was which model.

        Raises:
            Refused: unknown, unfinished (no vote stands), foreign, void.
        """

        def work(writing: Writing) -> VoteResult:
            battle, after = self._enter(writing, battle_id, Event.REVEAL, viewer, source)
            if after is battle.state:
                return self._result(writing, battle)
            final = replace(battle, state=after, final_at=self._clock.now())
            self._move(writing, battle, final)
            writing.tell_journal_of_reveal(battle.id, self._clock.now())
            return self._result(writing, final)

        return self._store.write(work)

    def note(
        self,
        battle_id: str,
        viewer: str,
        *,
        source: str = "page",
        reasons: Sequence[str] | None = None,
        comment: str | None = None,
        report_side: str | None = None,
        report: str = "",
    ) -> None:
        """Add to what is known about a vote or an answer; no vote row changes.

        Args:
            reasons: some of `REASONS`, in place of those given before; None leaves them.
            comment: in place of the one before; None leaves it. A report alone leaves both.
            report_side: reports this side's answer, with `report` as the words for it.

        Raises:
            Refused: as for a vote; a report is taken from whoever may see the battle.
            InvalidValue: an unknown reason, too long a text, a side without text.
        """
        check_notes(reasons or (), comment or "")
        check_notes((), report)
        reporting = report_side is not None
        noting = bool(reasons or comment) or (not reporting and (reasons is not None or comment is not None))

        def work(writing: Writing) -> None:
            if noting:
                battle, _ = self._enter(writing, battle_id, Event.NOTE, viewer, source)
                self._write_notes(writing, battle, viewer, reasons, comment)
            if report_side is not None:
                battle, _ = self._enter(writing, battle_id, Event.REPORT, viewer, source)
                check_reportable(battle, report_side)
                writing.insert_report(battle.id, report_side, report, viewer, self._clock.now())

        if noting or reporting:
            self._store.write(work)

    def view(
        self,
        battle_id: str,
        viewer: str,
        live: Mapping[str, LiveColumn] | None = None,
        *,
        source: str = "page",
    ) -> BattleView:
        """What `viewer` may see now.

        Args:
            live: the columns that are being written; they stand before what is stored until all have ended.

        Raises:
            Refused: unknown, or foreign and not revealed.
        """
        with self._store.reading() as reading:
            stored = _found(reading, battle_id)
            battle = without_erased_words(self._passing.now(stored))
            mine = _owns(battle, viewer, source)
            event = Event.VIEW if mine else Event.VISIT
            allowed(battle, event)
            sends = cell(event, battle.state).sends if battle.blind else Sends.EVERYTHING
            cards = reading.cards(s.model_id for s in battle.sides) if sends is Sends.EVERYTHING else {}
            reasons, comment = self._notes(reading, battle) if mine else ((), "")
            standing = self._standing_of(reading, battle) if mine and battle.vote is not None else None
        live = at_one_pace(live or {}) if sends is Sends.PACED else live or {}
        if stored.state is not battle.state and self._store.writable:
            with suppress(StorageError):  # what time did is seen in any case, and written down another time
                self._store.write(partial(self._settled, battle_id=battle_id))
        return replace(self._shown(battle, live, sends, cards, mine, reasons, comment), standing=standing)

    def view_begun(
        self, begun: Battle, viewer: str, live: Mapping[str, LiveColumn], *, source: str = "page"
    ) -> BattleView:
        """The same of a blind battle, as it was created, whose answers are being written.

        The database has nothing to add then and is not asked: many are looked at many times a second, and votes would
        wait for that.

        Raises:
            Refused: foreign.
        """
        mine = _owns(begun, viewer, source)
        event = Event.VIEW if mine else Event.VISIT
        allowed(begun, event)
        return self._shown(begun, at_one_pace(live), cell(event, begun.state).sends, {}, mine)

    def _shown(
        self,
        battle: Battle,
        live: Mapping[str, LiveColumn],
        sends: Sends,
        cards: Mapping[str, ModelCard],
        mine: bool,
        reasons: tuple[str, ...] = (),
        comment: str = "",
    ) -> BattleView:
        return BattleView(
            battle_id=battle.id,
            state=battle.state,
            blind=battle.blind,
            revision=battle.revision,
            instruction=battle.instruction,
            overrides=battle.overrides,
            columns=tuple(column(side, live.get(side.side), sends, cards) for side in battle.sides),
            good_sides=() if battle.state is GENERATING else battle.good_sides,
            may_vote=mine and battle.state is OPEN,
            mine=mine,
            stored=self._store.stored,
            choice=None if battle.vote is None else battle.vote.choice,
            final_in_s=self._passing.final_in_s(battle),
            open_for_s=self._passing.open_for_s(battle),
            void_reason=battle.void_reason,
            reasons=reasons,
            comment=comment,
            erased=battle.erased_at is not None,
        )

    # What is hers

    def belongings(self, rater: str, source: str = "page") -> Belongings:
        """How much is stored of a rater; of the page and the API where `source` is empty."""
        with self._store.reading() as reading:
            return reading.belongings(rater, source)

    def latest(self, rater: str, limit: int, chars: int, source: str = "page") -> Sequence[OwnBattle]:
        """A rater's battles, the newest first, with so many characters of each instruction."""
        with self._store.reading() as reading:
            return reading.latest_battles(rater, source, limit, chars, self._clock.now())

    def own_data(self, rater: str, source: str = "page") -> dict[str, Any]:
        """All that is stored of a rater as one document: battles, the oldest first, but those being written."""
        with self._store.reading() as reading:
            hers = reading.latest_battles(rater, source, ALL, 0, self._clock.now())
            reports = reading.reports_by(rater)
        ended = [own for own in reversed(hers) if own.state is not GENERATING]
        battles = [battle_document(self.view(own.battle_id, rater, source=source), own.created_at) for own in ended]
        return {"rater_id": rater, "battles": battles, "reports": reports}

    def erase(self, rater: str, source: str = "page") -> Erased:
        """Take a rater's words out of everything that is stored: instructions, answers, prompts, comments, reports.

        Which models met, what was chosen, when, and for which reasons stays, and still counts. What waits for a vote
        becomes void, and a vote is final. An answer that another rater's battle shows keeps its text there. Asked
        again, only what has come since is erased.

        Args:
            source: only battles of the page or the API; empty: of both.

        Raises:
            Refused: one of her battles is still being written; nothing was erased.
        """

        def work(writing: Writing) -> Erased:
            for battle_id in writing.unsettled(rater, source):
                self._end(writing, self._settle(writing, battle_id))
            now = self._clock.now()
            while writing.has_erasure(rater, now):  # its time tells an erasure from her others in the journal
                now = later(now, 0.001)
            return writing.erase_words(rater, source, now)

        return self._store.write(work)

    # Inside: answers

    def _names_in(self, generations: Iterable[Generation]) -> Mapping[str, str]:
        """By id of a generation, the words that give its model away.

        They are looked for before the transaction: that takes milliseconds, for which votes would wait.
        """
        ended = list(generations)
        if not ended:
            return {}
        with self._store.reading() as reading:
            cards = reading.cards({generation.model_id for generation in ended})
        names = {known.id: name_in(known, cards[known.model_id]) for known in ended if known.model_id in cards}
        return {generation_id: name for generation_id, name in names.items() if name}

    def _settled(self, writing: Writing, battle_id: str) -> bool:
        """Write down what time changed; whether it did."""
        stored = _found(writing, battle_id)
        battle = self._passing.now(stored)
        return battle.state is not stored.state and writing.move(stored, battle)

    # Inside: steps of a transaction

    def _notes(self, reading: Reading, battle: Battle) -> tuple[tuple[str, ...], str]:
        """Reasons and comment of the vote that stands."""
        if battle.vote is None:
            return (), ""
        reasons = reading.notes(battle.id, "reason", battle.vote.id)
        return tuple(reasons), "".join(reading.notes(battle.id, "comment", battle.vote.id))

    def _enter(
        self, writing: Writing, battle_id: str, event: Event, viewer: str, source: str
    ) -> tuple[Battle, BattleState]:
        """The battle as time has left it and the state after `event`, where this viewer may."""
        battle = self._settle(writing, battle_id)
        mine = _owns(battle, viewer, source)
        if battle.erased_at is not None and event in (Event.NOTE, Event.REPORT):
            raise refused("erased")
        match TABLE[event].who:
            case Who.OWNER if not mine:
                raise refused("foreign")
            case Who.VIEWER if not mine:
                allowed(battle, Event.VISIT)
        if battle.erased_at is not None and battle.state is VOID:
            raise refused("erased")  # which is why it waits no longer
        return battle, allowed(battle, event)

    def _settle(self, writing: Writing, battle_id: str) -> Battle:
        stored = _found(writing, battle_id)
        battle = self._passing.now(stored)
        if battle.state is not stored.state:
            self._move(writing, stored, battle)
        return battle

    def _end(self, writing: Writing, battle: Battle) -> None:
        """Bring a battle to where it stays, before its words go."""
        now = self._clock.now()
        after = moved(battle, Event.ERASE, now, "expired")
        if after.state is battle.state:
            return
        early = after.state is REVEALED
        self._move(writing, battle, replace(after, final_at=now) if early else after)
        if early:
            writing.tell_journal_of_reveal(battle.id, now)

    def _vote(self, writing: Writing, battle_id: str, ballot: Ballot) -> VoteResult:
        event = Event.VOTE_FINAL if ballot.final else Event.VOTE
        battle, after = self._enter(writing, battle_id, event, ballot.viewer, ballot.source)
        if battle.state is OPEN and ballot.revision in (None, battle.revision):
            battle = self._cast(writing, battle, after, ballot)
            # a new vote has none yet
            self._write_notes(writing, battle, ballot.viewer, ballot.reasons or None, ballot.comment or None)
        return self._result(writing, battle)

    def _result(self, writing: Writing, battle: Battle) -> VoteResult:
        return result(battle, self._standing_of(writing, battle) if battle.vote is not None else None)

    def _cast(self, writing: Writing, battle: Battle, to: BattleState, ballot: Ballot) -> Battle:
        check_choice(ballot.choice, battle)
        now = self._clock.now()
        decision_s = elapsed_s(battle.opened_at, now)
        vote = Vote(
            id=self._new_id(),
            battle_id=battle.id,
            revision=battle.revision + 1,
            choice=ballot.choice,
            rater_id=ballot.viewer,
            created_at=now,
            decision_s=decision_s if decision_s >= 0 else None,
            origin=ballot.origin,
        )
        after = replace(battle, state=to, final_at=now if to is REVEALED else self._passing.final_at(now))
        self._move(writing, battle, after)
        writing.insert_vote(vote)
        for flag in self._flags(writing, battle, ballot, now):
            writing.flag_vote(vote.id, flag)
        if ballot.network is not None:
            writing.insert_network(vote.id, ballot.network.day, ballot.network.tag)
        return replace(after, vote=vote, revision=vote.revision)

    def _flags(self, writing: Writing, battle: Battle, ballot: Ballot, now: str) -> Iterator[str]:
        """What will speak against counting a vote that is being cast."""
        network = ballot.network
        if battle.blind:
            if writing.has_seen(ballot.viewer, battle, now) or ballot.seen.holds_one_of(battle):
                yield "seen_before"
            elif writing.has_been_seen_elsewhere(battle, now):
                yield "seen_elsewhere"
        cap = self._votes_per_network
        if network is not None and cap and writing.battles_of_network(network.tag, ballot.origin, battle.id) >= cap:
            yield "capped"

    def _move(self, writing: Writing, before: Battle, after: Battle) -> None:
        if not writing.move(before, after):
            raise refused("final")

    def _write_notes(
        self, writing: Writing, battle: Battle, viewer: str, reasons: Sequence[str] | None, comment: str | None
    ) -> None:
        if battle.vote is None:
            return
        now = self._clock.now()
        if reasons is not None:
            texts = [reason for reason in REASONS if reason in reasons]
            writing.replace_notes(battle.id, battle.vote.id, "reason", texts, viewer, now)
        if comment is not None:
            texts = [comment] if comment else []
            writing.replace_notes(battle.id, battle.vote.id, "comment", texts, viewer, now)

    def _finish(
        self,
        writing: Writing,
        battle: Battle,
        ended: Mapping[str, Generation],
        void_reason: str,
        names: Mapping[str, str],
    ) -> BattleState:
        allowed(battle, Event.SIDE_ENDED)
        open_sides = [side.side for side in battle.sides if side.generation is None]
        for side, generation in ended.items():
            check_fits(battle, side, generation)
            if side not in open_sides:
                raise refused("final")
            insert_generation(writing, generation, names)
            if not writing.fill_side(battle.id, side, generation.id):
                raise refused("final")
        sides = tuple(replace(s, generation=ended.get(s.side, s.generation)) for s in battle.sides)
        filled = replace(battle, sides=sides)
        after = moved(filled, ended_event(filled), self._clock.now(), void_reason)
        if after.state is not battle.state:
            self._move(writing, battle, after)
        return after.state

    def _interrupt(self, writing: Writing, battle_id: str) -> BattleState:
        battle = _found(writing, battle_id)
        cards = writing.cards(side.model_id for side in battle.sides)
        lost = {
            side.side: interrupted(self._new_id(), battle, side, cards[side.model_id])
            for side in battle.sides
            if side.generation is None
        }
        return self._finish(writing, battle, lost, "interrupted", {})


def _found(reading: Reading, battle_id: str) -> Battle:
    battle = reading.battle(battle_id) if isinstance(battle_id, str) and battle_id.isascii() else None
    if battle is None:
        raise refused("unknown")
    return battle


def _owns(battle: Battle, viewer: str, source: str) -> bool:
    """A page's battle is its rater's, the API's is whoever's who holds its id."""
    return battle.source == source and (source == "api" or battle.owner == viewer)
