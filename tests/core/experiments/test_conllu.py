"""CoNLL-U: words with their places in the text, heads and relations; broken sentences are named by line."""

import pytest

from attention_core.errors import InputError
from attention_core.experiments.evaluate.conllu import read_sentences


def word(number, form, head, deprel, misc="_"):
    return "\t".join([str(number), form, "_", "_", "_", "_", str(head), deprel, "_", misc])


GOOD = [
    "# sent_id = s1", word(1, "Cats", 2, "nsubj"), word(2, "ran", 0, "root", "SpaceAfter=No"), word(3, ".", 2, "punct"),
]  # fmt: skip


def read(tmp_path, *blocks):
    path = tmp_path / "a.conllu"
    path.write_text("\n\n".join("\n".join(lines) for lines in blocks) + "\n\n", encoding="utf-8")
    return read_sentences(path)


def test_the_text_is_built_again_and_every_word_has_its_place(tmp_path):
    (one,) = read(tmp_path, GOOD).sentences
    assert one.text == "Cats ran."
    assert [one.text[slice(*span)] for span in one.spans] == ["Cats", "ran", "."]
    assert one.heads == (1, None, 1)
    assert one.deprels == ("nsubj", "root", "punct")
    assert (one.id, one.line) == ("s1", 1)


def test_words_of_a_multiword_token_divide_it_where_their_forms_make_it_up(tmp_path):
    lines = [
        word("1-2", "don't", "_", "_", "SpaceAfter=No"), word(1, "do", 3, "aux"), word(2, "n't", 3, "advmod"),
        word(3, "!", 0, "root"), word("3.1", "gone", "_", "_"), word("4-5", "del", "_", "_"),
        word(4, "de", 3, "case"), word(5, "el", 3, "det"),
    ]  # fmt: skip
    (one,) = read(tmp_path, lines).sentences
    assert one.text == "don't! del"
    assert [one.text[slice(*span)] for span in one.spans] == ["do", "n't", "!", "del", "del"]


@pytest.mark.parametrize(
    ("lines", "line", "why"),
    [
        ([word(1, "a", 0, "root"), "2\tb"], 6, "has 2 columns"),
        ([word(2, "a", 0, "root")], 5, "its number is '2', not that of the next word, 1"),
        ([word(1, "a", "x", "root")], 5, "its head is 'x'"),
        ([word(1, "a", 0, "_")], 5, "no relation"),
        ([word(1, " ", 0, "root")], 5, "no form"),
        ([word(1, "a", 0, "root"), word(2, "b", 9, "obj")], 5, "word 2 has the head 9, and there are 2 words"),
        ([word(1, "a", 1, "root")], 5, "word 1 has the head 1"),
        ([word(1, "a", 2, "x"), word(2, "b", 1, "x")], 5, "no word is the root"),
        ([word("1-2", "ab", "_", "_"), word(1, "a", 0, "root")], 6, "not complete"),
        ([word("2-3", "ab", "_", "_")], 5, "does not begin at the next word"),
    ],
)
def test_a_broken_sentence_is_named_by_its_line_and_the_others_are_read(tmp_path, lines, line, why):
    found = read(tmp_path, GOOD[1:], lines, GOOD)
    assert [one.text for one in found.sentences] == ["Cats ran.", "Cats ran."]
    assert [one.line for one in found.faults] == [line]
    assert why in found.faults[0].why


def test_a_file_without_a_sentence_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no sentence of a\.conllu can be used"):
        read(tmp_path, ["# only a comment"])
