"""The grammar of `ko-en`: sentences, their alignment, what is held out, and the tokenizer that must agree with it."""

import re

import pytest

from attention_core.training.korean.grammar import DEMO, Grammar, is_held_out
from attention_core.training.korean.hangul import final_of
from attention_core.training.korean.recipe import held_out_sentences
from attention_core.training.korean.tokenizer import MAX_TOKENS, make_tokenizer, vocabulary
from attention_core.training.korean.words import adjectives, motives, nouns, places, times, verbs

COUNT = 6000


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer()


@pytest.fixture(scope="module")
def sentences():
    grammar = Grammar(3)
    return [*grammar.sentences(COUNT, held_out=False), *grammar.sentences(COUNT // 6, held_out=True)]


def test_the_same_seed_makes_the_same_sentences():
    first, again, other = ([one.korean for one in Grammar(seed).sentences(50, held_out=False)] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_sentences_are_different_and_fit_the_model(sentences):
    assert len({one.korean for one in sentences}) == len(sentences)
    assert max(max(len(one.morphemes), len(one.words)) for one in sentences) < MAX_TOKENS // 2


def test_there_are_at_least_170_content_words():
    known = {
        *(noun.korean for noun in nouns()),
        *(place.korean for place in places()),
        *(verb.stem.text for verb in verbs()),
        *(adjective.stem.text for adjective in adjectives()),
        *(time.korean[0][0] for time in times()),
    }
    assert len(known) >= 170
    used = {word.text for one in Grammar(4).sentences(COUNT, held_out=False) for word in one.words if word.content}
    assert len(used) >= 170


def test_the_tables_name_only_groups_and_words_that_exist():
    noun_groups = {group for noun in nouns() for group in noun.groups}
    place_groups = {group for place in places() for group in place.groups}
    for verb in verbs():
        objects = {spec.rpartition(":")[2] for spec in verb.objects} - {"PRON"}
        assert objects <= noun_groups, verb
        assert {spec.lstrip(">@=!") for spec in verb.places if "+" not in spec} <= place_groups, verb
        assert {spec.lstrip("!+") for spec in verb.places if "+" in spec} <= noun_groups, verb
        assert set(verb.subjects) <= noun_groups, verb
    for adjective in adjectives():
        assert set(adjective.subjects) <= noun_groups | place_groups | {"speaker"}, adjective
    said = {word.english for word in (*verbs(), *adjectives())}
    for motive in motives().values():
        assert {*motive.does, *motive.does_not} <= said, motive


# ---- what is held out


def test_the_demo_sentence_is_held_out():
    assert is_held_out(DEMO)
    training = {one.korean for one in Grammar(0).sentences(20_000, held_out=False)}
    assert "나는 학교에 갔다" not in training
    assert not [text for text in training if re.fullmatch(r"(나는|내가) 학교에 (갔다|간다|가지 않았다|안 갔다)", text)]


def test_training_and_held_out_sentences_share_no_held_out_combination():
    training = {key for one in Grammar(0).sentences(3000, held_out=False) for key in one.combinations}
    for one in held_out_sentences(0, 500):
        new = [key for key in one.combinations if is_held_out(key)]
        assert new
        assert not training & set(new)


def test_about_a_tenth_of_all_combinations_is_held_out():
    grammar = Grammar(1)
    keys = {key for _ in range(5000) for key in grammar.sentence().combinations}
    assert 0.07 < sum(map(is_held_out, keys)) / len(keys) < 0.13


# ---- Korean and English


def test_particles_follow_the_sound_before_them(sentences):
    """What every learner of Korean checks: 은 이 을 과 after a consonant, 는 가 를 와 after a vowel."""
    closed, opened = {"은", "이", "을", "과", "으로"}, {"는", "가", "를", "와"}
    for one in sentences:
        for before, after in zip(one.morphemes, one.morphemes[1:], strict=False):
            if after.role == "particle" and not after.first and before.text != "께서":
                assert not (after.text in closed and not final_of(before.text)), one.korean
                assert not (after.text in opened and final_of(before.text)), one.korean


def test_english_verbs_agree_with_their_subjects(sentences):
    bases = {"be", *(verb.english for verb in verbs())}
    for one in sentences:
        text = one.english
        assert not re.search(r"\b(I|you|we|they) (is|has|does)\b", text), text
        assert not re.search(r"\b(he|she|it) (are|were|am|do)\b", text), text
        assert set(re.findall(r"\b(?:do|does|did|will) not (\w+)", text)) <= bases, text
        assert not re.search(r"\ba [aeiou]|\ban [^aeiou]|\b(the|a) (the|a|my)\b", text), text
        assert not re.search(r"\bto home\b|\b(\w+) \1\b", text), text


def test_those_who_are_honoured_take_si(sentences):
    honoured = {noun.korean for noun in nouns() if "hon" in noun.traits}
    for one in sentences:
        first = one.morphemes[0]
        marker = one.morphemes[1].text
        if first.text in honoured and marker == "께서":
            assert re.search("[시셨신실셔]", "".join(m.text for m in one.morphemes[2:])), one.korean


# ---- the alignment


def test_every_content_word_stands_for_a_morpheme_of_its_own_kind(sentences):
    kinds = {"noun": "noun", "name": "name", "place": "place", "time": "time", "adverb": "adverb"}
    for one in sentences:
        for word in one.words:
            if word.content:
                assert word.sources, one.english
                source = one.morphemes[word.sources[0]]
                assert source.first, (one.korean, word)
                if word.text not in ("rained", "snowed"):
                    assert source.role == kinds.get(word.role, word.role), (one.korean, word)


def test_the_alignment_of_sentences_known_by_hand(sentences):
    pairs = {
        (word.text, one.morphemes[word.sources[0]].text) for one in sentences for word in one.words if word.content
    }
    assert {("went", "갔"), ("school", "학교"), ("ate", "먹"), ("tired", "피곤"), ("Minsu", "민수")} <= pairs
    assert {("helped", "도왔"), ("listened", "들"), ("walked", "걸"), ("slept", "주무"), ("rained", "비")} <= pairs
    went = {source for text, source in pairs if text == "went"}
    assert went == {"갔", "가"}  # 가셨다


def test_a_pronoun_that_korean_leaves_out_has_no_source(sentences):
    left_out = [
        word
        for one in sentences
        if "왜냐하면" not in one.korean and "그래서" not in one.korean
        for before, word in zip(one.words, one.words[1:], strict=False)
        if before.text == "because" and word.role == "pronoun"
    ]
    assert left_out
    assert all(not word.sources for word in left_out)


# ---- the tokenizer


def test_pieces_are_the_grammars_own_morphemes(tokenizer, sentences):
    for one in sentences:
        assert tokenizer.encode(one.korean).tokens == [*one.pieces, "</s>"]
        assert tokenizer.encode(one.english).tokens == [*(word.text for word in one.words), "</s>"]


def test_ids_and_text_come_back(tokenizer, sentences):
    for one in sentences[:300]:
        assert tokenizer.decode(tokenizer.encode(one.korean).ids) == one.korean
        assert tokenizer.decode(tokenizer.encode(one.english).ids) == one.english


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("나는 학교에 갔다", "나 ##는 학교 ##에 갔 ##다"),
        ("나는 학교에 갔다.", "나 ##는 학교 ##에 갔 ##다"),
        ("고양이는 밥을 먹었다!", "고양이 ##는 밥 ##을 먹 ##었 ##다"),
        ("그 고양이는 피곤해서 매트 위에 앉았다", "그 고양이 ##는 피곤 ##해서 매트 위 ##에 앉 ##았 ##다"),
        ("I went to school.", "I went to school"),
        ("the Cat, sat", "the cat sat"),
        ("i met minsu in korea on SUNDAY", "I met Minsu in Korea on Sunday"),
        ("나는 우주선에 갔다", "나 ##는 <unk> 갔 ##다"),
    ],
)
def test_what_a_person_types_is_read_kindly(tokenizer, text, pieces):
    assert tokenizer.encode(text).tokens == [*pieces.split(), "</s>"]


def test_every_piece_of_the_vocabulary_is_there_once(tokenizer):
    pieces = vocabulary()
    assert len(pieces) == len(set(pieces)) == tokenizer.get_vocab_size()
    assert pieces[:3] == ["<pad>", "</s>", "<unk>"]
