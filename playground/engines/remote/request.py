"""Build the body of a request: exact ids in, exact ids out, or text for servers that take no ids.

Boundary: values only; the names are those of vLLM's ``/v1/completions``, for text those of OpenAI's API and the card.
"""

from __future__ import annotations

import json
from typing import Any

from playground.engines.protocol import Job
from playground.records import WHEN_SAMPLING, ModelCard, SamplingParams


def request_body(job: Job, model: str, max_tokens: int) -> dict[str, Any]:
    """Return the request for `job`, with every parameter set, so that no default of the server applies.

    `renormalize_logits` has no equivalent and needs none: it does not change the drawn token.
    """
    params = job.params
    return {
        "model": model,
        "prompt": list(job.token_ids),
        "stream": True,
        "return_token_ids": True,
        "max_tokens": max_tokens,
        "min_tokens": min(params.min_new_tokens, max_tokens),
        "seed": job.seed,
        "stop_token_ids": list(job.stop_ids),
        "ignore_eos": True,  # stop ids come from the template, not from the checkpoint
        "skip_special_tokens": False,
        "repetition_penalty": params.repetition_penalty,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        **{name: getattr(params if params.do_sample else SamplingParams(), name) for name in WHEN_SAMPLING},
        **({} if params.do_sample else {"temperature": 0.0}),
    }


def text_body(job: Job, card: ModelCard, model: str, max_tokens: int) -> dict[str, Any]:
    """Return the request for a job whose prompt is text, or messages as JSON.

    Only the parameters that the card's servers take are sent (`ModelCard.sent_params`): some servers refuse others.
    Those that have no effect without sampling are left out then, and the temperature is 0. Switches of the chat
    template go along under the name that vLLM, SGLang and llama.cpp know.
    """
    params = job.params
    values = {name: getattr(params, name) for name in card.sent_params if name != "seed"}
    values |= {"seed": job.seed, "max_new_tokens": max_tokens}
    if not params.do_sample:
        values = {name: value for name, value in values.items() if name not in WHEN_SAMPLING} | {"temperature": 0.0}
    if "min_new_tokens" in values:
        values["min_new_tokens"] = min(params.min_new_tokens, max_tokens)
    return {
        "model": model,
        **({"messages": json.loads(job.text)} if card.feed == "messages" else {"prompt": job.text}),
        **({"chat_template_kwargs": dict(card.chat_template_kwargs)} if card.chat_template_kwargs else {}),
        "stream": True,
        "stream_options": {"include_usage": True},
        **{card.sent_params[name]: value for name, value in values.items()},
    }
