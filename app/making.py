"""Work on a model, in its lane's thread: loading it, and making the trace of a request."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.abilities import Abilities
from app.images import HeldImage
from app.lanes import Loader
from app.problems import ProblemError
from app.schemas import TraceRequest
from app.settings import Settings
from attention_core.models import checking, directory, memory, sources
from attention_core.models.catalogue import CatalogueEntry

if TYPE_CHECKING:
    from attention_core.models.examples import Encoded, Example
    from attention_core.models.loading import LoadedModel
    from attention_core.trace import AttentionTrace


# What a model does not take: the reason that the page has a sentence for, and ours.
MISFITS = {
    "no-picture": "{model} reads text and takes no picture",
    "no-text": "{model} looks at pictures and takes no text",
    "needs-picture": "{model} looks at pictures and needs one instead of a text",
    "no-target": "{model} reads one text and takes no target",
    "no-pair": "{model} does not read a second text",
    "no-switch": "the heads of {model} cannot be switched off",
    "no-mean-writing": "{model} cannot write while heads say their mean, which needs the whole text",
    "no-what-if": "the attention of {model} is run by another library, and only ours can be made to work otherwise",
    "as-it-is": "{model} writes as it is; leave out what_if",
    "no-writing": "{model} does not continue a text",
    "no-chat": "{model} has no chat template",
}


def demand_fit(entry: CatalogueEntry, request: TraceRequest, can: Abilities, *, writes: bool = False) -> None:
    """A not-available problem, with the reason, for what this model does not take; no model is loaded for it.

    `writes` when the model is to continue the text. `can` says what its files let it do.
    """
    reason = _misfit(entry, request) or _cannot(request, can, writes=writes)
    if reason is not None:
        title = entry.card.title
        raise ProblemError("not-available", MISFITS[reason].format(model=title), reason=reason, model=title)


def _misfit(entry: CatalogueEntry, request: TraceRequest) -> str | None:
    sees = entry.card.input == "picture"
    if sees and request.image is None:
        return "needs-picture"
    if sees and request.text:
        return "no-text"
    if request.image is not None and not sees:
        return "no-picture"
    if request.target is not None and entry.card.input != "translation":
        return "no-target"
    if request.pair is not None and not entry.card.reads_pairs:
        return "no-pair"
    return None


def _cannot(request: TraceRequest, can: Abilities, *, writes: bool) -> str | None:
    if (writes or request.written) and not can.writes:
        return "no-writing"
    if request.options.off and not can.switches:
        return "no-switch"
    if request.options.what_if and not can.rewires:
        return "no-what-if"
    if writes and request.options.what_if:
        return "as-it-is"
    if writes and request.options.off and request.options.off_with == "mean":
        return "no-mean-writing"
    return "no-chat" if request.options.chat and not can.chat and can.known else None


def example_of(request: TraceRequest, image: HeldImage | None) -> "Example":
    """The example that a request describes."""
    from attention_core.models.examples import Example
    from attention_core.pictures import read_picture

    pixels = None if image is None else read_picture(image.png)
    options = request.options
    return Example(
        request.text or "", pair=request.pair, target=request.target, image=pixels, off=tuple(options.off),
        written=tuple(request.written), chat=options.chat, off_with=options.off_with,
        what_if=tuple(options.what_if),
    )  # fmt: skip


def capture_with(model: "LoadedModel", request: TraceRequest, image: HeldImage | None = None) -> "AttentionTrace":
    """The trace of a request, made here and now."""
    from attention_core.capture import capture

    return capture(model, example_of(request, image), truncate=request.options.truncate)


def pass_needs(
    model: "LoadedModel", request: TraceRequest, image: HeldImage | None = None, *, more: int = 0
) -> tuple[str, int]:
    """A trace of this request in words, and the bytes that it takes at most; the errors of `encode`.

    `more` tokens are to be written: while that goes on, keys and values are held, which a trace of all holds too.
    """
    return encoded_needs(model, model.encode(example_of(request, image), truncate=request.options.truncate), more=more)


def encoded_needs(model: "LoadedModel", encoded: "Encoded", *, more: int = 0) -> tuple[str, int]:
    """The same for an example that is encoded already."""
    from attention_core.capture import MOST_WRITTEN
    from attention_core.capture.run import LAST_ROWS, call_options

    source, target = min(len(encoded.source) + more, model.card.max_tokens or sys.maxsize), 0
    if model.encoder_decoder:
        written = encoded.target
        target = min(model.card.max_tokens or MOST_WRITTEN, MOST_WRITTEN) if written is None else len(written)
    shape = memory.shape_of(model.network.config)
    dense = model.back_end == "eager"
    said = 0
    if model.back_end != "in-house":  # not every head can be asked for some rows of its scores alone
        said = LAST_ROWS if "logits_to_keep" in call_options(model.network) else max(source, target)
    needed = memory.pass_bytes(shape, source, target, item=model.dtype.itemsize, dense=dense, said_rows=said)
    return f"a trace of {source + target} tokens in {model.card.title}", needed


def revised(entry: CatalogueEntry, cache: Path) -> CatalogueEntry:
    """The model with the revision of the files that are here: of the hub what was fetched, of an own model a hash."""
    return directory.revised(sources.settled(entry, cache), cache)


def load_needs(folder: Path, item: int) -> int:
    """Bytes that loading a model takes at its height, by what its files' headers promise; a CheckpointError where
    they are not usable."""
    return checking.load_needs(checking.checked_weights(folder, checking.checked_config(folder)), item)


def make_loader(settings: Settings) -> Loader:
    """A function that loads a model as the settings wish, and proves it before its first trace."""

    def load(entry: CatalogueEntry, folder: Path) -> "LoadedModel":
        # torch and transformers take seconds to import, so the server answers before they are there.
        import torch

        from attention_core.capture import ready
        from attention_core.models.loading import load_model

        dtype: torch.dtype = getattr(torch, settings.dtype)
        return ready(load_model(entry.card, folder, dtype=dtype, device=best_device(settings.device)))

    return load


def best_device(wanted: str) -> str:
    """The device that was wished for; for "auto" CUDA or MPS where there is one, else the CPU."""
    import torch

    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
