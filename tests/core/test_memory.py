"""What a load and a pass take: the estimates against what torch allocates, and what a control group leaves."""

import subprocess
import sys
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from attention_core.capture import Example, capture, ready
from attention_core.models import memory
from attention_core.models.card import ModelCard
from attention_core.models.catalogue import load_catalogue
from attention_core.models.loading import LoadedModel, load_model
from attention_core.models.memory import Shape, available_bytes, cgroup_limits, load_bytes, pass_bytes, shape_of
from attention_core.nn import Transformer, TransformerConfig

WORDS = 3000
TEXT = {"vocabulary": WORDS, "max_tokens": 600, "output": "tokens", "inner_dim": 768, "embed_dim": 192, "heads": 6}
CONFIGS = {
    "decoder": TransformerConfig(**TEXT, decoder_layers=8, norm="pre"),
    "translator": TransformerConfig(**TEXT, encoder_layers=4, decoder_layers=4, start=0, end=1),
}


class Peak(TorchDispatchMode):
    """Counts the bytes of every tensor that torch makes while this is open: `most` at their height."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._sizes: dict[int, int] = {}

    def _gone(self, key: int) -> None:
        self.now -= self._sizes.pop(key)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        for tensor in tree_iter(made):
            if isinstance(tensor, torch.Tensor) and tensor.untyped_storage()._cdata not in self._sizes:
                storage = tensor.untyped_storage()
                self._sizes[storage._cdata] = storage.nbytes()
                self.now += storage.nbytes()
                self.most = max(self.most, self.now)
                weakref.finalize(storage, self._gone, storage._cdata)
        return made


def model_of(name: str) -> LoadedModel:
    torch.manual_seed(0)
    config = CONFIGS[name]
    tokenizer = Tokenizer(models.WordLevel({f"w{number}": number for number in range(WORDS)}, unk_token="w0"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    card = ModelCard(
        name=name, title=name, full_title=name, family="attention-atlas", kinds=config.kinds, languages=(), layers=4,
        heads=6, max_tokens=600, precision="exact", licence="", revision="",
    )  # fmt: skip
    return ready(LoadedModel(card, tokenizer, Transformer(config).eval(), "in-house"))


def measured(model: LoadedModel, text: str, target: str | None = None) -> tuple[int, int, int]:
    """Bytes at their height, and the tokens of source and target."""
    with Peak() as peak:
        trace = capture(model, Example(text, target=target))
    return peak.most, len(trace.source), 0 if trace.target is None else len(trace.target)


@pytest.mark.model
@pytest.mark.parametrize("count", [10, 120, 500])
def test_a_pass_of_minilm_takes_no_more_than_estimated(minilm_folder: Path, count: int) -> None:
    model = ready(load_model(load_catalogue().entry("minilm").card, minilm_folder))
    taken, source, _ = measured(model, "word " * count)
    estimate = pass_bytes(shape_of(model.network.config), source)
    assert taken <= estimate <= 2 * taken + memory.PASS_BASE + (8 << 20)


@pytest.mark.parametrize(("name", "target"), [("decoder", None), ("translator", "w5 " * 300), ("translator", None)])
@pytest.mark.parametrize("count", [20, 400])
def test_a_pass_of_a_decoder_takes_no_more_than_estimated(name: str, target: str | None, count: int) -> None:
    model = model_of(name)
    taken, source, written = measured(model, "w7 " * count, target)
    estimate = pass_bytes(shape_of(model.network.config), source, written)
    assert taken <= estimate <= 3 * taken + memory.PASS_BASE + (8 << 20)


def test_a_pass_in_which_weights_are_kept_grows_with_the_square() -> None:
    shape = Shape(width=384, inner=1536, heads=12, vocabulary=0, encoder_layers=6, decoder_layers=0)
    short, long = (pass_bytes(shape, count, dense=True) for count in (4000, 8000))
    assert 3.5 < long / short < 4
    assert short > 6 * 12 * 4000**2 * 4
    linear = [pass_bytes(shape, count) - pass_bytes(shape, 0) for count in (4000, 8000)]
    assert linear[1] / linear[0] == pytest.approx(2, rel=0.1)


def test_half_precision_takes_less() -> None:
    assert load_bytes(400 << 20) - load_bytes(400 << 20, item=2) == 400 << 20
    shape = shape_of(CONFIGS["decoder"])
    assert pass_bytes(shape, 4000, item=2) < 0.6 * pass_bytes(shape, 4000)


@pytest.mark.model
def test_a_load_takes_no_more_than_estimated(minilm_folder: Path) -> None:
    """In a process of its own: what loading and proving MiniLM adds at its height, the libraries included."""
    script = f"""
import threading, psutil
from pathlib import Path
from attention_core.capture import ready
from attention_core.models.catalogue import load_catalogue
from attention_core.models.loading import load_model

heights, ended, own = [], threading.Event(), psutil.Process()

def watch():
    while not ended.wait(0.002):
        heights.append(own.memory_info().rss)

before = own.memory_info().rss
threading.Thread(target=watch).start()
ready(load_model(load_catalogue().entry("minilm").card, Path({str(minilm_folder)!r})))
ended.set()
print(max(heights) - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    taken, size = int(done.stdout), (minilm_folder / "model.safetensors").stat().st_size
    assert size < taken <= load_bytes(size) <= 2 * taken


@pytest.mark.parametrize(
    ("config", "layers"),
    [
        ({"hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "vocab_size": 5}, (3, 0)),
        ({"n_embd": 8, "n_layer": 3, "n_head": 2, "n_inner": None}, (3, 0)),
        ({"d_model": 8, "encoder_layers": 2, "decoder_layers": 4}, (2, 4)),
        ({"d_model": 8, "num_layers": 2, "num_decoder_layers": 4, "d_ff": 9}, (2, 4)),
    ],
)
def test_shapes_of_other_configurations(config: dict, layers: tuple[int, int]) -> None:
    shape = shape_of(SimpleNamespace(**config))
    assert shape.width == 8
    assert (shape.encoder_layers, shape.decoder_layers) == layers
    assert shape.inner == config.get("d_ff", 32)


def group(folder: Path, limit: str, used: int, cached: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {cached}\n")


def test_limits_of_control_groups_around_a_process(tmp_path: Path) -> None:
    root, own = tmp_path / "cgroup", tmp_path / "self"
    group(root / "a/b", "max", 10, 1)
    group(root / "a", "1000", 300, 100)
    own.write_text("0::/a/b\n")
    assert list(cgroup_limits(root, own)) == [(1000, 200)]
    own.write_text("0::/elsewhere\n")
    assert list(cgroup_limits(root, own)) == []
    assert list(cgroup_limits(root, tmp_path / "nothing")) == []


def test_limits_of_the_older_kind(tmp_path: Path) -> None:
    folder, own = tmp_path / "memory/docker", tmp_path / "self"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text("500")
    (folder / "memory.usage_in_bytes").write_text("450")
    (folder / "memory.stat").write_text("total_inactive_file 50\n")
    own.write_text("5:cpu:/x\n4:memory,hugetlb:/docker\n0::/docker\n")
    assert list(cgroup_limits(tmp_path, own)) == [(500, 400)]


def test_what_is_free_is_a_positive_number_of_bytes() -> None:
    assert 1 << 20 < available_bytes() < 1 << 62
