"""Train the pocket models: ``python -m playground.pocket.train [ID…] [--out DIR] [--examples N] [--seed N]``.

The same seed gives the same weights, on the same machine and with one thread.

Boundary: the only file that writes weights. Progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from playground.pocket.architectures import ARCHITECTURES, Architecture
from playground.pocket.corpus import training_examples
from playground.pocket.encoding import Encoded, Encoder, texts
from playground.pocket.material import Material, load_material
from playground.pocket.tokenizer_training import train_byte_level, train_sentencepiece

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
Batch = tuple[Tensor, Tensor]
"""Ids and targets, both of shape (rows, length)."""
Step = list[Batch]
"""Batches whose gradients are summed."""
IGNORED = -100
"""Target of prompts and padding, which are not learned."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Training schedule."""

    examples: int = 80_000
    tokens_per_batch: int = 1_500
    batches_per_step: int = 2  # of different lengths, so that a step sees several kinds of task
    copying_steps: int = 300  # before the first example
    peak_rate: float = 3e-3
    matrix_rate: float = 0.02  # of Muon
    warm_up: float = 0.03  # share of the steps
    weight_decay: float = 0.02
    vocabulary_examples: int = 12_000
    seed: int = 0
    compiled: bool = True  # a third faster, but needs a C++ compiler


