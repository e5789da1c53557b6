"""The product's nouns as frozen records; import them from here, whatever file defines them.

Boundary: values only; no clock, no randomness, no model library, no Gradio. Imports only `errors` and `documents`.
"""

from playground.records.battles import (
    SIDES,
    STUDY_KINDS,
    Battle,
    BattleSide,
    BattleState,
    Belongings,
    Circumstances,
    Erased,
    JudgedBattle,
    JudgedPair,
    Origin,
    OwnBattle,
    Standing,
    Vote,
    overrides_of,
)
from playground.records.criteria import MOST_REASON_CHARS, Criterion, CriterionAnswer, CriterionCount
from playground.records.exported import BattleRow, ExportedAnswer, ExportedPair, ExportedSide, ExportedVote
from playground.records.filters import FILTER_NAMES, VoteFilter, check_choice, read_filter
from playground.records.generations import FinishReason, Generation
from playground.records.guesses import Guess, Question
from playground.records.ledger import Ledger, LedgerEntry, Variant
from playground.records.licenses import UNKNOWN_LICENSE, spdx
from playground.records.models import (
    TAKEN,
    WHEN_SAMPLING,
    Dtype,
    Feed,
    ModelCard,
    ModelStatus,
    Quantization,
    SamplingParams,
)
from playground.records.moderation import ModeratedBattle, ModerationCounts, Report
from playground.records.packed import PAIR_BITS, PackedPairs, PackedWord
from playground.records.prompts import Instruction, Prompt, PromptFormat, PromptTemplate, Segment
from playground.records.studies import (
    Adjudication,
    Assigned,
    CheckState,
    ClosedStudy,
    ItemCount,
    PanelId,
    PanelRater,
    StoredStudy,
    StudyItem,
    StudyRater,
)
from playground.records.views import BattleView, ColumnState, ColumnView, HeadToHead, LiveColumn

__all__ = [
    "FILTER_NAMES",
    "MOST_REASON_CHARS",
    "PAIR_BITS",
    "SIDES",
    "STUDY_KINDS",
    "TAKEN",
    "UNKNOWN_LICENSE",
    "WHEN_SAMPLING",
    "Adjudication",
    "Assigned",
    "Battle",
    "BattleRow",
    "BattleSide",
    "BattleState",
    "BattleView",
    "Belongings",
    "CheckState",
    "Circumstances",
    "ClosedStudy",
    "ColumnState",
    "ColumnView",
    "Criterion",
    "CriterionAnswer",
    "CriterionCount",
    "Dtype",
    "Erased",
    "ExportedAnswer",
    "ExportedPair",
    "ExportedSide",
    "ExportedVote",
    "Feed",
    "FinishReason",
    "Generation",
    "Guess",
    "HeadToHead",
    "Instruction",
    "ItemCount",
    "JudgedBattle",
    "JudgedPair",
    "Ledger",
    "LedgerEntry",
    "LiveColumn",
    "ModelCard",
    "ModelStatus",
    "ModeratedBattle",
    "ModerationCounts",
    "Origin",
    "OwnBattle",
    "PackedPairs",
    "PackedWord",
    "PanelId",
    "PanelRater",
    "Prompt",
    "PromptFormat",
    "PromptTemplate",
    "Quantization",
    "Question",
    "Report",
    "SamplingParams",
    "Segment",
    "Standing",
    "StoredStudy",
    "StudyItem",
    "StudyRater",
    "Variant",
    "Vote",
    "VoteFilter",
    "check_choice",
    "overrides_of",
    "read_filter",
    "spdx",
]
