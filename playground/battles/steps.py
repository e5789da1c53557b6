"""The steps of battles inside one transaction.

Boundary: reads the table and the rules, writes through `Writing`; begins and ends no transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from playground.battles.ballot import VOTE_REASONS, Ballot, Viewer, check_choice, check_fits
from playground.battles.criteria import check_criteria
from playground.battles.generations import insert_generation, interrupted
from playground.battles.networks import Network
from playground.battles.rules import Rules
from playground.battles.state_table import TABLE, Event, Who, refused
from playground.battles.transitions import allowed, elapsed_s, ended_event, moved
from playground.errors import InvalidValue
from playground.messages import Message
from playground.records import Battle, BattleState, Generation, Origin, Vote
from playground.storage.database.statements import Reading, Writing

_, OPEN, VOTED, REVEALED, VOID = BattleState
_ADDS = (Event.NOTE, Event.REPORT)
_VOTES = (Event.VOTE, Event.VOTE_FINAL)


def found(reading: Reading, battle_id: str) -> Battle:
    """Return a stored battle; raise Refused if there is none."""
    battle = reading.battle(battle_id) if isinstance(battle_id, str) and battle_id.isascii() else None
    if battle is None:
        raise refused("unknown")
    return battle


@dataclass(frozen=True, slots=True)
class Steps:
    """One transaction."""

    writing: Writing
    rules: Rules

    def enter(self, battle_id: str, event: Event, viewer: Viewer) -> tuple[Battle, BattleState]:
        """Return the battle as of now and its state after `event`; raise Refused if this viewer may not."""
        battle = self.settle(battle_id)
        mine = viewer.owns(battle)
        if battle.erased_at is not None and event in _ADDS:
            raise refused("erased")
        match TABLE[event].who:
            case Who.OWNER if not mine:
                raise refused("foreign")
            case Who.VIEWER if not mine:
                allowed(battle, Event.VISIT)
        if battle.erased_at is not None and battle.state is VOID:
            raise refused("erased")  # the erasure made it void
        if battle.hidden_at is not None and (event in _ADDS or (event in _VOTES and battle.state is OPEN)):
            raise refused("hidden")
        return battle, allowed(battle, event)

    def settle(self, battle_id: str) -> Battle:
        """Store and return what time has made of a battle."""
        stored = found(self.writing, battle_id)
        battle = self.rules.now(stored)
        if battle.state is not stored.state:
            self._move(stored, battle)
        return battle

    def vote(self, battle_id: str, viewer: Viewer, ballot: Ballot) -> Battle:
        battle, after = self.enter(battle_id, Event.VOTE_FINAL if ballot.final else Event.VOTE, viewer)
        if battle.state is not OPEN or ballot.revision not in (None, battle.revision):
            return battle
        check_criteria(ballot.criteria, self.writing.criteria(battle.study) if battle.study else ())
        battle = self._cast(battle, after, viewer, ballot)
        self.write_notes(battle, viewer, ballot.reasons or None, ballot.comment or None)  # a new vote has none yet
        return battle

    def undo(self, battle_id: str, viewer: Viewer, revision: int | None) -> Battle:
        battle, after = self.enter(battle_id, Event.UNDO, viewer)
        if battle.state is not VOTED or revision not in (None, battle.revision):
            return battle
        if battle.study is not None and self.writing.is_of_ended_rater(battle.id):
            raise refused("final")  # the rater has the code for it
        now = self.rules.clock.now()
        vote = Vote(self.rules.new_id(), battle.id, battle.revision + 1, "undo", viewer.rater, now, None)
        undone = replace(battle, state=after, final_at=None)
        self._move(battle, undone)
        self.writing.insert_vote(vote)
        return replace(undone, vote=None, revision=vote.revision)

    def skip(self, battle_id: str, viewer: Viewer) -> Battle:
        """End an open battle that its rater does not want to judge."""
        battle, after = self.enter(battle_id, Event.SKIP, viewer)
        skipped = replace(battle, state=after, void_reason="expired")
        self._move(battle, skipped)
        if battle.study is not None:
            self.writing.drop(battle.id, "skipped" if battle.hidden_at is None else "unusable")
        return skipped

    def reveal(self, battle_id: str, viewer: Viewer) -> Battle:
        battle, after = self.enter(battle_id, Event.REVEAL, viewer)
        return battle if after is battle.state else self._reveal(battle, replace(battle, state=after))

    def guess(self, battle_id: str, viewer: Viewer, named: str) -> Battle:
        """Store which model the rater takes an answer for, and reveal the models."""
        battle, after = self.enter(battle_id, Event.GUESS, viewer)
        question = self.writing.question(battle.id)
        if question is None:
            raise refused("unasked")
        if named not in question.choices:
            valid = ", ".join(question.choices)
            raise InvalidValue(Message("{named!r} is not a choice; valid: {valid}", named=named[:100], valid=valid))
        if not self.writing.answer(battle.id, named):
            raise refused("final")
        return self._reveal(battle, replace(battle, state=after))

    def end(self, battle_id: str) -> None:
        """Make a battle final or void before its words are erased."""
        battle = self.settle(battle_id)
        after = moved(battle, Event.ERASE, self.rules.clock.now(), "expired")
        if after.state is REVEALED and battle.state is not REVEALED:
            self._reveal(battle, after)
        elif after.state is not battle.state:
            self._move(battle, after)

    def finish(
        self, battle: Battle, ended: Mapping[str, Generation], names: Mapping[str, str], void_reason: str = "failed"
    ) -> BattleState:
        """Store the generations of some sides; return the battle's state after it."""
        allowed(battle, Event.SIDE_ENDED)
        open_sides = [side.side for side in battle.sides if side.generation is None]
        for side, generation in ended.items():
            check_fits(battle, side, generation)
            if side not in open_sides:
                raise refused("final")
            insert_generation(self.writing, generation, names)
            if not self.writing.fill_side(battle.id, side, generation.id):
                raise refused("final")
        sides = tuple(replace(s, generation=ended.get(s.side, s.generation)) for s in battle.sides)
        filled = replace(battle, sides=sides)
        after = moved(filled, ended_event(filled), self.rules.clock.now(), void_reason)
        if after.state is not battle.state:
            self._move(battle, after)
        return after.state

    def interrupt(self, battle_id: str) -> BattleState:
        """Store a failed generation for each side that has none."""
        battle = found(self.writing, battle_id)
        cards = self.writing.cards(side.model_id for side in battle.sides)
        lost = {
            side.side: interrupted(self.rules.new_id(), battle, side, cards[side.model_id])
            for side in battle.sides
            if side.generation is None
        }
        return self.finish(battle, lost, {}, "interrupted")

    def write_notes(self, battle: Battle, viewer: Viewer, reasons: Sequence[str] | None, comment: str | None) -> None:
        """Replace the reasons and the comment of the current vote; None leaves them."""
        if battle.vote is None:
            return
        for kind, texts in (
            ("reason", reasons if reasons is None else [reason for reason in VOTE_REASONS if reason in reasons]),
            ("comment", comment if comment is None else [comment] if comment else []),
        ):
            if texts is not None:
                self.writing.replace_notes(battle.id, battle.vote.id, kind, texts, viewer.rater, self.rules.clock.now())

    def _cast(self, battle: Battle, to: BattleState, viewer: Viewer, ballot: Ballot) -> Battle:
        check_choice(ballot.choice, battle)
        now = self.rules.clock.now()
        decision_s = elapsed_s(battle.opened_at, now)
        if battle.rated and ballot.decision_s is not None:  # it can only be shorter than the time on the server
            decision_s = min(decision_s, ballot.decision_s)
        vote = Vote(
            id=self.rules.new_id(),
            battle_id=battle.id,
            revision=battle.revision + 1,
            choice=ballot.choice,
            rater_id=viewer.rater,
            created_at=now,
            decision_s=decision_s if decision_s >= 0 else None,
            origin=Origin.SHARED if not battle.rated and self.writing.is_of_guest(battle) else viewer.origin,
            strength=ballot.strength,
        )
        waits = to is VOTED and self._asks(battle, viewer, vote)
        final_at = now if to is REVEALED else self.rules.final_at(now, waits=waits, rated=battle.rated)
        after = replace(battle, state=to, final_at=final_at)
        self._move(battle, after)
        self.writing.insert_vote(vote)
        self.writing.insert_criteria(vote.id, viewer.rater, ballot.criteria)
        network = None if battle.study else self.rules.networks.of(viewer.address)  # a laboratory has one address
        for flag in self._flags(battle, viewer, vote, network):
            self.writing.flag_vote(vote.id, flag)
        if network is not None:
            self.writing.insert_network(vote.id, network.day, network.tag)
        return replace(after, vote=vote, revision=vote.revision)

    def _asks(self, battle: Battle, viewer: Viewer, vote: Vote) -> bool:
        """Ask which model wrote an answer, if that is drawn; return True if the reveal waits for the answer."""
        question = self.writing.question(battle.id)
        if question is not None:  # asked with a vote that was undone since
            return question.named is None
        asked = self.rules.asking.draw(battle, vote.origin) if self.rules.stored else None
        if asked is not None:
            reveals = self.writing.count_reveals(viewer.rater, vote.created_at)
            self.writing.ask(battle.id, asked.side, asked.choices, reveals)
        return asked is not None

    def _flags(self, battle: Battle, viewer: Viewer, vote: Vote, network: Network | None) -> Iterator[str]:
        """Yield what keeps a vote from counting."""
        if battle.blind:
            networks, now = self.rules.networks, vote.created_at
            seen_beside = not battle.study and networks.has_seen(viewer, battle)
            if self.writing.has_seen(viewer.rater, battle, now) or seen_beside:
                yield "seen_before"
            elif self.writing.has_been_seen_elsewhere(battle, now):
                yield "seen_elsewhere"
        cap = self.rules.votes_per_network
        if cap and network and self.writing.battles_of_network(network.tag, vote.origin, battle.id) >= cap:
            yield "capped"

    def _reveal(self, battle: Battle, after: Battle) -> Battle:
        """Make a vote final before its time, and journal it."""
        now = self.rules.clock.now()
        final = replace(after, final_at=now)
        self._move(battle, final)
        self.writing.tell_journal_of_reveal(battle.id, now)
        return final

    def _move(self, before: Battle, after: Battle) -> None:
        if not self.writing.move(before, after):
            raise refused("final")
