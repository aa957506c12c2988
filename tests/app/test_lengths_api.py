"""Weights and lengths over the API and on the command line: one measure under one name, with the same numbers."""

import io
import json

import numpy as np
import own_folders
import pytest
from conftest import CAT
from test_problems import problem

from app import cli
from attention_core.capture import capture
from attention_core.looking import look

TRACES = "/api/v1/traces"


def array(reply):
    assert reply.status_code == 200, reply.text
    return np.load(io.BytesIO(reply.content), allow_pickle=False)


@pytest.fixture(scope="module")
def url(client, cat):
    return f"{TRACES}/{cat['id']}"


@pytest.mark.model
def test_a_length_is_the_weight_times_the_norm_as_a_share_of_its_row(client, cat, url):
    assert [one["norms_note"] for one in cat["maps"]] == [None]
    assert cat["looking"]["measure"] == "weight"
    assert client.get(f"{url}?measure=norm").json()["looking"]["measure"] == "norm"
    norms = array(client.get(f"{url}/value-norms"))
    assert (norms.shape, norms.dtype) == ((6, 12, 12), np.float32)
    weights, shares = (array(client.get(f"{url}/weights?layer=3{more}")) for more in ("", "&measure=norm"))
    lengths = weights * norms[3][:, None]
    np.testing.assert_allclose(shares, lengths / lengths.sum(-1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(shares.sum(-1), 1, atol=1e-5)
    small = array(client.get(f"{url}/thumbnails?measure=norm"))
    np.testing.assert_array_equal(small[3], np.round(255 * np.sqrt(shares)))
    assert not np.array_equal(small, array(client.get(f"{url}/thumbnails")))
    hidden = array(client.get(f"{url}/removed?layer=3&special=hide&measure=norm"))
    np.testing.assert_allclose(hidden, shares[:, 1:-1][:, :, [0, -1]].sum(-1), atol=1e-6)
    # On this sentence, as Kobayashi et al. found: much weight on special tokens, little length.
    assert weights[..., [0, -1]].sum(-1).mean() > 0.5
    assert shares[..., [0, -1]].sum(-1).mean() < 0.25


@pytest.mark.model
def test_api_command_line_and_python_give_the_same_lengths(client, url, cache, capsys, monkeypatch):
    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    seen = look(capture("minilm", CAT), words=True, special="hide", measure="norm").map("encoder-self", 3).weights(1)[0]
    query = "layer=3&head=1&words=1&special=hide&measure=norm"
    np.testing.assert_allclose(array(client.get(f"{url}/weights?{query}")), seen, atol=1e-6)
    choice = ("--measure", "norm")
    head = ("--layer", "3", "--head", "1", "--words", "--special", "hide")
    assert cli.main(["weights", CAT, *choice, *head, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["measure"] == "norm"
    np.testing.assert_allclose(body["weights"], seen, atol=1e-6)
    assert cli.main(["analyse", "profile", CAT, *choice, "--json"]) == 0
    said, body = json.loads(capsys.readouterr().out), client.get(f"{url}/analyses/profile?measure=norm").json()
    assert body["measure"] == said["measure"] == "norm"
    special = [[head["special"] for head in some["heads"]] for some in (said, body)]
    assert special[0] == pytest.approx(special[1], abs=1e-6)
    plain = client.get(f"{url}/analyses/profile").json()
    assert plain["measure"] == "weight"
    assert sum(special[1]) < 0.5 * sum(head["special"] for head in plain["heads"])


def test_the_command_line_says_that_these_are_no_weights(cache, capsys, monkeypatch):
    monkeypatch.setenv("ATLAS_CACHE", str(cache))
    text = ("ant bed boy", "--model", "induction", "--measure", "norm")
    link = ("link", "--query", "boy", "--key", "ant")
    for command in (("weights", "--layer", "0", "--head", "0"), ("trace",), ("analyse", "profile"), ("analyse", *link)):
        assert cli.main([*command, *text]) == 0
        assert "shares of the lengths of what is handed on" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["trace", "a b c", "--measure", "length"])
    assert "invalid choice: 'length'" in capsys.readouterr().err


@pytest.mark.model
def test_the_link_of_a_length_is_the_cell_of_its_matrix(client, url):
    for head in client.get(f"{url}/analyses/link?measure=norm&query=8:9&key=2:3").json()["heads"][::9]:
        matrix = array(client.get(f"{url}/weights?layer={head['layer']}&head={head['head']}&measure=norm"))
        assert head["weight"] == pytest.approx(matrix[8, 2], abs=1e-6)
        others = [at for at in range(1, 11) if at not in (2, 8)]
        assert head["lift"] == pytest.approx(matrix[8, 2] - matrix[others, 2].mean(), abs=1e-6)


def test_every_kind_has_its_norms_and_what_there_is_not_is_refused(small):
    made = small.post(TRACES, json={"model": "translates", "text": "a b c"}).json()
    address = f"{TRACES}/{made['id']}"
    for kind in made["maps"]:
        norms = array(small.get(f"{address}/value-norms?kind={kind['kind']}"))
        assert norms.shape == (kind["layers"], kind["heads"], kind["keys"])
        shares = array(small.get(f"{address}/weights?kind={kind['kind']}&layer=1&measure=norm"))
        np.testing.assert_allclose(shares.sum(-1), 1, atol=1e-5)
        if kind["kind"] == "decoder-self":
            assert not np.triu(shares, 1).any()
    assert problem(small.get(f"{address}/value-norms?kind=mixed"), 422, "unknown-name")["accepted"]
    assert problem(small.get(f"{address}/value-norms?layer=1"), 422, "unknown-parameter")["accepted"] == ["kind"]
    for bad in ("length", "", "norm&measure=norm"):
        problem(small.get(f"{address}/weights?layer=0&measure={bad}"), 422, "invalid-request")


def test_a_family_that_gives_its_weights_only_has_no_lengths(serve, tmp_path, random_catalogue):
    own_folders.MODELS["neo"] = ("gpt_neo", "GPTNeoForCausalLM", {"bos_token_id": 1, "eos_token_id": 1})
    try:
        own_folders.save(tmp_path / "models", "neo")
    finally:
        del own_folders.MODELS["neo"]
    with serve(catalogue=random_catalogue, cache=tmp_path / "cache", models_dir=tmp_path / "models") as client:
        made = client.post(TRACES, json={"model": "neo", "text": own_folders.TEXT}).json()
        address = f"{TRACES}/{made['id']}"
        assert [one["norms_note"] for one in made["maps"]] == ["no-values"]
        query = "measure=norm"
        for path in ("value-norms", f"weights?layer=0&{query}", f"thumbnails?{query}", f"analyses/profile?{query}"):
            facts = problem(client.get(f"{address}/{path}"), 422, "not-available")
            assert facts["reason"] == "no-norms"
        assert client.get(f"{address}/weights?layer=0").status_code == 200
