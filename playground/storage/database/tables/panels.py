"""Raters whom a panel sent: their keyed hashes and outcomes, and the panel's ids until these are deleted.

Boundary: reads and writes rows; hashes and outcomes are made in `studies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from playground.records import PanelId, PanelRater
from playground.storage.database.tables.studies import JUDGED, OF_THE_CHECK, VOTES
from playground.storage.database.tables.transaction import Snapshot, Transaction

_RATERS = "SELECT study, number, id_hash, session_hash, entered_at, outcome, ended_at FROM panel_raters WHERE study = ?"

_ENDED = """
SELECT 1 FROM assignments s JOIN panel_raters p ON p.study = s.study AND p.number = s.rater
WHERE s.battle = ? AND p.outcome IS NOT NULL"""

_DUE = """
study IN (
  SELECT id FROM studies WHERE closed_at IS NOT NULL
    AND julianday(closed_at) + json_extract(file, '$.panel.keep_ids_days') <= julianday(?))"""

PANEL_IDS_OF_RATER = """
FROM panel_ids WHERE (study, number) IN (
  SELECT study, number FROM study_browsers WHERE rater = :rater
  UNION SELECT study, number FROM panel_raters WHERE id_hash = :rater)"""
"""The ids of a rater at panels; who opened nothing yet is known by the hash of their id."""

# One row for each browser that judged or wrote under their link, and otherwise the hash of their id: who only opened
# the link, or passed its check, may be somebody else. Who has not passed it has judged nothing else.
_NAMES = f"""
SELECT DISTINCT coalesce(s.rater, p.id_hash) FROM panel_raters p
JOIN study_raters r USING (study, number) LEFT JOIN panel_ids i USING (study, number)
LEFT JOIN study_browsers s ON (s.study, s.number) = (p.study, p.number) AND (
  {JUDGED.format(browser="s", kinds=VOTES)}
  OR EXISTS (SELECT 1 FROM live_items l WHERE (l.study, l.rater, l.owner) = (s.study, s.number, s.rater))
  OR r.check_state <> 'passed' AND {JUDGED.format(browser="s", kinds=OF_THE_CHECK)})
WHERE i.rater = :id OR p.id_hash = :id ORDER BY 1"""


class PanelReads(Snapshot):
    def panel_raters(self, study_id: str) -> Sequence[PanelRater]:
        """Return the raters that a panel sent to a study, by their number there."""
        return [PanelRater(*row) for row in self.select(f"{_RATERS} ORDER BY number", (study_id,))]

    def panel_rater(self, study_id: str, number: int) -> PanelRater | None:
        """Return a rater by their number in the study; None if no panel sent them."""
        return self._panel_rater("number = ?", study_id, number)

    def panel_rater_of_id(self, study_id: str, id_hash: str) -> PanelRater | None:
        """Return a rater by the hash of the panel's id; None if it is new."""
        return self._panel_rater("id_hash = ?", study_id, id_hash)

    def panel_rater_of_session(self, study_id: str, session_hash: str) -> PanelRater | None:
        """Return a rater by the hash of the panel's session; None if it is new."""
        return self._panel_rater("session_hash = ?", study_id, session_hash)

    def is_of_ended_rater(self, battle_id: str) -> bool:
        """Return True if a panel sent the rater of a battle, and their outcome is stored."""
        return bool(self.scalar(f"SELECT EXISTS ({_ENDED})", (battle_id,)))

    def panel_ids(self, study_id: str) -> Sequence[PanelId]:
        """Return the ids of a study's raters at their panel, as far as they are not deleted."""
        found = self.select("SELECT study, number, rater, session FROM panel_ids WHERE study = ?", (study_id,))
        return [PanelId(*row) for row in found]

    def panel_ids_of_rater(self, rater_id: str) -> Sequence[PanelId]:
        """Return the ids under which panels know a rater, as far as they are not deleted."""
        found = self.select(f"SELECT study, number, rater, session {PANEL_IDS_OF_RATER}", {"rater": rater_id})
        return [PanelId(*row) for row in found]

    def raters_of_panel_id(self, id: str) -> Sequence[str]:
        """Return the raters whom a panel knows under an id, which may also be given as its hash.

        They are named as exports name them, one for each browser that judged or wrote an instruction; who did neither
        is named by the hash.
        """
        return [row[0] for row in self.select(_NAMES, {"id": id})]

    def panel_id(self, study_id: str, number: int) -> str | None:
        """Return the id of one rater at their panel; None if it is deleted."""
        found = self.scalar("SELECT rater FROM panel_ids WHERE study = ? AND number = ?", (study_id, number))
        return None if found is None else str(found)

    def has_due_panel_ids(self, now: str) -> bool:
        """Return True if ids have to be deleted: their study ended long enough ago."""
        return bool(self.scalar(f"SELECT EXISTS (SELECT 1 FROM panel_ids WHERE {_DUE})", (now,)))

    def _panel_rater(self, condition: str, study_id: str, value: Any) -> PanelRater | None:
        found = self.select(f"{_RATERS} AND {condition}", (study_id, value))
        return PanelRater(*found[0]) if found else None


class PanelWrites(Transaction):
    def insert_panel_rater(self, rater: PanelRater, id: PanelId) -> None:
        """Add a rater that a panel sent, who has a place in the study."""
        names = ("study", "number", "id_hash", "session_hash", "entered_at")
        self.insert("panel_raters", {name: getattr(rater, name) for name in names})
        self.insert("panel_ids", asdict(id))

    def end_panel_rater(self, study_id: str, number: int, outcome: str, at: str) -> None:
        """Store the outcome of a rater, which is final."""
        self._connection.execute(
            "UPDATE panel_raters SET outcome = ?, ended_at = ? WHERE study = ? AND number = ?",
            (outcome, at, study_id, number),
        )

    def forget_due_panel_ids(self, now: str) -> int:
        """Delete the ids of studies that ended long enough ago; return their number."""
        return self._connection.execute(f"DELETE FROM panel_ids WHERE {_DUE}", (now,)).rowcount
