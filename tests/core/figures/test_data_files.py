"""The data of figures: exact in every form, and nothing that a spreadsheet would take for a formula."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hand_drawn import CAT, VIEWS, axis, causal, figure, heads, heat, lines, strip, weights
from hypothesis import given
from hypothesis import strategies as some

from attention_core.figures import data_writer
from attention_core.figures.figure import Cells

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "=HYPERLINK(\"http://x\")"]


def table(figure):
    return list(csv.reader(io.StringIO(data_writer.csv(figure).decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("name", VIEWS)
def test_npy_and_json_hold_the_same_numbers(name):
    figure = VIEWS[name]
    array = np.load(io.BytesIO(data_writer.npy(figure)), allow_pickle=False)
    body = json.loads(data_writer.json(figure))
    np.testing.assert_array_equal(np.array(body["values"], dtype=np.float64), array)
    assert (body["title"], body["alt_text"]) == (figure.title, figure.alt_text)
    assert (body["caption"], body["facts"]) == (list(figure.caption), dict(figure.facts))
    assert "values" not in json.loads(data_writer.json(figure, values=False))
    for labels in body["labels"].values():
        assert len(labels) in array.shape


def test_a_heatmap_is_a_table_with_blank_cells_where_a_mask_blocks():
    values = causal(7)
    rows = table(heat(CAT, values=values))
    assert rows[0] == ["", *CAT]
    assert [row[0] for row in rows[1:]] == CAT
    read = np.array([[float(cell) if cell else np.nan for cell in row[1:]] for row in rows[1:]])
    np.testing.assert_array_equal(read, values)


def test_every_panel_has_a_table_of_its_own():
    assert table(lines())[0][1:] == CAT
    assert table(strip(CAT))[0] == ["token", "weight"]
    every = heads(layers=2, count=3)
    rows = table(every)
    assert rows[0] == ["layer", "head", "row", "column", "weight"]
    assert len(rows) == 1 + 2 * 3 * 5 * 5
    for layer, head, row, column, weight in rows[1:]:
        assert float(weight) == every.panel.values[int(layer), int(head), int(row), int(column)]
    assert table(VIEWS["profile"])[0][:3] == ["measure", "L3 H1", "0"]
    assert table(VIEWS["profile"])[2][1] == ""  # it has no such number
    assert table(VIEWS["picture"])[0] == ["patch row", "patch column", "weight"]


def test_weights_are_written_in_as_few_digits_as_they_have():
    values = np.float32([[0.1, 1 / 3], [0.5, 1e-7]]).astype(np.float64)
    rows = table(heat(["a", "b"], values=values))
    assert rows[1][1:] == ["0.1", "0.33333334"]
    assert rows[2][1:] == ["0.5", "0.0000001"]
    assert table(heat(["a"], values=[[1 / 3]]))[1][1] == "0.3333333333333333"


def test_no_cell_begins_a_formula():
    count = len(FORMULAS)
    rows = table(figure(Cells(weights(count), axis(FORMULAS), axis(FORMULAS))))
    assert rows[0][1:] == [row[0] for row in rows[1:]] == [f"'{text}" for text in FORMULAS]
    negative = table(heat(["a"], values=[[-0.25]], scale=replace(VIEWS["difference"].scale)))
    assert negative[1][1] == "-0.25"  # a number, not a text


@given(some.lists(some.text(max_size=6), min_size=1, max_size=4))
def test_any_label_comes_back_from_the_table(labels):
    made = figure(Cells(np.full((1, len(labels)), 0.5), axis(["a"]), axis(labels)))
    read = table(made)[0][1:]
    assert [text.removeprefix("'") if text.startswith("'") and not label.startswith("'") else text
            for text, label in zip(read, labels, strict=True)] == labels  # fmt: skip
