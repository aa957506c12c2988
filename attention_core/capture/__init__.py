"""From an example to a trace.

trace = capture("minilm", "The cat sat on the mat because it was tired")
"""

import re
import sys
import time
from collections.abc import Generator
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from types import ModuleType
from typing import Any

import torch

from attention_core.capture import hooks, selfcheck
from attention_core.capture.predict import predict
from attention_core.capture.rewiring import demand_as_it_is, demand_rewirable, rewired
from attention_core.capture.run import Run
from attention_core.capture.switching import heads_off, with_own_target
from attention_core.capture.writing import Sampling, Step, steps
from attention_core.errors import AtlasError
from attention_core.models.catalogue import load_catalogue
from attention_core.models.directory import demand_unchanged, models_folder, revised, with_own
from attention_core.models.examples import MOST_WRITTEN, Encoded, Example
from attention_core.models.loading import LoadedModel, load_model, load_reference, wrap
from attention_core.models.sources import cache_folder, demand_whole, fetch, settled
from attention_core.nn.changing import Changes
from attention_core.trace import AttentionTrace, Notice, Provenance
from attention_core.what_if import checked

__all__ = [
    "MOST_WRITTEN",
    "Example",
    "LoadedModel",
    "Sampling",
    "Step",
    "capture",
    "generate",
    "has_chat",
    "open_model",
    "ready",
    "wrap",
    "write",
]

# Syllables, and the jamo that they are made of.
_HANGUL = re.compile("[\uac00-\ud7a3\u1100-\u11ff]")
_opened: dict[str, LoadedModel] = {}


def capture(
    model: str | LoadedModel | Any,
    example: str | Example,
    *,
    tokenizer: Any = None,
    truncate: bool = False,
) -> AttentionTrace:
    """The trace of one example: every head of every layer, exact and checked.

    `model` is a name of the catalogue (fetched at first use), a `LoadedModel`, or a transformers model together
    with its `tokenizer`. A model with two sequences writes the target itself where the example has none. Raises
    TextError, TooManyTokensError (unless `truncate`), NotAvailableError for what the model cannot take, and
    SelfCheckError rather than return wrong numbers.
    """
    loaded = ready(_loaded(model, tokenizer))
    example = Example(example) if isinstance(example, str) else example
    off = heads_off(loaded, example)
    demand_rewirable(loaded, example)
    encoded = loaded.encode(example, truncate=truncate)
    started = time.perf_counter()
    with torch.inference_mode():
        unfinished = False
        if loaded.encoder_decoder and encoded.target is None:
            encoded, unfinished = with_own_target(loaded, encoded, off)  # a what-if is about one text, before and after
        run = _run(loaded, dict(encoded.inputs), rewired(loaded, example, encoded, off))
        error, limit = selfcheck.check_rows(run, loaded.dtype)
        predictions, note = predict(loaded, encoded, run)
    return AttentionTrace(
        model=loaded.card,
        source=encoded.source,
        target=encoded.target,
        decoder_input=encoded.decoder_input,
        picture=encoded.picture,
        maps=run.maps,
        provenance=Provenance(
            back_end=loaded.back_end,
            dtype=str(loaded.dtype).removeprefix("torch."),
            device=str(loaded.device),
            seconds=time.perf_counter() - started,
            self_check_error=error,
            self_check_tolerance=limit,
            versions=_versions(),
        ),
        notices=_notices(loaded, encoded, unfinished=unfinished),
        predictions=predictions,
        predictions_note=note,
        off=example.off,
        written=len(example.written),
        off_with=example.off_with,
        what_if=checked(example.what_if),
    )


def generate(
    model: str | LoadedModel | Any,
    example: str | Example,
    sampling: Sampling = Sampling(),  # noqa: B008  # frozen
    *,
    most: int = 64,
    tokenizer: Any = None,
) -> AttentionTrace:
    """The trace of a text and what the model wrote after it: one exact pass over both, `written` tokens its own.

    The same as `capture` of the example with the ids that `write` finds, at most `most` (1 to 256). What an example
    holds as written already stays, and the model goes on from there. Raises as `capture` and `write` do.
    """
    loaded = ready(_loaded(model, tokenizer))
    example = Example(example) if isinstance(example, str) else example
    ids = tuple(step.id for step in write(loaded, example, sampling, most=most))
    return capture(loaded, replace(example, written=(*example.written, *ids)))


def write(
    model: LoadedModel,
    example: Example,
    sampling: Sampling = Sampling(),  # noqa: B008  # frozen
    *,
    most: int = 64,
) -> Generator[Step]:
    """What a decoder writes after the example's text, one token after another, at most `most` (1 to 256) of them.

    Closing the generator stops it and frees its cache. Raises before the first step: NotAvailableError for a model
    that does not continue texts, a picture or a pair; TooManyTokensError where the prompt leaves no room; InputError
    for numbers out of range; and what `LoadedModel.encode` raises.
    """
    loaded = ready(model)
    loaded.check_writes(example)
    demand_as_it_is(example, "writing")
    changes = heads_off(loaded, example, writes=True)
    return steps(loaded, example, changes, sampling, most)