def main(arguments: Sequence[str] | None = None) -> int:
    """Train the named models, by default all."""
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m playground.pocket.train", description="Train the pocket models.")
    parser.add_argument("ids", nargs="*", metavar="ID", help=f"which: {', '.join(ARCHITECTURES)} (default: all)")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FOLDER, help="folder of the finished models")
    parser.add_argument("--examples", type=int, default=plan.examples, help="how many to see (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=plan.seed, help="default: %(default)s")
    parser.add_argument("--no-compile", action="store_true", help="do without torch.compile and its C++ compiler")
    options = parser.parse_args(arguments)
    unknown = [card_id for card_id in options.ids if card_id not in ARCHITECTURES]
    if unknown:
        parser.error(f"no pocket model {unknown[0]!r}; there are: {', '.join(ARCHITECTURES)}")
    torch.set_num_threads(1)
    material = load_material()
    chosen = replace(plan, examples=options.examples, seed=options.seed, compiled=not options.no_compile)
    for card_id in options.ids or ARCHITECTURES:
        train(card_id, material, chosen, options.out)
    return 0


def train(card_id: str, material: Material, plan: Plan, out: Path) -> None:
    """Train one model and write its folder in `out`; the model that it starts from must exist there."""
    architecture, folder = ARCHITECTURES[card_id], out / card_id
    folder.mkdir(parents=True, exist_ok=True)
    write_tokenizer(card_id, architecture, material, plan, folder)
    encoder = Encoder(card_id, architecture, folder)
    examples = training_examples(material, card_id, round(plan.examples * architecture.share), plan.seed)
    steps = example_steps([encoder.encoded(example) for example in examples], plan)
    torch.manual_seed(plan.seed)
    model = make_model(architecture, encoder.tokenizer.vocab_size)
    if architecture.starts_from:
        copy_weights(model, encoder, architecture.starts_from, out)
    else:
        steps = copying_steps(encoder.tokenizer.vocab_size, plan) + steps
    if plan.compiled:
        model.base_model.forward = torch.compile(model.base_model.forward, dynamic=True)
    learn(card_id, model, steps, plan)
    save(model, folder)


def write_tokenizer(card_id: str, architecture: Architecture, material: Material, plan: Plan, folder: Path) -> None:
    """Train the tokenizer on a part of the corpus and write its files."""
    examples = training_examples(material, card_id, plan.vocabulary_examples, plan.seed)
    lines = texts(card_id, examples)
    if architecture.normalizer:
        train_sentencepiece(lines, architecture.vocab_size, architecture.normalizer, folder)
    else:
        train_byte_level(
            lines,
            architecture.vocab_size,
            architecture.tokens,
            architecture.specials,
            architecture.tokenizer_class,
            folder,
        )


def example_steps(examples: list[Encoded], plan: Plan) -> list[Step]:
    """Return the examples as steps of a few batches each, in random order."""
    batches = make_batches(examples, plan)
    tensors = [as_tensors(batch) for batch in batches]
    return [tensors[at : at + plan.batches_per_step] for at in range(0, len(tensors), plan.batches_per_step)]


def make_batches(examples: list[Encoded], plan: Plan) -> list[list[Encoded]]:
    """Return batches of about equal size in tokens, each of examples of about equal length, in random order."""
    random = Random(plan.seed)
    examples.sort(key=lambda example: (example.num_tokens, random.random()))
    batches: list[list[Encoded]] = [[]]
    for example in examples:
        if (len(batches[-1]) + 1) * example.num_tokens > plan.tokens_per_batch:
            batches.append([])
        batches[-1].append(example)
    random.shuffle(batches)
    return batches


def copying_steps(vocab_size: int, plan: Plan) -> list[Step]:
    """Return steps of random tokens to be repeated: sums, lists and rewriting need copying, which text teaches late."""
    source = torch.Generator().manual_seed(plan.seed)
    return [
        [copying_batch(vocab_size, plan.tokens_per_batch, source) for _ in range(plan.batches_per_step)]
        for _ in range(plan.copying_steps)
    ]


def copying_batch(vocab_size: int, tokens: int, source: torch.Generator) -> Batch:
    """Return ids and targets of rows ``x end x``, whose second `x` is learned."""
    length = int(torch.randint(6, 30, (1,), generator=source))
    ids = torch.randint(3, vocab_size, (max(1, tokens // (2 * length)), length), generator=source)
    rows = torch.cat([ids, torch.full((len(ids), 1), 2), ids], dim=1)
    targets = rows[:, 1:].clone()
    targets[:, :length] = IGNORED
    return rows[:, :-1], targets


def copy_weights(model: Any, encoder: Encoder, card_id: str, out: Path) -> None:
    """Copy the weights of another model of the same class; embeddings are matched by the tokens' text."""
    other = Encoder(card_id, ARCHITECTURES[card_id], out / card_id)
    trained = transformers.AutoModelForCausalLM.from_pretrained(out / card_id, dtype=torch.float32)
    outer = ("embed_tokens.weight", "lm_head.weight")
    weights = trained.state_dict()
    model.load_state_dict({name: value for name, value in weights.items() if not name.endswith(outer)}, strict=False)
    rows = {other.tokenizer.token(row): row for row in range(other.tokenizer.vocab_size)}
    pairs = [(row, rows.get(encoder.tokenizer.token(row))) for row in range(encoder.tokenizer.vocab_size)]
    known = [(row, there) for row, there in pairs if there is not None]
    for name, value in model.state_dict().items():
        if name.endswith(outer):
            value[[row for row, _ in known]] = weights[name][[there for _, there in known]]


def make_model(architecture: Architecture, vocab_size: int) -> Any:
    """Return a model with random weights, set up for `loss_of`."""
    config = getattr(transformers, architecture.config_class)(vocab_size=vocab_size, **architecture.config)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    if architecture.config_class != "MptConfig":  # it has its own attention
        transformers.AttentionInterface.register("sdpa_float32", attention_in_float32)
        model.set_attn_implementation("sdpa_float32")
    if not config.tie_word_embeddings:
        share_initial_rows(model.get_input_embeddings().weight, model.get_output_embeddings().weight)
    return model


@torch.no_grad()
def share_initial_rows(embeddings: Tensor, output: Tensor) -> None:
    """Initialize embedding and output with the same rows plus a common vector: the model learns to copy sooner.

    Rotary attention needs the common vector to attend to a position rather than to a token.
    """
    embeddings.add_(torch.randn(embeddings.shape[1]) * embeddings.std())
    output.copy_(embeddings)


def attention_in_float32(module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Any, **options: Any) -> Any:
    """Compute attention outside autocast: on a CPU it is several times slower in bfloat16."""
    with torch.autocast("cpu", enabled=False):
        return sdpa_attention_forward(module, query.float(), key.float(), value.float(), mask, **options)


def as_tensors(batch: list[Encoded], padding: int = 0) -> Batch:
    """Return ids and targets, the ids one later, both of shape (examples, longest - 1), padded on the right."""
    longest = max(example.num_tokens for example in batch)
    ids = torch.full((len(batch), longest), padding)
    targets = torch.full((len(batch), longest), IGNORED)
    for row, example in enumerate(batch):
        ids[row, : example.num_tokens] = torch.tensor(example.prompt + example.answer)
        targets[row, len(example.prompt) : example.num_tokens] = torch.tensor(example.answer)
    return ids[:, :-1], targets[:, 1:]


def loss_of(model: Any, ids: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy of the answers; only their positions go through the output layer.

    Padding is on the right, where causal attention does not reach, so that no mask is needed.
    """
    learned = targets != IGNORED
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
        logits = model.get_output_embeddings()(hidden[learned])
    return torch.nn.functional.cross_entropy(logits.float(), targets[learned])


def make_optimizers(model: Any, plan: Plan) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices between the embeddings and AdamW for everything else."""
    outer = {id(model.get_input_embeddings().weight), id(model.get_output_embeddings().weight)}
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and id(p) not in outer and "embed" not in name]
    inner = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in inner]
    return [
        torch.optim.Muon(matrices, lr=plan.matrix_rate, weight_decay=plan.weight_decay),
        torch.optim.AdamW(others, lr=plan.peak_rate, betas=(0.9, 0.98), weight_decay=plan.weight_decay),
    ]


def rate_at(step: int, steps: int, plan: Plan) -> float:
    """Return the share of the peak rate: a linear rise, then half a cosine down to a fiftieth."""
    rise = max(1, round(steps * plan.warm_up))
    if step < rise:
        return (step + 1) / rise
    return 0.02 + 0.98 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise))) / 2


