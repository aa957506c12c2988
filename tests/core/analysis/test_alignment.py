"""Which tokens of one text stand for which of another."""

import time
from itertools import pairwise

import pytest
from hand_made import tokens_of
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from attention_core.analysis.alignment import align, common
from attention_core.tokens import Tokens

Spelled = list[tuple[str, str]]
PIECES = ["[UNK]", "[CLS]", "[SEP]", "cat", "it", "was", "soft", "ex", "##haus", "##ted", ".", "walk", "##ing", "sat"]


def spelled(first: Tokens, second: Tokens) -> Spelled:
    """The pairs as a person would write them; nothing stands for nothing."""
    sides = ((first, "first"), (second, "second"))
    return [
        (*(" ".join(tokens.texts[at] for at in getattr(pair, name) or ()) for tokens, name in sides),)
        for pair in align(first, second)
    ]


@pytest.fixture(scope="module")
def read():
    """Reads a text as WordPiece does."""
    tokenizer = Tokenizer(models.WordPiece({piece: at for at, piece in enumerate(PIECES)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    marks = [("[CLS]", 1), ("[SEP]", 2)]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", marks)

    def run(text: str, pair: str | None = None) -> Tokens:
        return Tokens.of(text, tokenizer.encode(text, pair), pair=pair)

    return run


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("a b c", "a x c", [("a", "a"), ("b", "x"), ("c", "c")]),
        ("a c", "a b c", [("a", "a"), ("", "b"), ("c", "c")]),
        ("a b c", "a c", [("a", "a"), ("b", ""), ("c", "c")]),
        ("a b c", "a x y c", [("a", "a"), ("b", ""), ("", "x"), ("", "y"), ("c", "c")]),
        ("a b", "x y z", [("a", ""), ("b", ""), ("", "x"), ("", "y"), ("", "z")]),
        ("b a b c", "b c b a b c", [("b", "b"), ("", "c"), ("", "b"), ("a", "a"), ("b", "b"), ("c", "c")]),
        ("그는 학교에 갔다", "그녀는 학교에 왔다", [("그는", "그녀는"), ("학교에", "학교에"), ("갔다", "왔다")]),
        ("[S] a [E]", "[S] x a [E]", [("[S]", "[S]"), ("", "x"), ("a", "a"), ("[E]", "[E]")]),
        ("The cat", "the Cat", [("The", "the"), ("cat", "Cat")]),
        ("[S] a", "b a", [("[S]", ""), ("", "b"), ("a", "a")]),
    ],
)  # fmt: skip
def test_words_that_stand_in_both_pair_up_and_as_many_as_many_between_them(first, second, expected) -> None:
    assert spelled(tokens_of(first), tokens_of(second)) == expected


def test_what_is_replaced_is_not_the_same() -> None:
    pairs = align(tokens_of("a b C"), tokens_of("a x c"))
    assert [pair.same for pair in pairs] == [True, False, True]


def test_a_word_of_several_pieces_stands_for_one_piece(read) -> None:
    assert spelled(read("it was exhausted ."), read("it was soft .")) == [
        ("[CLS]", "[CLS]"), ("it", "it"), ("was", "was"), ("ex haus ted", "soft"), (".", "."), ("[SEP]", "[SEP]"),
    ]  # fmt: skip
    (pair,) = [pair for pair in align(read("exhausted"), read("soft")) if pair.first and len(pair.first) > 1]
    assert (pair.first, pair.second, pair.same) == (range(1, 4), range(1, 2), False)
    assert spelled(read("walk"), read("walking"))[1:3] == [("walk", "walk"), ("", "ing")]


def test_the_sentences_of_a_pair_stay_apart(read) -> None:
    found = spelled(read("the cat sat", "it was soft"), read("it sat", "the cat was soft"))
    assert found.count(("[SEP]", "[SEP]")) == 2
    assert ("was", "was") in found
    assert ("cat", "cat") not in found


def test_two_tokenizers_of_one_text_are_aligned_by_its_letters(read) -> None:
    text = "The cat was exhausted."
    words = text.split()
    spans, at = [], 0
    for word in words:
        spans.append((at, at + len(word)))
        at += len(word) + 1
    count = len(words) + 2
    other = Tokens(
        text, tuple(range(count)), ("<s>", *words, "</s>"), ("<s>", *words, "</s>"), (None, *spans, None),
        (True, *[False] * len(words), True), (None, *range(len(words)), None), ("A",) * count,
    )  # fmt: skip
    assert spelled(read(text), other) == [
        ("[CLS]", "<s>"), ("[UNK]", "The"), ("cat", "cat"), ("was", "was"),
        ("ex haus ted .", "exhausted."), ("[SEP]", "</s>"),
    ]  # fmt: skip
    assert align(read(text), other)[4].same


def test_one_letter_of_several_bytes_pairs_up_byte_by_byte() -> None:
    spans = ((0, 1), (0, 1), (0, 1), (1, 2))
    texts = ("한¹", "한²", "한³", "a")
    korean = Tokens("한a", (0, 1, 2, 3), ("x",) * 4, texts, spans, (False,) * 4, (0,) * 4, ("A",) * 4)
    assert [(pair.first, pair.second) for pair in align(korean, korean)] == [(range(n, n + 1),) * 2 for n in range(4)]


def test_patches_stand_for_the_patches_in_their_place() -> None:
    pairs = align(Tokens.of_patches(3, 3), Tokens.of_patches(3, 3))
    assert [(pair.first, pair.same) for pair in pairs] == [(range(at, at + 1), True) for at in range(10)]


WORDS = st.sampled_from(["a", "A", "b", "the", "나는", "[S]", "c", "é"])
TEXTS = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)


