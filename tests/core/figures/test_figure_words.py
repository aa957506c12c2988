"""The sentences of figures: alike in both languages, and Korean without particles that a filled-in word would break."""

import json
import re
from pathlib import Path
from string import Formatter

from attention_core.figures.figure import Style
from attention_core.figures.words import ENGLISH, KOREAN, SENTENCES, say

SLOT = re.compile(r"\{(\w+)\}")
# After these a particle would depend on the last letter of what is filled in.
PARTICLES = re.compile(r"\}”?(은|는|이|가|을|를|와|과|로|으로|이에요|예요|이랑|랑)(?=[ .,]|$)")


def slots(sentence):
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_sentences_with_the_same_slots():
    assert ENGLISH.keys() == KOREAN.keys()
    for name, sentence in ENGLISH.items():
        assert slots(sentence) == slots(KOREAN[name]), name


def test_one_is_not_counted_as_many():
    """ "1 queries by 1 keys" was read aloud; Korean needs one form."""
    values = {"what": "w", "of": "", "rows": 1, "columns": 2}
    assert say(Style(), "alt.heatmap", **values) == "Heatmap of w, 1 query by 2 keys."
    assert say(Style(), "alt.heatmap", **values | {"rows": 0, "columns": 1}) == "Heatmap of w, 0 queries by 1 key."
    assert not any("|" in sentence.replace("||αf(x)||", "") for sentence in KOREAN.values())


def test_models_of_our_own_are_called_as_the_page_calls_them():
    folder = Path(__file__).parents[3] / "app/messages"
    for language, sentences in SENTENCES.items():
        page = json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
        assert {name: text for name, text in page.items() if name.startswith("model.name.")} == {
            name: text for name, text in sentences.items() if name.startswith("model.name.")
        }


def test_korean_is_korean():
    for name, sentence in KOREAN.items():
        words = SLOT.sub("", sentence)
        assert re.search("[가-힣]", words) or not re.search("[A-Za-z]{3}", words), name


def test_no_particle_hangs_on_a_word_that_is_filled_in():
    """ "{head}예요" is read "L3 H1이에요" or "L3 H2예요": sentences are built so that nothing has to be chosen."""
    wrong = {name: found[0] for name, sentence in KOREAN.items() if (found := PARTICLES.search(sentence))}
    assert wrong == {}
