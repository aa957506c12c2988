"""An operator's own models on the page: chosen and looked into; one that is refused says why, in both languages."""

import re
import shutil

import pytest
from own_folders import TEXT, change_config, save
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder of models, some of which are no use."""
    root = tmp_path_factory.mktemp("own")
    for name in ("my-gpt2", "My.Llama_2", "t5", "vit"):
        save(root / "models", name)
    for name in ("pickled", "code", "no-tokenizer"):
        shutil.copytree(root / "models/my-gpt2", root / "models" / name)
    (root / "models/pickled/model.safetensors").rename(root / "models/pickled/pytorch_model.bin")
    (root / "models/no-tokenizer/tokenizer.json").unlink()
    change_config(root / "models/code", auto_map={"AutoModel": "modeling.Evil"})
    shutil.copytree(root / "models/my-gpt2", root / "models/no such name")
    return root


@pytest.fixture(scope="module")
def server(request, root):
    """The app over that folder."""
    plugins = request.config.pluginmanager.get_plugins()
    place = next(one for one in plugins if str(getattr(one, "__file__", "")).endswith("browser/conftest.py"))
    settings = {"ATLAS_MODELS_DIR": str(root / "models"), "ATLAS_FETCH_ON_START": "false"}
    with place.serving(root / "cache", root / "log.txt", "/healthz", **settings) as running:
        yield running
    assert "'no such name' in ATLAS_MODELS_DIR is not listed" in (root / "log.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["my-gpt2", "My.Llama_2", "t5"])
def test_an_own_model_is_chosen_and_looked_into(page, server, name):
    page.goto(f"{server.url}/?model=pickled&text={TEXT.replace(' ', '+')}")
    choice = page.get_by_label("Model", exact=True)
    shape = re.compile(rf"^{re.escape(name)} · 2 layers × 4 heads")
    expect(choice.locator(f"option[value='{name}']")).to_have_text(shape)
    choice.select_option(name)
    expect(page.locator("#focus [data-read] b")).to_have_text(re.compile(r"^\d\.\d{3}$"), timeout=60_000)
    assert f"model={name}" in page.url


def test_a_vision_model_of_ones_own_is_shown_sample_pictures(page, server):
    page.goto(f"{server.url}/?model=vit")
    expect(page.locator("#focus [data-read] b")).to_have_text(re.compile(r"^\d\.\d{3}$"), timeout=60_000)


@pytest.mark.parametrize(
    ("name", "english", "korean"),
    [
        ("pickled", "pickled/pytorch_model.bin holds pickled weights", "pickled/pytorch_model.bin 파일은 피클 형식"),
        ("code", "code/config.json asks for program code", "code/config.json 파일이 자체 프로그램 코드를"),
    ],
)
def test_a_model_that_is_refused_says_why(page, server, name, english, korean):
    page.goto(f"{server.url}/?model={name}")
    expect(page.get_by_role("alert")).to_contain_text(english, timeout=20_000)
    page.goto(f"{server.url}/?model={name}&lang=ko")
    expect(page.get_by_role("alert")).to_contain_text(korean, timeout=20_000)


def test_a_missing_tokenizer_is_put_there_and_tried_again(page, server, root):
    folder = root / "models"
    page.goto(f"{server.url}/?model=no-tokenizer&text={TEXT.replace(' ', '+')}")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("put the model's own tokenizer.json into its folder", timeout=20_000)
    shutil.copyfile(folder / "my-gpt2/tokenizer.json", folder / "no-tokenizer/tokenizer.json")
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator("#focus [data-read] b")).to_have_text(re.compile(r"^\d\.\d{3}$"), timeout=60_000)
    chosen = page.get_by_label("Model", exact=True).locator("option:checked")
    expect(chosen).not_to_contain_text("failed")


def test_a_model_that_is_not_there_leaves_every_other_to_choose(page, server):
    page.goto(f"{server.url}/?model=nothing&text={TEXT.replace(' ', '+')}")
    choice = page.get_by_label("Model", exact=True)
    expect(choice.locator("option:checked")).to_have_text("Choose a model", timeout=20_000)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("There is no model “nothing” here.")
    assert 0 < alert.get_by_role("button").count() <= 5
    alert.get_by_role("button", name="my-gpt2").click()
    expect(page.locator("#focus [data-read] b")).to_have_text(re.compile(r"^\d\.\d{3}$"), timeout=60_000)
    assert "model=my-gpt2" in page.url


def test_a_bias_and_blocked_keys_are_steps_of_the_computation(page, server):
    query = f"?model=t5&text={TEXT.replace(' ', '+')}&target=w5+w6+w7&kind=decoder-self&query=1&view=compute"
    page.goto(f"{server.url}/{query}&step=bias")
    expect(page.locator("#panel-compute [data-title]")).to_have_text("Bias", timeout=60_000)
    expect(page.locator("#panel-compute [data-step]")).to_have_count(10)
    rows = page.locator("#panel-compute .keys-of tbody tr")
    for row in rows.all():
        numbers = row.locator("td > span:last-child").all_inner_texts()
        scaled, bias, score = [float(one.replace("−", "-")) for one in numbers]
        assert scaled + bias == pytest.approx(score, abs=0.02)
    page.locator("#panel-compute [data-step=mask]").click()
    expect(page.locator("#panel-compute tr.blocked")).to_have_count(
        rows.count() - 2
    )  # it sees itself and one before it
    expect(page.locator("#panel-compute tr.blocked td").last).to_have_text("blocked")
    page.locator("#panel-compute [data-step=join]").click()
    expect(page.locator("#panel-compute [data-notes]")).to_contain_text("differs from this sum by at most")
