"""A trained model as a folder, from which any program of ours opens it again."""

import json
from pathlib import Path

from attention_core.lab.building import tokenizer_of
from attention_core.lab.training import Trained
from attention_core.models.card import NATIVE
from attention_core.nn.checkpoints import save_transformer

RESULTS_FILE = "results.json"


def save(trained: Trained, folder: Path) -> None:
    """Writes config.json, tokenizer.json and model.safetensors, as load_model and ATLAS_MODELS_DIR take them, and into
    results.json what was chosen and how well it does."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer_of(trained.choices).save(str(folder / "tokenizer.json"))
    document = {
        "choices": trained.choices.to_document(),
        "steps": trained.steps,
        "accuracy": trained.accuracy,
        "curve": [[one.step, one.loss, one.accuracy] for one in trained.curve],
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n"
    (folder / RESULTS_FILE).write_text(text, encoding="utf-8")
    save_transformer(trained.network, folder, family=NATIVE)
