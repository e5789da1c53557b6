"""All reads and writes of the database, table by table in `tables`.

Boundary: runs inside a transaction that the store begins and ends.
"""

from __future__ import annotations

from playground.storage.database.tables.battles import BattleWrites
from playground.storage.database.tables.criteria import CriterionReads, CriterionWrites
from playground.storage.database.tables.erasures import ErasureReads, ErasureWrites
from playground.storage.database.tables.exclusions import ExclusionReads, ExclusionWrites
from playground.storage.database.tables.exports import ExportReads
from playground.storage.database.tables.generated import GeneratedReads, GeneratedWrites
from playground.storage.database.tables.guesses import GuessReads, GuessWrites
from playground.storage.database.tables.imports import ImportReads, ImportWrites
from playground.storage.database.tables.judged import JudgedReads
from playground.storage.database.tables.ledger import LedgerReads
from playground.storage.database.tables.live import LiveReads, LiveWrites
from playground.storage.database.tables.moderation import ModerationReads, ModerationWrites
from playground.storage.database.tables.panels import PanelReads, PanelWrites
from playground.storage.database.tables.publication import PublicationReads
from playground.storage.database.tables.rated import RatedReads
from playground.storage.database.tables.raters import RaterReads, RaterWrites
from playground.storage.database.tables.studies import StudyReads, StudyWrites
from playground.storage.database.tables.votes import VoteReads, VoteWrites


class Reading(
    VoteReads,
    CriterionReads,
    GuessReads,
    ExclusionReads,
    RatedReads,
    RaterReads,
    ErasureReads,
    ExportReads,
    JudgedReads,
    LedgerReads,
    ImportReads,
    ModerationReads,
    PublicationReads,
    GeneratedReads,
    StudyReads,
    LiveReads,
    PanelReads,
):
    """Reads from one snapshot of the database."""


class Writing(
    Reading,
    ImportWrites,
    BattleWrites,
    VoteWrites,
    CriterionWrites,
    GuessWrites,
    ExclusionWrites,
    RaterWrites,
    ErasureWrites,
    ModerationWrites,
    GeneratedWrites,
    StudyWrites,
    LiveWrites,
    PanelWrites,
):
    """Changes inside one transaction; reads see them."""
