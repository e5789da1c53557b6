"""Texts of ``/health``: the reasons for a status that is not "ok", for monitors and operators.

Boundary: words; no path, key, host, rater, battle or instruction.
"""

from __future__ import annotations

from playground.ui.texts.language import _

NOT_WRITABLE = _("votes cannot be stored: the database does not take them")
READ_ONLY = _("nothing can be stored: the database is open read-only; the log says why")
DISK_SHORT = _(
    "less than {mb} MB are free on the disk of the database (PLAYGROUND_MIN_FREE_MB): new comparisons are not stored, "
    "votes are"
)
JOURNAL_ERROR = _("the journal cannot be written; the log says why")
JOURNAL_LAG = _("the journal is {lag} events behind")
STORE_ERROR = _("the last copy to the store failed; the Leaderboard page tells the operator why, and so does the log")
STORE_LATE = _("{waiting} votes wait to be copied to the store")
STORE_WARNINGS = _("the store has a warning; the Leaderboard page tells the operator, and so does the log")
FULL = _("{running} comparisons are running, as many as PLAYGROUND_QUEUE_MAX allows")
MODEL_FAILED = _("{model} failed to load; the Models page says why")
MODEL_SILENT = _("a model has written nothing for {silent_s:.0f} s")
GATE = _("today {left_out} of {votes} votes were left out ({words}), far more than in the seven days before")
"""Without its name: that would tell a model of a blind battle."""
MODEL_RESTARTS = _("{model} is being started again: its process ended or hung")
