"""Build the exact prompt of a template and an instruction, and check that it fits.

Boundary: knows token ids through a `Tokenizer`; no files, no models. A visitor's text is inserted once, as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import chain

from playground.errors import InvalidValue, PromptTooLong, TokenizerError
from playground.messages import Message
from playground.prompting.chat_template import render_chat
from playground.prompting.templates import SYSTEM
from playground.prompting.tokenization import ChatTokenizer, Tokenizer
from playground.records import Instruction, ModelCard, Prompt, PromptTemplate, SamplingParams, Segment
from playground.records.prompts import PLACE


def build_prompt(template: PromptTemplate, tokenizer: Tokenizer, instruction: Instruction) -> Prompt:
    """Return the prompt, in the template's form with or without input.

    An empty system text means the template's own. System text is left out if the template has no place for it, see
    `ignores_system`.

    Raises:
        PromptTooLong: it is longer than the template's own limit.
        TokenizerError: the template's special ids are not in the vocabulary.
        InvalidTemplate: the chat template fails on this instruction.
    """
    values, form = _filled(template, instruction)
    if template.chat:
        text, token_ids = _build_chat(template, form, values, tokenizer)
    else:
        parts = [_build_segment(segment, values, tokenizer) for segment in form]
        text, token_ids = "".join(text for text, _ in parts), tuple(chain(*(ids for _, ids in parts)))
    prompt = Prompt(text, token_ids, template_id=template.id, template_hash=template.hash)
    _check_limit(prompt, template)
    return prompt


def build_messages(template: PromptTemplate, instruction: Instruction) -> Prompt:
    """Return the messages for a server's own chat template, as JSON; only the server knows the ids."""
    values, form = _filled(template, instruction)
    text = json.dumps(_messages(form, values), ensure_ascii=False)
    return Prompt(text, (), template_id=template.id, template_hash=template.hash)


def _filled(template: PromptTemplate, instruction: Instruction) -> tuple[Mapping[str, str], Sequence[Segment]]:
    """Return the texts for the places of a template, and the form to fill."""
    values = {
        "instruction": instruction.instruction,
        "input": instruction.input,
        "system": instruction.system or template.default_system,
    }
    return values, template.with_input if instruction.input else template.without_input


def _messages(form: Sequence[Segment], values: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the segments as messages, without an empty one of the system."""
    return [
        {"role": "system" if segment == SYSTEM else "user", "content": _fill(segment, values)}
        for segment in form
        if segment != SYSTEM or values["system"]
    ]


def _build_chat(
    template: PromptTemplate, form: Sequence[Segment], values: Mapping[str, str], tokenizer: Tokenizer
) -> tuple[str, tuple[int, ...]]:
    """Render the segments as messages by the repository's own template, and tokenise the whole."""
    if not isinstance(tokenizer, ChatTokenizer):
        raise TokenizerError(
            Message("the template {id} needs a tokenizer read for it; use the catalog's", id=template.id)
        )
    messages = _messages(form, values)
    letters = "".join({text[0] for text in tokenizer.marker_texts})
    chat = render_chat(template.chat, template.chat_names, messages, letters)
    return chat.text, tokenizer.encode_chat(chat.text, chat.safe)


def _build_segment(segment: Segment, values: Mapping[str, str], tokenizer: Tokenizer) -> tuple[str, tuple[int, ...]]:
    """Return a segment's text and ids; each segment is tokenised by itself."""
    if segment.ids:
        return "".join(tokenizer.token(token_id) for token_id in segment.ids), segment.ids
    text = _fill(segment, values)
    return text, tokenizer.encode(text)


def _fill(segment: Segment, values: Mapping[str, str]) -> str:
    return PLACE.sub(lambda place: values[place[1]], segment.text)


def _check_limit(prompt: Prompt, template: PromptTemplate) -> None:
    limit = template.max_prompt_tokens
    if limit is not None and prompt.num_tokens > limit:
        raise PromptTooLong(
            Message(
                "the prompt is {num_tokens:,} tokens long; the format {id} takes at most {limit:,}. Shorten"
                " the instruction or the input by about {number:,} tokens.",
                num_tokens=prompt.num_tokens,
                id=template.id,
                limit=limit,
                number=prompt.num_tokens - limit,
            )
        )


def check_fits(prompt: Prompt, card: ModelCard, params: SamplingParams) -> None:
    """Check that prompt and answer together fit the card's context.

    Raises:
        PromptTooLong: they do not; the message has the numbers and the next step.
    """
    left = card.context_length - prompt.num_tokens
    if left >= params.max_new_tokens:
        return
    size = f"{card.name} reads at most {card.context_length:,} tokens, prompt and answer together"
    if left > 0:
        raise PromptTooLong(
            Message(
                "{size}: the prompt is {num_tokens:,}, which leaves {left:,} of the {max_new_tokens:,} new "
                "tokens asked for. Shorten the text, set max_new_tokens to {left:,} or less, or choose "
                "another model.",
                size=size,
                num_tokens=prompt.num_tokens,
                left=left,
                max_new_tokens=params.max_new_tokens,
            )
        )
    raise PromptTooLong(
        Message(
            "{size}: the prompt alone is {num_tokens:,}. Shorten the text, or choose a model with a longer context.",
            size=size,
            num_tokens=prompt.num_tokens,
        )
    )


def check_taken(card: ModelCard, params: SamplingParams) -> None:
    """Check that the card's servers take every parameter that has an effect: none is left out in silence.

    Raises:
        InvalidValue: they do not take one; the message names it and the next step.
    """
    name = card.not_taken(params)
    if name:
        raise InvalidValue(
            Message(
                "{card} runs on a server that does not take {name}; set it to {neutral}, or name it in "
                "'server_params' of its card, if the server does",
                card=card.name,
                name=name,
                neutral=getattr(SamplingParams(), name),
            )
        )


def check_tokenizer(template: PromptTemplate, tokenizer: Tokenizer) -> None:
    """Check that the vocabulary has every special id of the template.

    Raises:
        TokenizerError: it lacks one.
    """
    segments = (*template.without_input, *template.with_input)
    placed = {token_id for segment in segments for token_id in segment.ids}
    for token_id in sorted(placed.union(template.stop_ids, template.drop_ids)):
        try:
            tokenizer.token(token_id)
        except TokenizerError as problem:
            raise TokenizerError(Message("template {id}: {problem}", id=template.id, problem=problem)) from problem


def ignores_system(template: PromptTemplate, instruction: Instruction) -> bool:
    """Return True if the instruction has system text that the template has no place for."""
    return bool(instruction.system) and not template.takes_system
