"""The playground's own format: a battle with all its sides, its vote and the notes on it; ids are kept.

Boundary: field names only; the columns are those of the export of this name.
"""

from __future__ import annotations

from typing import Any

from playground.battles.ballot import check_choice
from playground.documents import read_values
from playground.errors import InvalidValue
from playground.exchange.imports.fields import Fields
from playground.exchange.imports.formats import ImportFormat, Origins, ReadBattle
from playground.exchange.imports.pair import IMPORTED, UNKNOWN
from playground.exchange.imports.rows import ReadOptions
from playground.exchange.imports.texts import Cleaner
from playground.rater_ids import imported_id
from playground.records import (
    MOST_NEW_TOKENS,
    SIDES,
    STUDY_KINDS,
    Battle,
    BattleSide,
    BattleState,
    CriterionAnswer,
    FinishReason,
    Generation,
    Instruction,
    JudgedBattle,
    Origin,
    Prompt,
    SamplingParams,
    Vote,
    overrides_of,
)

MAX_REVISION = 50
"""The most revisions of a vote; the journal has all earlier ones with each, so that more would fill the disk."""
MAX_IDS = 1_000_000
"""The most tokens of a prompt or an answer."""
MOST_TOGETHER = 1_000_000
MAX_SEED = 2**63 - 1
"""The largest whole number that the database stores."""


def read(fields: Fields, origins: Origins) -> ReadBattle:
    """Make a battle of a row, as it was when it was exported."""
    cleaner = Cleaner(origins.limits)
    text, at = fields.text, fields.time("voted_at")
    asked = cleaner.instruction(text("instruction"), text("input", ""), text("system", ""), text("category", ""))
    reasons, comment = cleaner.comment(tuple(fields.items("reasons", [])), text("comment", ""))
    vote = Vote(
        id=cleaner.id("vote_id", fields.name("vote_id")),
        battle_id=cleaner.id("battle_id", fields.name("battle_id")),
        revision=fields.whole("revision", 1, 1, MAX_REVISION),
        choice=text("choice"),
        rater_id=imported_id(cleaner.id("rater_id", fields.name("rater_id"))),
        created_at=at,
        decision_s=fields.at_least("decision_s", 0),
        origin=Origin(fields.one_of("origin", Origin, Origin.PERSON)),
        strength=fields.above_0("strength"),
        imported=origins.file,
    )
    battle = _battle(fields, vote, asked, cleaner)
    check_choice(vote.choice, battle)
    capped, criteria = fields.flag("capped", False), _criteria(fields, battle, cleaner)
    return ReadBattle(JudgedBattle(vote, battle, reasons, comment, capped, criteria), cleaned=cleaner.cleaned)


def _criteria(fields: Fields, battle: Battle, cleaner: Cleaner) -> tuple[CriterionAnswer, ...]:
    """Return the answers to further questions of the battle's study, which need not be stored here."""
    if not fields.given("criteria"):  # files of earlier versions have none
        return ()
    answers = tuple(_criterion(answer, cleaner) for answer in fields.tables("criteria"))
    if answers and battle.study is None:
        raise InvalidValue("'criteria' has answers, but 'study' is empty; only battles of a study have criteria")
    if len({answer.criterion for answer in answers}) < len(answers):
        raise InvalidValue("'criteria' answers a criterion twice; give one answer to each")
    return answers


def _criterion(answer: Fields, cleaner: Cleaner) -> CriterionAnswer:
    name, choice = answer.name("criterion"), answer.name("choice")
    return CriterionAnswer(
        cleaner.id(f"{answer.path}criterion", name),
        cleaner.id(f"{answer.path}choice", choice),
        cleaner.reason(f"{answer.path}reason", answer.text("reason", "")),
    )


