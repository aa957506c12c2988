"""The command figure: the same bytes as the address and the library give; many at once; what a person can mend."""

import json
import re

import numpy as np
import pytest

from app import cli

CAT = "The cat sat on the mat because it was tired"


@pytest.fixture
def small_models(random_catalogue, monkeypatch, tmp_path):
    monkeypatch.setenv("ATLAS_CACHE", str(tmp_path))
    monkeypatch.setattr("app.commands.figures.load_catalogue", lambda: random_catalogue)


def run(capsys, *arguments):
    code = cli.main([str(one) for one in arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.mark.model
@pytest.mark.parametrize(
    ("name", "options", "query", "python"),
    [
        ("it.svg", ["--layer", 3, "--head", 1], "layer=3&head=1", {"layer": 3, "head": 1, "mark": True}),
        ("it.png", ["--layer", 0, "--head", 2, "--special", "hide", "--scale", "sqrt", "--theme", "dark", "--x", 2],
         "layer=0&head=2&special=hide&scale=sqrt&theme=dark&x=2",
         {"layer": 0, "head": 2, "special": "hide", "curve": "sqrt", "theme": "dark", "mark": True}),
        ("it.json", ["--layer", 3, "--head", 1, "--words", "--lang", "ko", "--no-numbers"],
         "layer=3&head=1&words=1&lang=ko&numbers=0",
         {"layer": 3, "head": 1, "words": True, "language": "ko", "numbers": False, "mark": True}),
    ],
)  # fmt: skip
def test_command_address_and_library_give_the_same_bytes(
    client, cache, tmp_path, capsys, monkeypatch, name, options, query, python
):
    from attention_core.capture import capture
    from attention_core.figures import heatmap

    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    file = tmp_path / name
    assert run(capsys, "figure", CAT, *options, "-o", file)[0] == 0
    address = f"text={CAT.replace(' ', '+')}&{query}"
    ending = name.partition(".")[2]
    assert client.get(f"/figure.{ending}?{address}").content == file.read_bytes()
    link = client.get(f"/figure.json?{address.replace('&x=2', '')}").json()["facts"]["link"]
    figure = heatmap(capture("minilm", CAT), link=link, **python)
    assert figure.write(ending, scale=2 if "x=2" in query else 1) == file.read_bytes()


def test_every_head_where_none_is_named(small_models, tmp_path, capsys):
    for options in ([], ["--all-heads"]):
        assert run(capsys, "figure", "a b c", "--model", "writes", *options, "-o", tmp_path / "all.npy")[0] == 0
        assert np.load(tmp_path / "all.npy").shape == (2, 2, 3, 3)
    assert run(capsys, "figure", "a b c", "--model", "writes", "--view", "strip", "-o", tmp_path / "a.csv")[0] == 0
    assert (tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()[0] == "token,weight"
    code, _, _ = run(capsys, "figure", "--image", "sample", "--model", "sees", "--layer", 0, "--head", 1, "-o",
                     tmp_path / "p.plotly.json")  # fmt: skip
    assert code == 0
    assert set(json.loads((tmp_path / "p.plotly.json").read_bytes())) == {"data", "layout"}


def test_a_picture_in_a_file_of_ones_own(small_models, random_catalogue, tmp_path, capsys):
    file = random_catalogue.entry("sees").samples["sample"]
    for name, image in (("one", "sample"), ("two", file)):
        code, _, error = run(capsys, "figure", "--image", image, "--model", "sees", "-o", tmp_path / f"{name}.npy")
        assert code == 0, error
    np.testing.assert_array_equal(np.load(tmp_path / "one.npy"), np.load(tmp_path / "two.npy"))


def test_a_difference_of_two_texts(small_models, tmp_path, capsys):
    command = ("figure", "a b c", "--model", "writes", "--layer", 1, "--head", 0)
    assert run(capsys, *command, "--versus", "a b d", "-o", tmp_path / "d.npy")[0] == 0
    assert run(capsys, *command, "-o", tmp_path / "a.npy")[0] == 0
    assert run(capsys, *command, "--off", "decoder-self.0.1", "--view", "difference", "-o", tmp_path / "o.npy")[0] == 0
    assert np.load(tmp_path / "d.npy").min() < 0
    assert np.load(tmp_path / "a.npy").shape == np.load(tmp_path / "o.npy").shape == (3, 3)


def test_a_batch_draws_what_it_can_and_names_what_it_cannot(small_models, tmp_path, capsys):
    lines = [
        "a b c", "", '{"text": "c b", "layer": 1, "head": 0, "output": "second.csv"}',
        '{"text": "c", "layer": 9, "head": 0}', "{no json", '{"text": "a", "output": "../out.csv"}',
        '{"text": "a", "output": "SECOND.csv"}', '{"text": "a", "colour": 1}', '{"text": ["a"]}', "x " * 99,
    ]  # fmt: skip
    file, folder = tmp_path / "lines.txt", tmp_path / "drawn"
    file.write_text("\n".join(lines), encoding="utf-8")
    code, out, error = run(capsys, "figure", "--model", "writes", "--batch", file, "--format", "csv", "-o", folder)
    assert code == 2
    assert "saved: 2 figures" in out
    assert sorted(path.name for path in folder.iterdir()) == ["0001.csv", "second.csv"]
    assert not (tmp_path / "out.csv").exists()
    told = dict(re.findall(r"line (\d+): ([^\n]*)", error))
    assert set(told) == {"4", "5", "6", "7", "8", "9", "10"}
    assert "accepted: 0, 1" in told["4"]
    assert "begins like JSON" in told["5"]
    assert "no plain name" in told["6"]
    assert "already" in told["7"]
    assert "'colour'" in told["8"]
    assert "7 of 9 lines" in error
    assert "9/9" in error  # the bar came to its end


def test_a_batch_without_faults_succeeds(small_models, tmp_path, capsys):
    file = tmp_path / "lines.txt"
    file.write_text("a b\r\nb c\r\n", encoding="utf-8-sig")
    code, _, _ = run(capsys, "figure", "--model", "writes", "--layer", 0, "--head", 0, "--batch", file, "--format",
                     "npy", "-o", tmp_path / "drawn")  # fmt: skip
    assert code == 0
    assert np.load(tmp_path / "drawn/0002.npy").shape == (2, 2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("-o", "a.png"), "write a sentence"),
        (("a", "-o", "a.gif"), "accepted: png, svg, pdf"),
        (("a", "-o", "noending"), "accepted: png"),
        (("a", "--layer", "1", "-o", "a.csv"), "give both or neither"),
        (("a", "--layer", "x", "--head", "0", "-o", "a.csv"), "layer: 'x'"),
        (("a", "--theme", "neon", "-o", "a.csv"), "light, dark, print"),
        (("a", "--view", "pie", "-o", "a.csv"), "heatmap, grid"),
        (("", "-o", "a.csv"), "not empty"),
        (("\udcff", "-o", "a.csv"), "surrogate"),
        (("a", "--batch", "lines.txt", "-o", "folder"), "brings the texts"),
        (("--batch", "nowhere.txt", "-o", "folder"), "No such file"),
        (("a", "--model", "sees", "-o", "a.csv"), "needs one instead of a text"),
        (("--image", "nowhere.png", "--model", "sees", "-o", "a.csv"), "No such file"),
        (("a", "--view", "difference", "-o", "a.csv"), "something to compare with"),
        (("a", "--x", "2", "-o", "a.csv"), "only of png"),
        (("a", "-o", "no/such/folder/a.csv"), "No such file"),
    ],
)
def test_what_a_person_can_mend_is_one_line(small_models, tmp_path, capsys, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    model = () if "--model" in arguments else ("--model", "writes")
    code, _, error = run(capsys, "figure", *model, *arguments)
    assert code == 2
    assert error.count("\n") == 1
    assert sentence in error
    assert not list(tmp_path.glob("*.csv"))