def has_chat(model: LoadedModel) -> bool:
    """Whether the model has a chat template, so that `Example(chat=True)` speaks to it."""
    return model.chat is not None


def open_model(name: str) -> LoadedModel:
    """A model of the catalogue, fetched at first use, or of ATLAS_MODELS_DIR; loaded once a process."""
    if name not in _opened:
        entry, cache = with_own(load_catalogue(), models_folder())[0].entry(name), cache_folder()
        folder = fetch(entry, cache)
        demand_whole(entry, cache)
        entry = revised(settled(entry, cache), cache)
        model = load_model(entry.card, folder)
        demand_unchanged(entry, cache)
        _opened[name] = model
    return _opened[name]


def ready(model: LoadedModel) -> LoadedModel:
    """The model, proved against its own eager attention; once, however many threads ask.

    A model that a faster back end would show wrongly is read densely from eager, and says so in `refusal`.
    """
    with model.lock:
        if not model.checked:
            with torch.inference_mode():
                _prove(model)
            model.checked = True
    return model


@cache
def _versions() -> dict[str, str]:
    """The versions that made the numbers; read from disk once, it takes as long as a self-check."""
    return {name: version(name) for name in ("attention-atlas", "torch", "transformers")}


def _loaded(model: Any, tokenizer: Any) -> LoadedModel:
    if isinstance(model, str):
        return open_model(model)
    if isinstance(model, LoadedModel):
        return model
    return wrap(model, tokenizer)


def _prove(model: LoadedModel) -> None:
    """Probe the back end; where it is refused, fall back to dense weights in place."""
    inputs = selfcheck.probe_inputs(model)
    network: Any = model.network
    if model.back_end == "in-house":
        from attention_core.capture import inhouse

        model.outputs = inhouse.outputs_of(network)
        if model.folder is None:  # no other library runs it: the readable formula is the reference
            reference = inhouse.readable_run(network, inputs)
            model.there = reference.there
            selfcheck.compare(_run(model, inputs), reference, model.dtype)
            return
        network = load_reference(model.folder, dtype=model.dtype, device=model.device, bare=True)
    else:
        network.set_attn_implementation("eager")
    reference = hooks.run(network, inputs)
    model.there = reference.there
    selfcheck.check_fit(model, reference)
    if model.back_end == "eager":
        return
    try:
        if model.back_end == "interface":
            from attention_core.capture import interface

            interface.install(network)
            model.outputs = interface.find_outputs(network, inputs)
        selfcheck.compare(_run(model, inputs), reference, model.dtype)
    except (AtlasError, ValueError, KeyError, RuntimeError, NotImplementedError) as error:
        selfcheck.check_kinds(reference)
        model.back_end, model.network, model.refusal = "eager", network, str(error)
        network.set_attn_implementation("eager")


def _run(model: LoadedModel, inputs: dict[str, Any], changes: Changes | None = None) -> Run:
    network: Any = model.network
    if model.back_end == "in-house":
        from attention_core.capture import inhouse

        return inhouse.run(network, inputs, changes, model.outputs)
    if model.back_end == "interface":
        from attention_core.capture import interface  # imports transformers, which takes seconds

        return interface.run(network, inputs, changes, model.outputs)
    return hooks.run(network, inputs)


def _notices(model: LoadedModel, encoded: Encoded, *, unfinished: bool) -> tuple[Notice, ...]:
    """What a reader should know: a language the model has not learned, unknown tokens, a text or target that was
    cut, a translation that the model did not end."""
    notices = []
    source = encoded.source
    if _HANGUL.search(source.text + (source.pair or "")) and model.card.languages and "ko" not in model.card.languages:
        notices.append(Notice("language", {"language": "ko"}))
    unknown = sum(piece in ("[UNK]", "<unk>") for piece in source.pieces)
    if unknown:
        notices.append(Notice("unknown-tokens", {"count": unknown}))
    for name, tokens in (("truncated", source), ("target-truncated", encoded.target)):
        if tokens is not None and tokens.cut is not None:
            facts = {"kept": len(tokens), "count": tokens.count or len(tokens), "cut": tokens.cut}
            notices.append(Notice(name, facts))
    if unfinished:
        notices.append(Notice("unfinished", {"count": len(encoded.target or ())}))
    return tuple(notices)


class _Capture(ModuleType):
    """This package, which is called as its function is: `from attention_core import capture` gives the package."""

    __call__ = staticmethod(capture)


sys.modules[__name__].__class__ = _Capture
