"""transformers' own model of a folder: what runs the families that we do not, and what ours are compared with.

Nothing of the folder is run, nothing beyond it is read, and no network is asked.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import torch
from torch import nn

from attention_core.errors import AtlasError, CheckpointError
from attention_core.files import CONFIG_FILE, WEIGHTS_FILE, read_object
from attention_core.models.checking import checked_config, checked_weights, demand_same_size
from attention_core.models.decoders import vocabulary_of
from attention_core.nn.checkpoints import NoRandomStart

_ONE_AT_A_TIME = threading.Lock()
# What the end of an architecture's name says it was trained to tell, and transformers' classes for that.
HEADS = {
    "ForCausalLM": ("AutoModelForCausalLM", "MODEL_FOR_CAUSAL_LM_MAPPING"),
    "LMHeadModel": ("AutoModelForCausalLM", "MODEL_FOR_CAUSAL_LM_MAPPING"),
    "ForConditionalGeneration": ("AutoModelForSeq2SeqLM", "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING"),
    "MTModel": ("AutoModelForSeq2SeqLM", "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING"),
    "ForMaskedLM": ("AutoModelForMaskedLM", "MODEL_FOR_MASKED_LM_MAPPING"),
    "ForImageClassification": ("AutoModelForImageClassification", "MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING"),
}
# What of generation_config.json is the model's own; the rest is how somebody wanted it to write, or asks for more.
_KEPT = """
    bos_token_id eos_token_id pad_token_id decoder_start_token_id forced_bos_token_id forced_eos_token_id bad_words_ids
    suppress_tokens begin_suppress_tokens
"""
KEPT = tuple(_KEPT.split())
GENERATION_FILE = "generation_config.json"
# Parts that no attention and no prediction depends on: checkpoints often lack them.
_IDLE = ("pooler.", "contact_head.")


def load_reference(folder: Path, *, dtype: torch.dtype, device: torch.device, bare: bool = False) -> nn.Module:
    """transformers' own model of the folder, with the readable attention that gives its weights.

    It comes with the head that its `architectures` name, where what that says can be shown, or `bare`. A
    CheckpointError names what is missing, misshapen or refused.
    """
    raw = checked_config(folder)
    stored = checked_weights(folder, raw)
    if (folder / GENERATION_FILE).exists():
        read_object(folder / GENERATION_FILE)
    # transformers sets the process's own number format and starting weights while it builds a model: two threads that
    # load at once would see each other's.
    with _ONE_AT_A_TIME, _foreign(folder), offline():
        config, make = _class_of(folder, raw, bare=bare)
        with torch.device("meta"), NoRandomStart():
            laid_out = make.from_config(config, attn_implementation="eager", trust_remote_code=False)
        promised = sum(one.numel() for part in (laid_out.parameters(), laid_out.buffers()) for one in part)
        demand_same_size(folder, stored, promised)
        network, told = make.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=dtype,
            attn_implementation="eager",
            ignore_mismatched_sizes=True,  # so that they are named: what it put in their place is refused below
            output_loading_info=True,
        )
    _demand_whole(folder, network, told)
    _only_greedy(network)
    _own_memory(network)
    return network.to(device).eval()  # type: ignore[no-any-return]


def _class_of(folder: Path, raw: Mapping[str, Any], *, bare: bool) -> tuple[Any, Any]:
    """The folder's configuration as transformers reads it, and the class that makes the model."""
    import transformers  # takes seconds, and most starts never need it

    if raw["model_type"] not in transformers.CONFIG_MAPPING:
        where = f"{folder.name}/{CONFIG_FILE}"
        raise CheckpointError(
            f"{where} says model_type {raw['model_type'][:100]!r}, which transformers {transformers.__version__} does "
            "not know",
            reason="config",
            file=where,
        )
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    named = raw.get("architectures")
    for name in named if isinstance(named, list) and not bare else ():
        for end, (make, mapping) in HEADS.items():
            if isinstance(name, str) and name.endswith(end) and type(config) in getattr(transformers, mapping):
                return config, getattr(transformers, make)
    return config, transformers.AutoModel