def _battle(fields: Fields, vote: Vote, asked: Instruction, cleaner: Cleaner) -> Battle:
    owner = fields.name("owner", vote.rater_id)
    draw_probability = fields.above_0("draw_probability")
    if draw_probability is not None and draw_probability > 1:
        fields.refuse("draw_probability", "above 0, to 1, or nothing")
    study = fields.name("study") if fields.given("study") else None  # files of earlier versions name none
    return Battle(
        id=vote.battle_id,
        comparison_id=cleaner.id("comparison_id", fields.name("comparison_id", vote.battle_id)),
        parent_id=cleaner.id("parent_id", fields.name("parent_id")) if fields.given("parent_id") else None,
        owner=imported_id(cleaner.id("owner", owner)),
        source=fields.one_of("source", ("page", "api"), "page"),
        blind=fields.flag("blind"),
        state=BattleState(fields.one_of("state", (BattleState.VOTED, BattleState.REVEALED), BattleState.REVEALED)),
        instruction=asked,
        overrides=_overrides(fields),
        sides=_sides(fields, asked, cleaner),
        created_at=fields.time("created_at", vote.created_at),
        opened_at=fields.time("opened_at", vote.created_at),
        final_at=fields.time("final_at", vote.created_at),
        vote=vote,
        revision=vote.revision,
        draw_probability=draw_probability,
        study=study,
        study_hash=fields.name("study_hash") if study else None,
        study_kind=fields.one_of("study_kind", STUDY_KINDS) if study else None,
        own_words=study is not None and fields.flag("own_words", False),
    )


def _overrides(fields: Fields) -> dict[str, Any]:
    overrides = fields.table("overrides")
    for side in SIDES:
        own = overrides_of(overrides, side)
        if not isinstance(own, dict):
            fields.refuse("overrides", "parameters for all sides, or a table of them by side")
        changes = {name: value for name, value in own.items() if name != "seed"}
        SamplingParams(max_new_tokens=MOST_NEW_TOKENS).changed(changes)
    return overrides


def _sides(fields: Fields, asked: Instruction, cleaner: Cleaner) -> tuple[BattleSide, ...]:
    found = fields.tables("sides")
    letters = [side.one_of("side", SIDES) for side in found]
    if not 2 <= len(found) <= len(SIDES) or letters != sorted(set(letters)):
        raise InvalidValue(f"'sides' are {', '.join(letters) or 'none'}; valid: 2 to {len(SIDES)} in order, each once")
    sides = tuple(_side(letter, side, asked, cleaner) for letter, side in zip(letters, found, strict=True))
    if len({side.generation.id for side in sides if side.generation is not None}) < len(sides):
        raise InvalidValue("'sides' have the same 'generation_id'; each answer has its own")
    return sides


def _side(letter: str, side: Fields, asked: Instruction, cleaner: Cleaner) -> BattleSide:
    params = read_values(SamplingParams, side.table("params"), f"'{side.path}params'")
    seed = side.whole("seed", 0, 0, MAX_SEED)
    model = cleaner.id(f"{side.path}model", side.name("model"))
    prompt = Prompt(
        side.text("prompt_text", ""),
        _ids(side, "prompt_ids"),
        side.text("template_id", IMPORTED),
        side.text("template_hash", ""),
    )
    ends = [reason.value for reason in FinishReason if reason is not FinishReason.ERROR]
    generation = Generation(
        id=cleaner.id(f"{side.path}generation_id", side.name("generation_id")),
        model_id=model,
        model_revision=side.text("model_revision", IMPORTED),
        repo=side.text("repo", IMPORTED),
        license=side.text("license", UNKNOWN),
        instruction=asked,
        prompt=prompt,
        params=params,
        seed=seed,
        text=cleaner.own_answer(f"{side.path}text", side.text("text")),
        token_ids=_ids(side, "token_ids"),
        finish_reason=FinishReason(side.one_of("finish_reason", ends, FinishReason.STOP)),
        error=None,
        engine=side.text("engine", IMPORTED),
        device=side.text("device", ""),
        dtype=side.text("dtype", ""),
        versions={name: str(version) for name, version in side.table("versions").items()},
        faithful=side.flag("faithful", False),
        created_at=side.time("created_at"),
        first_token_s=side.at_least("first_token_s", 0),
        duration_s=side.at_least("duration_s", 0) or 0.0,
        reasoning=cleaner.own_reasoning(f"{side.path}reasoning", side.text("reasoning", "")),
        written_together=side.whole("written_together", 0, 0, MOST_TOGETHER) or None,
    )
    return BattleSide(letter, model, seed, params, generation)


def _ids(side: Fields, name: str) -> tuple[int, ...]:
    ids = side.items(name, [])
    if len(ids) > MAX_IDS or not all(type(id) is int and 0 <= id <= MAX_SEED for id in ids):
        side.refuse(name, f"a list of up to {MAX_IDS:,} token ids")
    return tuple(ids)


VOTES = ImportFormat(
    name="votes",
    read=read,
    needed=("vote_id", "battle_id", "choice", "rater_id", "voted_at", "blind", "instruction", "sides"),
    options=ReadOptions(is_escaped=True),
)
