"""The tables of a publication: `pairs`, `votes` and `generations`, with type and meaning of every column.

Boundary: rows of the database in, rows of a publication out; knows no file. The dataset card prints these columns, the
writer makes Parquet of them, and `published` reads the judged pairs back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from playground.documents import convert
from playground.errors import InvalidValue
from playground.exchange.licenses import license_class
from playground.publishing.rater_names import Pseudonyms
from playground.records import JudgedPair

SPLITS = ("commercial", "other")
"""Rows whose licenses all allow commercial use, and the others."""
KINDS: Mapping[str, str] = {
    "text": "text",
    "json": "text (JSON)",
    "flag": "true or false",
    "number": "number",
    "whole": "whole number",
    "texts": "list of texts",
    "ids": "list of whole numbers",
    "sides": "list of records",
}
"""Kinds of columns, in words."""
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column; `kind` is one of `KINDS`."""

    name: str
    kind: str
    meaning: str

    @property
    def type_name(self) -> str:
        """The type in the words of the card."""
        return KINDS[self.kind]


@dataclass(frozen=True, slots=True)
class Table:
    """A table, which is a configuration of the dataset."""

    name: str
    meaning: str
    columns: tuple[TableColumn, ...]


_TIME = "UTC, ISO 8601"
_VOTE = (
    TableColumn("vote_id", "text", "the vote"),
    TableColumn("battle_id", "text", "the comparison that it judges, as one rater saw it"),
    TableColumn("comparison_id", "text", "battles that show the same answers"),
    TableColumn(
        "rater", "text", "a pseudonym, the same throughout this dataset; programs begin with `program/` or are `api`"
    ),
    TableColumn("origin", "text", "`person`, `program`, `judge` (a model) or `shared` (a guest of a shared link)"),
    TableColumn("study", "text", "the study that it is of; null if it is of none"),
)
_ASKED = (
    TableColumn("category", "text", "of the starter instruction; empty if the rater wrote their own"),
    TableColumn("instruction", "text", "as typed"),
    TableColumn("input", "text", "material to the instruction; may be empty"),
    TableColumn("system", "text", "system text; may be empty"),
)
_COUNTS = (
    TableColumn("counts", "flag", "True if the vote counts in `board.json`"),
    TableColumn("why_not", "text", "the reason if it does not; empty otherwise"),
)
PAIRS = Table(
    "pairs",
    "One row per judged pair of answers: a vote on two answers has one, a vote on more has several.",
    (
        *_VOTE,
        *_ASKED,
        TableColumn("model_a", "text", "the model of the answer further left"),
        TableColumn("model_b", "text", "the other model"),
        TableColumn("answer_a", "text", "its answer"),
        TableColumn("answer_b", "text", "the other answer"),
        TableColumn("winner", "text", "`model_a`, `model_b`, `tie` or `both_bad`"),
        TableColumn("strength", "number", "of the preference; null if not asked"),
        TableColumn("decision_s", "number", "seconds from the end of the answers to the vote; null if unknown"),
        TableColumn("created_at", "text", f"of the vote, {_TIME}"),
        *_COUNTS,
        TableColumn("blind", "flag", "the models were hidden until the vote"),
        TableColumn("drawn", "flag", "the playground drew the models; else the rater chose them"),
        TableColumn("own_sampling", "flag", "sampling parameters as on the models' cards"),
        TableColumn("names_itself", "flag", "an answer of the battle names its model"),
        TableColumn("seen_before", "flag", "the rater had seen the answers with their models' names"),
        TableColumn("seen_elsewhere", "flag", "an open run had shown one of the answers"),
        TableColumn("capped", "flag", "given after the daily cap of its network"),
        TableColumn("study_extra", "flag", "a repeat, a check or an attention item of the study, which is never rated"),
        TableColumn("weight", "number", "0 for a model against itself, else 1"),
        TableColumn("license_a", "text", "of `answer_a`"),
        TableColumn("license_b", "text", "of `answer_b`"),
        TableColumn("chars_a", "whole", "characters of `answer_a`"),
        TableColumn("chars_b", "whole", "characters of `answer_b`"),
        TableColumn("generation_a", "text", "`generation_id` of `answer_a`"),
        TableColumn("generation_b", "text", "`generation_id` of `answer_b`"),
        TableColumn("side_a", "text", "position of `answer_a` on the page, from `a`"),
        TableColumn("side_b", "text", "position of `answer_b`"),
    ),
)
VOTES = Table(
    "votes",
    "One row per vote, complete: every judged answer is an element of `sides`.",
    (
        *_VOTE,
        TableColumn("choice", "text", "the best side, `tie`, `both_bad`, or an order such as `b>a=c`"),
        TableColumn("strength", "number", "of the preference; null if not asked"),
        TableColumn("reasons", "texts", "reasons that the rater ticked"),
        TableColumn("comment", "text", "the rater's comment; may be empty"),
        TableColumn("decision_s", "number", "seconds from the end of the answers to the vote; null if unknown"),
        TableColumn("created_at", "text", f"of the vote, {_TIME}"),
        *_COUNTS,
        *_ASKED,
        TableColumn("sides", "sides", "the judged answers: `side`, `model`, `license`, `generation_id`"),
        TableColumn(
            "parent_id",
            "text",
            "the battle that this one regenerates or, with the same `comparison_id`, whose answers a guest judged;"
            " null if none",
        ),
        TableColumn("study_hash", "text", "hash of the study's file and of the files that it names"),
        TableColumn("study_kind", "text", "`item`, or `repeat`, `check` or `attention`, which are never rated"),
        TableColumn("source", "text", "`page` or `api`"),
        TableColumn("blind", "flag", "the models were hidden until the vote"),
        TableColumn("draw_probability", "number", "of this set of models; null if the rater chose them"),
        TableColumn("overrides", "json", "sampling parameters that the rater changed, as JSON"),
        TableColumn("battle_created_at", "text", f"of the battle, {_TIME}"),
        TableColumn("opened_at", "text", f"end of the last answer, {_TIME}"),
        TableColumn("final_at", "text", f"from then on the vote could not be undone, {_TIME}"),
    ),
)
GENERATIONS = Table(
    "generations",
    "One row per answer, with everything that is needed to make it again.",
    (
        TableColumn("generation_id", "text", "the answer"),
        TableColumn("model", "text", "id of the model"),
        TableColumn("repo", "text", "repository of its weights"),
        TableColumn("model_revision", "text", "commit of its weights"),
        TableColumn("license", "text", "of the answer"),
        *_ASKED,
        TableColumn("text", "text", "the answer"),
        TableColumn("reasoning", "text", "written before the answer; empty if none was"),
        TableColumn("finish_reason", "text", "`stop`, `length` or `cancelled`"),
        TableColumn(
            "prompt_text",
            "text",
            "the exact text that the model got; from a server with a chat template of its own, the messages as JSON",
        ),
        TableColumn("template_id", "text", "prompt template"),
        TableColumn("template_hash", "text", "SHA-256 of the template"),
        TableColumn("prompt_ids", "ids", "token ids of the prompt"),
        TableColumn("token_ids", "ids", "token ids of the answer"),
        TableColumn("params", "json", "sampling parameters, as JSON"),
        TableColumn("seed", "whole", "of the sampling"),
        TableColumn(
            "faithful",
            "flag",
            "the model got exactly this prompt; false where a server made the token ids itself, or nobody knows",
        ),
        TableColumn(
            "written_together", "whole", "most answers that a step of its model wrote, itself included; null if unknown"
        ),
        TableColumn("names_itself", "flag", "the answer names its model"),
        TableColumn("engine", "text", "the program that ran the model"),
        TableColumn("device", "text", "and its device"),
        TableColumn("dtype", "text", "of the weights"),
        TableColumn("versions", "json", "of the libraries, as JSON"),
        TableColumn("created_at", "text", _TIME),
        TableColumn("first_token_s", "number", "seconds from the request to the first token; null if unknown"),
        TableColumn("duration_s", "number", "seconds from the request to the end"),
    ),
)
TABLES = (PAIRS, VOTES, GENERATIONS)