def _only_greedy(network: Any) -> None:
    """Leaves of how the model writes only which tokens begin, end and never stand: always the most probable one."""
    given = getattr(network, "generation_config", None)
    if given is not None:
        count = vocabulary_of(network)
        named = {name: _known(getattr(given, name, None), count) for name in KEPT}
        if named["decoder_start_token_id"] is None:
            named["decoder_start_token_id"] = _known(getattr(network.config, "decoder_start_token_id", None), count)
        network.generation_config = type(given)(**{name: value for name, value in named.items() if value is not None})


def _known(given: Any, count: int) -> Any:
    """The id, or list of ids or of words of many ids, without those that are none of `count` tokens; None for none."""
    if isinstance(given, list):
        parts = [_known(one, count) for one in given]
        words = any(isinstance(one, list) for one in given)  # one that has an unknown id can never be written
        whole = [one for one, part in zip(given, parts, strict=True) if (part == one if words else part is not None)]
        return whole or None
    return given if type(given) is int and 0 <= given < count else None


def _own_memory(network: nn.Module) -> None:
    """Copies every weight: it may be a view of the file itself, which others may overwrite or cut short."""
    with torch.no_grad():
        for part in (network.parameters(), network.buffers()):
            for one in part:
                one.data = one.data.clone()


@contextmanager
def _foreign(folder: Path) -> Iterator[None]:
    """transformers without a word of its own, whatever it raises as a CheckpointError that names the folder."""
    from transformers.utils import logging

    quiet: Callable[[], None] = logging.disable_progress_bar
    quiet()
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # heads that the bare model lacks are meant
    try:
        yield
    except AtlasError:
        raise
    except Exception as error:  # a hostile configuration makes it raise nearly anything
        said = " ".join((str(error) or type(error).__name__).replace(str(folder), folder.name).split())[:500]
        raise CheckpointError(
            f"transformers cannot load {folder.name}: {said}", reason="mismatch", file=f"{folder.name}/{CONFIG_FILE}"
        ) from error
    finally:
        logging.set_verbosity(before)


class _Offline:
    """What huggingface_hub asks before it sends anything: true where a model is being loaded, elsewhere as before.

    A download may run in another thread meanwhile, so that the library's own switch would be too much.
    """

    loading: ContextVar[bool] = ContextVar("attention_atlas_loading", default=False)

    def __init__(self, otherwise: object) -> None:
        self._otherwise = otherwise

    def __bool__(self) -> bool:
        return self.loading.get() or bool(self._otherwise)


@contextmanager
def offline() -> Iterator[None]:
    """While this is open, the hub's library sends nothing from this thread, whatever a configuration names."""
    from huggingface_hub import constants

    before: object = constants.HF_HUB_OFFLINE
    if not isinstance(before, _Offline):
        vars(constants)["HF_HUB_OFFLINE"] = _Offline(before)
    token = _Offline.loading.set(True)
    try:
        yield
    finally:
        _Offline.loading.reset(token)


def _demand_whole(folder: Path, network: nn.Module, told: Mapping[str, Any]) -> None:
    """A CheckpointError for weights that transformers did not find: it has put random ones in their place."""
    # A table of sines follows from its shape, and few files store it.
    computed = [f"{name}." for name, module in network.named_modules() if "Sinusoidal" in type(module).__name__]
    idle = (*_IDLE, *computed)
    missing = sorted(name for name in told["missing_keys"] if not any(part in name for part in idle))
    odd = sorted(str(one[0] if isinstance(one, tuple) else one) for one in told.get("mismatched_keys", ()))
    where = f"{folder.name}/{WEIGHTS_FILE}"
    for what, names in (("missing", missing), ("of another shape", odd)):
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            raise CheckpointError(
                f"{where} does not fit its {CONFIG_FILE}: {what}: {', '.join(names[:5])}{more}",
                reason="mismatch",
                file=where,
            )
