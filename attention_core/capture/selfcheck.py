"""The self-check, in two parts: the kernel against the model's own eager attention, and each trace against the kernel.

The first guards mask, causality, soft cap, sinks and bias, once per loaded model; the second guards every trace.
A trace compared with its own kernel alone proves nothing: it agrees to 3e-8 with GPT-2's mask missing.
"""

import torch
from torch import Tensor

from attention_core.capture.run import Run
from attention_core.capture.sites import text_config
from attention_core.errors import NotAvailableError, SelfCheckError
from attention_core.maps import FactoredMap, Kind
from attention_core.models.loading import LoadedModel

HALF_PRECISION = {torch.bfloat16: 2e-2, torch.float16: 2e-3}
PROBE_TOKENS = 24
_BLOCK = 256


def tolerance(dtype: torch.dtype, largest_score: float) -> float:
    """How far two weights may differ: 1e-5 + 1e-6 · max|score| in float32, a fixed amount in half precision."""
    return HALF_PRECISION.get(dtype, 1e-5 + 1e-6 * largest_score)


def check_rows(run: Run, dtype: torch.dtype) -> tuple[float, float]:
    """The worst difference between recomputed rows and the kernel's output, and the tolerance it stays within.

    Both are in units of a weight: an output is a mean of values, so the difference is divided by the largest value.
    A SelfCheckError names the layer that exceeds it.
    """
    worst, allowed = 0.0, tolerance(dtype, 0.0)
    for one in run.seen:
        if one.output is None or not isinstance(one.map, FactoredMap):
            continue
        output, scores = one.map.recompute(one.rows)
        limit = tolerance(dtype, float(scores.abs().max()))
        largest = float(one.map.value_vectors.abs().max())
        error = float((output - one.output).abs().max()) / max(largest, 1e-30)
        if not error <= limit:
            raise SelfCheckError(
                f"recomputed rows of L{one.map.layer} ({one.map.kind}) differ from the model's own by {error:.1e}, "
                f"more than {limit:.1e}"
            )
        worst, allowed = max(worst, error), max(allowed, limit)
    return worst, allowed


def probe_inputs(model: LoadedModel) -> dict[str, Tensor]:
    """Random ids, longer than twice any sliding window as far as the model takes them, or random pixels.

    The same ones every time, within the vocabulary; a decoder beside an encoder gets fewer, so that source and
    target cannot be mistaken for one another.
    """
    config = text_config(model.network)
    generator = torch.Generator().manual_seed(0)
    if model.seeing is not None:
        pixels = torch.randn(1, 3, model.seeing.size, model.seeing.size, generator=generator)
        return {"pixel_values": pixels.to(model.device, model.dtype)}
    windows = [
        getattr(config, name, None) for name in ("sliding_window", "local_attention", "attention_window")
    ]
    longest = max([0, *(window for window in windows if isinstance(window, int))])
    length = max(PROBE_TOKENS, 2 * longest + 2)
    limit = model.card.max_tokens
    length = min(length, limit) if limit else length
    vocabulary = int(getattr(config, "vocabulary", 0) or config.vocab_size)

    def ids(count: int) -> Tensor:
        return torch.randint(0, vocabulary, (1, count), generator=generator).to(model.device)

    inputs = {"input_ids": ids(length)}
    if model.encoder_decoder:
        inputs["decoder_input_ids"] = ids(max(2, length - 5))
    return inputs


def check_kinds(reference: Run) -> None:
    """A NotAvailableError for a decoder that does not say that it is one, as OpenAI GPT: it would pass for an encoder.

    An encoder gives something to what lies ahead, at least once in the whole probe.
    """
    encoder = [one for one in reference.maps if one.kind == Kind.ENCODER_SELF and one.query_count > 1]
    if encoder and not any(bool(one.weights().triu(1).any()) for one in encoder):
        raise NotAvailableError("this model never looks ahead, but its code does not say that it is a decoder")


def check_fit(model: LoadedModel, reference: Run) -> None:
    """A NotAvailableError for maps of another size than a picture's class token and patches: SigLIP has no class
    token, DeiT one more, and DINOv2 may have registers."""
    if model.seeing is None:
        return
    count = (model.seeing.size // model.seeing.patch) ** 2 + 1
    first = reference.maps[0]
    if (first.query_count, first.key_count) != (count, count):
        raise NotAvailableError(
            f"the attention of {model.card.title} cannot be shown exactly: it is between {first.query_count} places of "
            f"a picture, which are not the {count} of a class token and the patches",
            reason="not-exact",
            model=model.card.title,
        )


def compare(ours: Run, reference: Run, dtype: torch.dtype) -> float:
    """The worst difference of a weight from the reference; a SelfCheckError where one exceeds the tolerance."""
    known = {(one.kind, one.layer): one for one in reference.maps}
    found = {(one.kind, one.layer): one for one in ours.maps}
    if known.keys() != found.keys():
        raise SelfCheckError(
            f"{len(found)} attention sub-layers were seen, but the model has {len(known)} of its own"
        )
    worst = 0.0
    for place, own in known.items():
        one = found[place]
        if (one.head_count, one.query_count, one.key_count) != (
            own.head_count,
            own.query_count,
            own.key_count,
        ):
            raise SelfCheckError(f"L{one.layer} ({one.kind}) has another shape than the model's own")
        for start in range(0, own.query_count, _BLOCK):
            rows = slice(start, min(start + _BLOCK, own.query_count))
            limit = tolerance(dtype, float(one.scores(None, rows).abs().max()) if one.has_scores else 0.0)
            error = float((one.weights(None, rows) - own.weights(None, rows)).abs().max())
            if not error <= limit:
                raise SelfCheckError(
                    f"the weights of L{one.layer} ({one.kind}) differ from the model's own by {error:.1e}, "
                    f"more than {limit:.1e}"
                )
            worst = max(worst, error)
    compare_hidden(ours.hidden, reference.hidden, dtype)
    return worst


def compare_hidden(ours: Tensor, reference: Tensor, dtype: torch.dtype) -> None:
    """A SelfCheckError for a last hidden state that is not the reference, as far as rounding goes.

    It sees every layer's rounding: 100 times a weight's tolerance, relative to its size.
    """
    scale = float(reference.float().abs().max())
    error = float((ours.float() - reference.float()).abs().max()) / max(scale, 1e-30)
    limit = min(0.1, 100 * tolerance(dtype, 0.0))
    if not error <= limit:
        raise SelfCheckError(f"the last hidden state differs from the model's own by {error:.1e} of its size")

