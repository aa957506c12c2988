"""Checkpoints: one folder's config.json and model.safetensors, read into our transformer, or written from it.

Whatever is wrong with a file is one CheckpointError that lists all of it. Only safetensors are read: a pickle
could run code.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import fields, replace
from math import isclose
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.overrides import TorchFunctionMode

from attention_core.errors import CheckpointError, UnknownNameError
from attention_core.files import CONFIG_FILE, FLOATS, WEIGHTS_FILE, damaged, has_weights, read_object, weights_in
from attention_core.nn.config import TransformerConfig
from attention_core.nn.families import FAMILIES, Family, Place, Raw
from attention_core.nn.families.family import short
from attention_core.nn.transformer import Transformer

POSITIONS = "embedding.positions.weight"


def config_of(folder: Path) -> TransformerConfig:
    """What the folder's config.json says; a CheckpointError lists everything in it that we cannot run.

    Whether a BERT or ViT predicts anything is told by the names in its weights, where there are any.
    """
    folder = Path(folder)
    raw = read_config(folder)
    family = _family_of(raw, folder)
    return family.config(raw, family.names(weights_in(folder).tensors) if has_weights(folder) else ())


def load_transformer(
    folder: Path,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    scaled: bool = True,
    positions: bool = True,
) -> Transformer:
    """Our transformer with the weights of a checkpoint, in evaluation mode.

    `scaled=False` leaves out the division by √dim, `positions=False` whatever tells where a token stands: for lessons
    that show what they are for. Names may start as the family's bare model or its model with a head; poolers and heads
    that we do not know are left aside. A CheckpointError lists every weight that is missing, has another shape, or
    has no place in this configuration's model.
    """
    folder = Path(folder)
    raw = read_config(folder)
    family = _family_of(raw, folder)
    try:
        with _Weights(folder) as file:
            config = family.config(raw, family.names(file.keys()))
            state = _Reader(family, file, folder.name).read(_laid_out(config).state_dict(), config)
    except (SafetensorError, OSError) as error:
        raise damaged(folder / WEIGHTS_FILE, error) from error
    if not positions:
        config = replace(config, positions="none")
        state.pop(POSITIONS, None)
    model = _laid_out(config if scaled else replace(config, scaled=False))
    # Copies: what is read is the file itself, which others may overwrite or cut short under a running model.
    own = {name: tensor.to(device=device, dtype=dtype, copy=True) for name, tensor in state.items()}
    model.load_state_dict(own, assign=True)
    return model.eval()


def save_transformer(network: Transformer, folder: Path, family: str = "attention-atlas", **extra: Any) -> None:
    """Writes config.json and model.safetensors into the folder, as this family's own software reads them.

    `extra` are more keys for config.json. A CheckpointError names what in the network the family cannot say.
    """
    if family not in FAMILIES:
        raise UnknownNameError("family", family, list(FAMILIES))
    known = FAMILIES[family]
    raw = {"model_type": family} | known.raw(network.config) | extra
    state = _stored_state(known, network)
    _check_sayable(known, raw, network.config, state)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(raw, ensure_ascii=False, indent=2) + "\n"
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
    # Not save_file, whose file only its owner can read.
    (folder / WEIGHTS_FILE).write_bytes(save(state, metadata={"format": "pt"}))


# --------------------------------------------------------------------------------------------------- reading


class NoRandomStart(TorchFunctionMode):
    """While this is open, new modules draw no random weights: on "meta" that takes a compiler, and 1 s."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def _laid_out(config: TransformerConfig) -> Transformer:
    """A transformer of shapes only: the file brings the weights."""
    with torch.device("meta"), NoRandomStart():
        return Transformer(config)


def read_config(folder: Path) -> Raw:
    """The folder's config.json as it stands; a CheckpointError for a file that is none."""
    return read_object(folder / CONFIG_FILE)


def _family_of(raw: Raw, folder: Path) -> Family:
    """The family of this configuration, which we can run; a CheckpointError says why we cannot."""
    model_type = raw.get("model_type")
    family = FAMILIES.get(model_type) if isinstance(model_type, str) else None
    if family is None:
        faults = [f"model_type is {short(model_type)}; accepted: {', '.join(FAMILIES)}"]
    else:
        faults = family.faults(raw)
        if not faults:
            return family
    where = f"{folder.name}/{CONFIG_FILE}"
    raise CheckpointError(f"{where}: " + "; ".join(faults), faults=faults, reason="config", file=where)


class _Weights:
    """A folder's weights, in one file or in several, open as if they were one."""

    def __init__(self, folder: Path) -> None:
        self._files = weights_in(folder).files
        self._open = ExitStack()
        self._places: dict[str, Any] = {}

    def __enter__(self) -> "_Weights":
        with self._open as opening:  # closes what is open already when one cannot be opened
            for path in self._files:
                file: Any = opening.enter_context(safe_open(path, framework="pt"))
                self._places |= dict.fromkeys(file.keys(), file)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def keys(self) -> Collection[str]:
        """The names of all tensors."""
        return self._places.keys()

    def get_tensor(self, name: str) -> Tensor:
        """A tensor, read now."""
        tensor: Tensor = self._places[name].get_tensor(name)
        return tensor

    def get_slice(self, name: str) -> Any:
        """What knows a tensor's format and shape."""
        return self._places[name].get_slice(name)


