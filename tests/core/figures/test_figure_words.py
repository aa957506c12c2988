"""The sentences of figures: alike in both languages, and Korean without particles that a filled-in word would break."""

import re
from string import Formatter

from attention_core.figures.words import ENGLISH, KOREAN

SLOT = re.compile(r"\{(\w+)\}")
# After these a particle would depend on the last letter of what is filled in.
PARTICLES = re.compile(r"\}”?(은|는|이|가|을|를|와|과|로|으로|이에요|예요|이랑|랑)(?=[ .,]|$)")


def slots(sentence):
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_sentences_with_the_same_slots():
    assert ENGLISH.keys() == KOREAN.keys()
    for name, sentence in ENGLISH.items():
        assert slots(sentence) == slots(KOREAN[name]), name


def test_korean_is_korean():
    for name, sentence in KOREAN.items():
        words = SLOT.sub("", sentence)
        assert re.search("[가-힣]", words) or not re.search("[A-Za-z]{3}", words), name


def test_no_particle_hangs_on_a_word_that_is_filled_in():
    """ "{head}예요" is read "L3 H1이에요" or "L3 H2예요": sentences are built so that nothing has to be chosen."""
    wrong = {name: found[0] for name, sentence in KOREAN.items() if (found := PARTICLES.search(sentence))}
    assert wrong == {}