_RENAMED: Mapping[str, str] = {"rater_id": "rater"}
PAIR_FIELDS = tuple(
    _RENAMED.get(f.name, f.name) for f in fields(JudgedPair) if f.name not in ("imported", "study_running")
)
"""Columns of `pairs` that make a judged pair; imported votes and those of running studies are not published."""
_OF_PAIR = ("side_a", "side_b", *(name for name in PAIR_FIELDS if name != "rater"))
_FLAGS_OF_PAIR = tuple(column.name for column in PAIRS.columns if column.kind == "flag" and column.name in PAIR_FIELDS)
_MODEL_COLUMNS: Mapping[str, str] = {"generation_id": "id", "model": "model_id"}


def pair_rows(vote: Row, judged: Iterable[Row], why_not: str, raters: Pseudonyms) -> Iterator[Row]:
    """Yield the rows of `pairs` of one vote."""
    sides = {side["side"]: side for side in vote["sides"]}
    for pair in judged:
        a, b = sides[pair["side_a"]], sides[pair["side_b"]]
        yield {
            **{name: pair[name] for name in _OF_PAIR},
            **{name: bool(pair[name]) for name in _FLAGS_OF_PAIR},
            **_shared(vote, why_not, raters),
            "answer_a": a["text"],
            "answer_b": b["text"],
            "license_a": a["license"],
            "license_b": b["license"],
            "generation_a": a["generation_id"],
            "generation_b": b["generation_id"],
        }


def vote_row(vote: Row, why_not: str, raters: Pseudonyms) -> Row:
    """Return the row of `votes`."""
    return {
        **vote,
        **_shared(vote, why_not, raters),
        "comment": vote["comment"] or "",
        "reasons": vote["reasons"].encode(),
        "blind": bool(vote["blind"]),
        "sides": [{name: side[name] for name in SIDE_FIELDS} for side in vote["sides"]],
    }


SIDE_FIELDS = ("side", "model", "license", "generation_id")
"""Fields of an element of `sides`."""


def generation_row(stored: Row, license: str) -> Row:
    """Return the row of `generations`."""
    row = {column.name: stored[_MODEL_COLUMNS.get(column.name, column.name)] for column in GENERATIONS.columns}
    stored_lists = {name: row[name].encode() for name in ("prompt_ids", "token_ids")}
    return row | stored_lists | {"license": license} | {name: bool(row[name]) for name in ("faithful", "names_itself")}


def split_of(licenses: Sequence[str]) -> str:
    """Return the split of a row with answers under these licenses."""
    return license_class(licenses)


def read_pair(row: Row) -> JudgedPair:
    """Read a judged pair from a row of `pairs`.

    Raises:
        InvalidValue: a value that no pair has.
    """
    values = {("rater_id" if name == "rater" else name): row[name] for name in PAIR_FIELDS}
    return convert(JudgedPair, {**values, "imported": None}, "a row of pairs", InvalidValue)


def _shared(vote: Row, why_not: str, raters: Pseudonyms) -> Row:
    """Return the columns that `pairs` and `votes` have in common, as far as they are not the vote's own."""
    names = (column.name for column in (*_VOTE, *_ASKED) if column.name != "rater")
    shared = {name: vote[name] for name in names}
    return {**shared, "rater": raters.name(vote["rater_id"], vote["origin"]), "counts": not why_not, "why_not": why_not}
