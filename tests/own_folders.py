"""Folders of tiny random models, saved as their own library saves them, and a guard against any network."""

import json
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from families import FAMILIES
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

WORDS = ["[PAD]", "</s>", "[UNK]", "[MASK]", *(f"w{number}" for number in range(56))]  # as many as FAMILIES have
TEXT = "w3 w9 w4 w9 w12 w30"
# A model's name: the family of the matrix, the class that saves it, and what that is told beside the family's sizes.
MODELS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "my-gpt2": ("gpt2", "GPT2LMHeadModel", {"bos_token_id": 1, "eos_token_id": 1}),
    "My.Llama_2": ("llama", "LlamaForCausalLM", {}),
    "bert": ("bert", "BertForMaskedLM", {}),
    "distil": ("distilbert", "DistilBertForMaskedLM", {}),
    "t5": ("t5", "T5ForConditionalGeneration", {"pad_token_id": 0, "eos_token_id": 1}),
    "bart": ("bart", "BartForConditionalGeneration", {}),
    "marian": ("marian", "MarianMTModel", {}),
    "vit": ("vit", "ViTForImageClassification", {"id2label": {0: "cat", 1: "dog", 2: "owl"}}),
    "dinov2": ("vit", "Dinov2ForImageClassification", {"id2label": {0: "cat", 1: "dog"}, "mlp_ratio": 2}),
}


def model_of(name: str) -> Any:
    """The tiny model of that name, its attention sharpened, in evaluation mode."""
    family, made, extra = MODELS[name]
    torch.manual_seed(0)
    make = getattr(transformers, made)
    model = make(make.config_class(**FAMILIES[family].options, **extra)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(4)
    if hasattr(model, "generation_config"):
        model.generation_config = transformers.GenerationConfig.from_model_config(model.config)
    return model


def tokenizer(words: list[str] | None = None) -> Tokenizer:
    """Words with spaces between, as they are."""
    made = Tokenizer(WordLevel({word: number for number, word in enumerate(words or WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = WhitespaceSplit()
    made.add_special_tokens(["[PAD]", "</s>"])
    return made


def save(root: Path, name: str, **how: Any) -> Path:
    """The folder of that model under the root, as `save_pretrained` writes it."""
    folder = root / name
    model_of(name).save_pretrained(folder, **how)
    if MODELS[name][0] != "vit":
        tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def change_config(folder: Path, **changes: Any) -> None:
    """Writes other values into config.json; None takes a key out."""
    path = folder / "config.json"
    given = json.loads(path.read_text(encoding="utf-8")) | changes
    kept = {key: value for key, value in given.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


def header(path: Path, tensors: dict[str, Any], size: int = 0) -> None:
    """A safetensors file of this header alone; `size` bytes of weights that take no room on the disk."""
    spelled = json.dumps(tensors).encode()
    with path.open("wb") as file:
        file.write(len(spelled).to_bytes(8, "little") + spelled)
        file.truncate(8 + len(spelled) + size)


@contextmanager
def no_network(monkeypatch):
    """Whoever wants to connect, or asks for an address, is refused and written down: nobody may."""
    asked = []

    def refuse(*given: Any, **_: Any) -> None:
        asked.append(given[-1] if given else None)
        raise OSError("no network in this test")

    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket.socket, "connect_ex", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield
    assert asked == []
