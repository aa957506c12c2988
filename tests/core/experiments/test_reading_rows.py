"""Files of pronouns: what is broken is named by its line, and the rest goes on."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_model import row, write_rows

from attention_core.errors import InputError
from attention_core.experiments.evaluate.reading import read_rows

GOOD = row(1, "the cat saw the dog and it ran", "cat", "dog", group="g", twin="t")


def test_a_row_has_its_spans_group_and_twin(tmp_path):
    found = read_rows(write_rows(tmp_path / "a.jsonl", [GOOD, row(2, "cat and dog it", "dog", "cat")]))
    assert found.faults == ()
    first, second = found.rows
    assert [first.text[slice(*span)] for span in (first.pronoun, *first.candidates)] == ["it", "cat", "dog"]
    assert (first.line, first.group, first.twin) == (1, "g", "t")
    assert (second.line, second.group, second.twin) == (2, "row-2", None), "without a group a row is one of its own"


def changed(**fields):
    return GOOD | {"id": "other"} | fields


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object but list"),
        ('{"id": "a"}', "has no text, pronoun, antecedent, distractors"),
        (changed(text=7), "text is not a text"),
        (changed(text=""), "text is not a text"),
        (changed(text="\ud800 cat"), "surrogate"),
        (changed(id=None), "id is not a text"),
        (changed(pronoun=[24, 24]), "pronoun [24, 24] is not a span of at least one"),
        (changed(pronoun=[24, 300]), "within 0 to 30"),
        (changed(pronoun=[-1, 2]), "pronoun [-1, 2]"),
        (changed(pronoun=[True, 2]), "pair [start, end]"),
        (changed(antecedent="cat"), "antecedent is not a pair"),
        (changed(distractors=None), "distractors are not a list"),
        (changed(distractors=[[4, 7]]), "antecedent [4, 7] is also a distractor"),
        (changed(distractors=[[6, 9]]), "candidates [4, 7] and [6, 9] overlap"),
        (changed(distractors=[[16, 19], [16, 19]]), "overlap"),
        (changed(distractors=[[20, 26]]), "pronoun [24, 26] overlaps the candidate [20, 26]"),
        (changed(meta=[]), "meta is not an object"),
        (changed(meta={"group": 3}), "group is not a text"),
        (GOOD, "its id 'row-1' is that of line 1"),
    ],
)  # fmt: skip
def test_a_broken_row_is_named_by_its_line_and_the_others_are_read(tmp_path, broken, why):
    text = broken if isinstance(broken, str) else json.dumps(broken)
    found = read_rows(write_rows(tmp_path / "a.jsonl", [GOOD, "", text, changed(id="last")]))
    assert [one.line for one in found.rows] == [1, 4]
    assert [one.line for one in found.faults] == [3]
    assert why in found.faults[0].why


def test_bytes_that_are_no_text_break_one_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n\xff\xfe\n")
    found = read_rows(path)
    assert (len(found.rows), [(one.line, one.why) for one in found.faults]) == (1, [(2, "it is not UTF-8")])


def test_a_file_without_a_usable_row_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no row of a\.jsonl can be used; line 1: it is not JSON"):
        read_rows(write_rows(tmp_path / "a.jsonl", ["x"]))
    with pytest.raises(InputError, match="empty"):
        read_rows(write_rows(tmp_path / "a.jsonl", []))
    with pytest.raises(InputError, match="is not a file"):
        read_rows(tmp_path)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=6))
def test_no_bytes_at_all_stop_the_rows_that_are_right(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("rows") / "a.jsonl"
    good = json.dumps(GOOD).encode()
    path.write_bytes(b"\n".join([*lines, b"", good]))
    found = read_rows(path)
    assert found.rows[-1].id == "row-1"
    assert len(found.faults) <= sum(line.count(b"\n") + 1 for line in lines)