def learn(card_id: str, model: Any, steps: list[Step], plan: Plan) -> None:
    """Train for one pass over the steps."""
    model.train()
    optimizers = make_optimizers(model, plan)
    peaks = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    started, recent = time.monotonic(), 0.0
    for number, step in enumerate(steps):
        for optimizer, peak in zip(optimizers, peaks, strict=True):
            optimizer.param_groups[0]["lr"] = peak * rate_at(number, len(steps), plan)
        loss = add_gradients(model, step)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        recent = loss if number == 0 else 0.97 * recent + 0.03 * loss
        if number % 50 == 0 or number == len(steps) - 1:
            report(card_id, number + 1, len(steps), recent, time.monotonic() - started)


def add_gradients(model: Any, step: Step) -> float:
    """Add the step's gradients to the model; return its loss per learned token."""
    learned = [int((targets != IGNORED).sum()) for _, targets in step]
    total = 0.0
    for (ids, targets), count in zip(step, learned, strict=True):
        loss = loss_of(model, ids, targets) * (count / sum(learned))
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.item()
    return total


def report(card_id: str, step: int, steps: int, loss: float, duration_s: float) -> None:
    """Print one line of progress."""
    left_s = duration_s / step * (steps - step)
    print(f"{card_id}: step {step}/{steps}, loss {loss:.3f}, {duration_s:.0f} s, {left_s:.0f} s left", file=sys.stderr)


def save(model: Any, folder: Path) -> None:
    """Write the weights in bfloat16 and the configuration."""
    model.config.use_cache = True
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    config = folder / "config.json"
    config.write_text(json.dumps(as_in_2023(json.loads(config.read_text("utf-8"))), indent=2) + "\n", "utf-8")


def as_in_2023(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration in the spelling of 2023: `torch_dtype`, and `attn_config` without defaults."""
    general = transformers.PreTrainedConfig().to_dict()
    config = {("torch_dtype" if name == "dtype" else name): value for name, value in config.items()}
    if "attn_config" in config:
        config["attn_config"] = {name: value for name, value in config["attn_config"].items() if name not in general}
    return config


if __name__ == "__main__":
    sys.exit(main())
