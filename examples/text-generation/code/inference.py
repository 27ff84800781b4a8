"""Serve a Hugging Face text generation model, causal (Falcon ...) or seq2seq (FLAN-T5 ...).

Either kind answers both forms of a request, which forms.py describes. Config, tokenizer and
weights are in the model folder; nothing is downloaded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import forms
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

JSON = "application/json"
DEFAULT_NEW_TOKENS = 20


class WrongType(ValueError):
    """The caller sent something else than JSON."""

    status_code = 415


class Generator(NamedTuple):
    """A model with its tokenizer."""

    model: Any
    tokenizer: Any
    seq2seq: bool


def model_fn(model_dir: str) -> Generator:
    """Load the kind of model that the config in the folder describes."""
    config = AutoConfig.from_pretrained(model_dir, local_files_only=True)
    seq2seq = bool(config.is_encoder_decoder)
    kind = AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
    tokenizer = AutoTokenizer.from_pretrained(model_dir, local_files_only=True)
    model = kind.from_pretrained(model_dir, local_files_only=True)
    model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    return Generator(model, tokenizer, seq2seq)


def input_fn(body: str | bytes, content_type: str) -> forms.Prompt:
    """Check the request."""
    if content_type.partition(";")[0].strip().lower() != JSON:
        raise WrongType(f"content type {content_type!r} is not supported; send {JSON}")
    return forms.parse(body)


def predict_fn(prompt: forms.Prompt, generator: Generator) -> tuple[forms.Prompt, list[str]]:
    """Generate; the same seed gives the same text."""
    model, tokenizer, seq2seq = generator
    tokens = tokenizer(prompt.text, return_tensors="pt").to(model.device)
    length = tokens["input_ids"].shape[-1]
    if length == 0:
        raise forms.BadInput("the prompt has no token that the model knows")
    options = _options(prompt, generator, length)
    seed = prompt.options.get("seed")
    # Forked, so that a seed rules its own request only.
    with torch.inference_mode(), torch.random.fork_rng(enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        output = model.generate(
            input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"], **options
        )
    # A causal model repeats the prompt before what it adds.
    new = output if seq2seq else output[:, length:]
    return prompt, tokenizer.batch_decode(new, skip_special_tokens=True)


def output_fn(result: tuple[forms.Prompt, list[str]], _accept: str) -> tuple[str, str]:
    """Write the answer; it is JSON whatever the caller would accept."""
    return forms.answer(*result), JSON


def _options(prompt: forms.Prompt, generator: Generator, length: int) -> dict[str, Any]:
    """Return what `generate` is told, for a prompt of `length` tokens."""
    given = prompt.options
    sequences = given.get("num_return_sequences", 1)
    options: dict[str, Any] = {
        "max_new_tokens": _new_tokens(given, generator, length),
        "num_return_sequences": sequences,
        "do_sample": not prompt.greedy,
    }
    if prompt.greedy:
        # The greedy way knows one answer; the best so many beams end in as many.
        options["num_beams"] = sequences
    else:
        options |= {
            name: given[name] for name in ("temperature", "top_k", "top_p") if name in given
        }
    if generator.tokenizer.pad_token_id is None:
        options["pad_token_id"] = generator.tokenizer.eos_token_id
    return options


def _new_tokens(given: dict[str, Any], generator: Generator, length: int) -> int:
    """Return how many tokens to add; for a causal model max_length counts the prompt as well."""
    new = given.get("max_new_tokens", DEFAULT_NEW_TOKENS)
    if generator.seq2seq:
        return given.get("max_length", new)
    if "max_length" in given:
        new = given["max_length"] - length
        if new < 1:
            raise forms.BadInput(f"max_length leaves no room after a prompt of {length} tokens")
    room = getattr(generator.model.config, "max_position_embeddings", None)
    if room is not None and length + new > room:
        raise forms.BadInput(
            f"a prompt of {length} tokens and {new} new ones are more than the model's {room}"
        )
    return new
