"""Facts that may exclude a vote from the leaderboard: exposure to answers, flags, networks, votes per day.

Boundary: reports facts and stores flags; which of them exclude a vote is decided in `battles` and `ratings`.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.records import Battle, Origin
from playground.storage.database.filters import CLOSED
from playground.storage.database.rows import instruction_id
from playground.storage.database.tables.transaction import Snapshot, Transaction

_OWN = "WHERE owner = :rater AND instruction_id = :id AND created_at < :now"
_OPEN_RUN = f"EXISTS (SELECT 1 FROM battles INDEXED BY battles_open_runs {_OWN} AND blind = 0)"

_SAME_ANSWER = """
  JOIN battle_sides x ON x.battle_id = o.id
  JOIN battle_sides y ON y.battle_id = :battle AND y.model_id = x.model_id
  CROSS JOIN generations f ON f.id = x.generation_id AND f.good = 1
  CROSS JOIN generations g ON g.id = y.generation_id AND g.chars = f.chars AND g.text = f.text"""

# Limited to 20 battles: the time of a vote must not grow with the number of repeats of one instruction.
_SHOWN = f"""
EXISTS (
  SELECT 1 FROM (
    SELECT id, final_at, void_reason FROM battles {_OWN} AND id <> :battle AND study IS NULL
    ORDER BY created_at DESC LIMIT 20
  ) o {_SAME_ANSWER}
  WHERE o.final_at <= :now OR o.void_reason = 'failed')"""

_SEEN_ELSEWHERE = f"""
SELECT EXISTS (
  SELECT 1 FROM (
    SELECT id FROM battles INDEXED BY battles_open_by_instruction
    WHERE instruction_id = :id AND blind = 0 AND created_at < :now ORDER BY created_at DESC LIMIT 20
  ) o {_SAME_ANSWER})"""

_DRAWN_VOTE = f"""
SELECT EXISTS (
  SELECT 1 FROM battles b INDEXED BY battles_drawn JOIN votes v ON v.battle_id = b.id
  WHERE b.source = 'page' AND b.blind = 1 AND b.draw_probability IS NOT NULL AND b.overrides = '{{}}'
    AND coalesce(b.study_kind, 'item') = 'item'
    AND {CLOSED}
    AND b.state IN ('voted', 'revealed') AND v.origin = 'person' AND v.choice <> 'undo'
    AND v.imported IS NULL
    AND NOT EXISTS (SELECT 1 FROM votes n WHERE n.battle_id = v.battle_id AND n.revision > v.revision)
    AND (v.decision_s IS NULL OR v.decision_s >= ?)
    AND NOT EXISTS (SELECT 1 FROM vote_flags f WHERE f.vote_id = v.id AND f.kind IN ('seen_before', 'capped'))
    AND NOT EXISTS (
      SELECT 1 FROM battle_sides s JOIN generation_flags f ON f.generation_id = s.generation_id
      WHERE s.battle_id = b.id AND f.kind = 'names_itself'))"""

_OF_NETWORK = """
SELECT count(DISTINCT v.battle_id) FROM vote_networks n JOIN votes v ON v.id = n.vote_id
WHERE n.tag = ? AND v.origin = ? AND v.battle_id <> ?"""


class ExclusionReads(Snapshot):
    def has_seen(self, rater_id: str, battle: Battle, now: str) -> bool:
        """Return True if a rater ran this instruction in open mode before, or was shown one of these answers.

        An answer was shown with its model's name in one of the rater's latest 20 battles with this instruction on the
        page that is revealed, or void after a failure; a greedy model repeats it. Over the API a rater's name proves
        nothing, so only open runs count. Battles of a study never show names.
        """
        values = {"rater": rater_id, "battle": battle.id, "now": now, "id": instruction_id(battle.instruction)}
        return bool(
            self.scalar(f"SELECT {_OPEN_RUN if battle.source == 'api' else f'{_OPEN_RUN} OR {_SHOWN}'}", values)
        )

    def has_been_seen_elsewhere(self, battle: Battle, now: str) -> bool:
        """Return True if one of the latest 20 open runs of the instruction, by any rater, showed an answer."""
        values = {"battle": battle.id, "now": now, "id": instruction_id(battle.instruction)}
        return bool(self.scalar(_SEEN_ELSEWHERE, values))

    def has_drawn_vote(self, min_decision_s: float) -> bool:
        """Return True if a vote that counts is on models that the arena drew, with the cards' own sampling."""
        return bool(self.scalar(_DRAWN_VOTE, (min_decision_s,)))

    def count_votes_of(self, rater_id: str, day: str) -> int:
        """Count a rater's votes and undos on a day (ISO 8601)."""
        statement = "SELECT count(*) FROM votes WHERE rater_id = ? AND created_at >= ? AND created_at < ?"
        return int(self.scalar(statement, (rater_id, day, f"{day}~")))

    def battles_of_network(self, tag: str, origin: Origin, but: str) -> int:
        """Count the battles that a network judged on the day of its tag, of one origin, except battle `but`."""
        return int(self.scalar(_OF_NETWORK, (tag, origin.value, but)))

    def networks(self) -> Mapping[str, str]:
        """Return the known networks of the votes of the last 30 days: vote id -> tag."""
        return {row["vote_id"]: row["tag"] for row in self.select("SELECT vote_id, tag FROM vote_networks")}

    def has_networks_before(self, day: str) -> bool:
        """Return True if networks of votes before `day` are stored."""
        return bool(self.scalar("SELECT EXISTS (SELECT 1 FROM vote_networks WHERE day < ?)", (day,)))


class ExclusionWrites(Transaction):
    def flag_vote(self, vote_id: str, kind: str) -> None:
        """Store a reason not to count a vote."""
        self.insert("vote_flags", {"vote_id": vote_id, "kind": kind})

    def insert_network(self, vote_id: str, day: str, tag: str) -> None:
        """Store the network of a vote, which never goes to the journal."""
        self.insert("vote_networks", {"vote_id": vote_id, "day": day, "tag": tag})

    def forget_networks(self, before: str) -> int:
        """Delete the networks of votes before a day; return their number."""
        return self._connection.execute("DELETE FROM vote_networks WHERE day < ?", (before,)).rowcount
