"""Pseudonyms of raters in a publication.

A rater has the same pseudonym in every publication of one database, so that a newer revision can be joined with an
older one and intervals can treat each rater as one unit. It is a keyed hash (HMAC-SHA-256): without the key it leads
neither to the rater's id in private exports nor to their pseudonym in the publication of another playground. The key is
derived from the database's own random id (128 bits), which is stored in the database, in the journal and in the private
store, and is published nowhere: so the pseudonyms stay when a database is restored.

Boundary: pure; ids in, pseudonyms out.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from playground.rater_ids import FREE_PROGRAMS, is_keyed, keyed_id
from playground.records import Origin

_CHARS = 16


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The pseudonyms of the raters of one database; each is computed once."""

    database_id: str = field(repr=False)
    _names: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def name(self, rater_id: str, origin: str) -> str:
        """Return the pseudonym of a rater.

        Programs without a key give themselves any name: all of them are ``api``, as the leaderboard counts them. A
        program with a key keeps its prefix.
        """
        if origin == Origin.PROGRAM and not is_keyed(rater_id):
            return FREE_PROGRAMS
        if rater_id not in self._names:
            key = hashlib.sha256(f"playground publication {self.database_id}".encode()).digest()
            digest = hmac.new(key, rater_id.encode(), hashlib.sha256).hexdigest()[:_CHARS]
            self._names[rater_id] = keyed_id(digest) if is_keyed(rater_id) else digest
        return self._names[rater_id]