@given(TEXTS, TEXTS)
def test_every_position_stands_in_one_pair_in_order(first: str, second: str) -> None:
    one, other = tokens_of(first), tokens_of(second)
    pairs = align(one, other)
    assert [at for pair in pairs for at in pair.first or ()] == list(range(len(one)))
    assert [at for pair in pairs for at in pair.second or ()] == list(range(len(other)))
    assert all(pair.first or pair.second for pair in pairs)
    for pair in pairs:
        if pair.both:
            assert one.special[pair.first[0]] == other.special[pair.second[0]]
    back = align(other, one)
    assert sum(pair.same for pair in back) == sum(pair.same for pair in pairs)


@given(TEXTS)
def test_a_text_is_aligned_with_itself_one_by_one(text: str) -> None:
    tokens = tokens_of(text)
    assert [(pair.first, pair.second, pair.same) for pair in align(tokens, tokens)] == [
        (range(at, at + 1), range(at, at + 1), True) for at in range(len(tokens))
    ]


def longest(first: str, second: str) -> int:
    """The length of a longest common subsequence by its textbook recurrence."""
    lengths = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, one in enumerate(first, 1):
        for j, other in enumerate(second, 1):
            same, apart = lengths[i - 1][j - 1] + 1, max(lengths[i - 1][j], lengths[i][j - 1])
            lengths[i][j] = same if one == other else apart
    return lengths[-1][-1]


LETTERS = st.text(alphabet="abc", max_size=14)


@given(LETTERS, LETTERS)
def test_as_many_as_possible_pair_up(first: str, second: str) -> None:
    found = common(first, second)
    assert len(found) == longest(first, second)
    assert all(first[left] == second[right] for left, right in found)
    assert all(one[0] < other[0] and one[1] < other[1] for one, other in pairwise(found))


def test_texts_made_to_be_slow_are_not() -> None:
    first, second = "ab" * 3000, "ba" * 2000 + "aab" * 600
    start = time.process_time()
    assert len(common(first[1:], second + "c")) > 4000
    assert time.process_time() - start < 2