class _Reader:
    """One open weights file, read by one family's table."""

    def __init__(self, family: Family, file: Any, folder: str) -> None:
        self.family, self.file, self.folder = family, file, folder
        self.stored = family.names(file.keys())
        self.faults: dict[str, list[str]] = {
            "missing": [],
            "of another shape": [],
            "not this model's": [],
            "not the copy it should be": [],
        }

    def read(self, wanted: Mapping[str, Tensor], config: TransformerConfig) -> dict[str, Tensor]:
        """Our weights by our names, or a CheckpointError with every fault of the file."""
        family, stored = self.family, self.stored
        places = {ours: self._find(ours) for ours in wanted}
        absent = [ours for ours, place in places.items() if place.name not in stored]
        zero = [ours for ours in absent if ours in family.zero]
        self.faults["missing"] = list(dict.fromkeys(places[ours].name for ours in absent if ours not in zero))
        copies = {
            copy: ours
            for copy, ours in family.same.items()
            if copy in stored and ours in wanted and copy != places[ours].name
        }
        computed = [name for name in family.computed if name in stored]
        shapes = {place.name: place.stored_shape(wanted[ours].shape) for ours, place in places.items()}
        shapes |= {copy: tuple(wanted[ours].shape) for copy, ours in copies.items()}
        shapes |= dict.fromkeys(computed, (config.max_tokens, config.embed_dim))
        self._check_shapes(shapes)
        self._check_known(shapes, config)
        self._raise()
        state = {
            ours: torch.zeros(wanted[ours].shape) if ours in zero else place.read(self._tensor(place.name))
            for ours, place in places.items()
        }
        others = [copy for copy, ours in copies.items() if not torch.equal(self._tensor(copy), state[ours])]
        others += [name for name in computed if not self._follows(name, shapes[name])]
        self.faults["not the copy it should be"] = sorted(others)
        self._raise()
        return state

    def _follows(self, name: str, shape: tuple[int, ...]) -> bool:
        """Whether a stored table is the one that we compute, as far as half precision can tell."""
        expected = self.family.computed[name](shape[0], shape[1])
        return torch.allclose(self._tensor(name).float(), expected, atol=1e-2)

    def _check_known(self, shapes: Mapping[str, tuple[int, ...]], config: TransformerConfig) -> None:
        """What is stored and has no place; parts of a head are left aside where we read none."""
        idle = self.family.top if config.output == "none" else ()
        self.faults["not this model's"] = sorted(
            name
            for name in self.stored.keys() - shapes.keys()
            if not re.fullmatch(self.family.ignored, name) and not (idle and name.startswith(idle))
        )

    def _find(self, ours: str) -> Place:
        """Where a weight stands: in its own place, or where the file has nothing there, in that of a copy."""
        place = self.family.place(ours)
        assert place is not None
        copies = [copy for copy, of in self.family.same.items() if of == ours and copy in self.stored]
        return Place(copies[0]) if place.name not in self.stored and copies else place

    def _tensor(self, name: str) -> Tensor:
        tensor: Tensor = self.file.get_tensor(self.stored[name])
        return tensor

    def _check_shapes(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        misshapen = []
        for name in shapes.keys() & self.stored.keys():
            held = self.file.get_slice(self.stored[name])
            if tuple(held.get_shape()) != shapes[name] or held.get_dtype() not in FLOATS:
                misshapen.append(f"{name} is {held.get_dtype()} {tuple(held.get_shape())}, not floating {shapes[name]}")
        self.faults["of another shape"] = sorted(misshapen)

    def _raise(self) -> None:
        if any(self.faults.values()):
            listed = "; ".join(f"{what}: {', '.join(names)}" for what, names in self.faults.items() if names)
            where = f"{self.folder}/{WEIGHTS_FILE}"
            raise CheckpointError(
                f"{where} does not fit its {CONFIG_FILE}: {listed}", reason="mismatch", file=where
            )


# --------------------------------------------------------------------------------------------------- writing


def _stored_state(family: Family, network: Transformer) -> dict[str, Tensor]:
    """The network's weights by the family's names; a CheckpointError lists those that it has no place for."""
    ours = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    ours |= {name: torch.zeros(network.config.vocabulary) for name in family.zero if name not in ours}
    places = {name: family.place(name) for name in ours}
    homeless = [name for name, place in places.items() if place is None]
    if homeless:
        raise CheckpointError(f"{family.model_type} has no place for {', '.join(homeless)}")
    thirds: dict[str, list[Tensor]] = {}
    headed = network.config.output != "none"  # files of the bare model have no prefix
    for name, place in places.items():
        assert place is not None
        before = "" if not headed or place.name.startswith(family.top or ("",)) else family.prefix
        thirds.setdefault(before + place.name, []).append(place.write(ours[name]))
    # Query, key and value come in this order, as the module holds them.
    return {name: parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1) for name, parts in thirds.items()}


def _check_sayable(family: Family, raw: dict[str, Any], config: TransformerConfig, state: Mapping[str, Tensor]) -> None:
    """A CheckpointError unless what is to be written reads back as this configuration."""
    faults = family.faults(raw)
    if not faults:
        again = family.config(raw, family.names(state.keys()))
        for one in fields(config):
            ours, theirs = getattr(config, one.name), getattr(again, one.name)
            same = isclose(ours, theirs) if isinstance(ours, float) else ours == theirs
            # A family that always adds a bias to its scores adds zeros for one that has none.
            if not same and not (one.name == "output_bias" and theirs and "prediction.bias" in family.zero):
                faults.append(f"{one.name} is {short(ours)}; a {family.model_type} file says {short(theirs)}")
    if faults:
        raise CheckpointError(f"a {family.model_type} cannot hold this: " + "; ".join(faults), faults=faults)
