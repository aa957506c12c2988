"""A model of the hub on the page: chosen, downloaded by a person with its progress on show, looked into, refused."""

import re
from pathlib import Path

import hub_server
import pytest
from hub_server import NAME, Repo
from playwright.sync_api import expect

CARD = "#progress"
PATIENCE = 60_000


@pytest.fixture
def hub(tmp_path):
    with hub_server.serving() as hub:
        hub.repos[NAME] = Repo(hub_server.tiny_bert(tmp_path))
        yield hub


@pytest.fixture
def server(hub, tmp_path, start):
    """The app over one model of the hub, which nobody has fetched."""
    root = Path(__file__).parents[2]
    program = (str(root / "tests/browser/hub_app.py"),)
    settings = {"HF_ENDPOINT": hub.url, "HF_TOKEN": "", "NO_PROXY": "127.0.0.1,localhost", "PYTHONPATH": str(root)}
    with start(tmp_path / "cache", tmp_path / "log.txt", "/healthz", program, **settings) as running:
        yield running


def test_a_model_is_downloaded_by_a_button_and_looked_into(page, server, hub):
    hub.repos[NAME].slow = 0.3  # long enough for a busy machine to draw it
    page.goto(f"{server.url}/?model=ko-en")
    choice = page.get_by_label("Model", exact=True)
    expect(choice).to_be_visible(timeout=PATIENCE)
    groups = choice.locator("optgroup").evaluate_all("nodes => nodes.map((one) => one.label)")
    assert groups == ["Ready", "To download: Hugging Face hub"]
    expect(choice.locator("option[value=tiny]")).to_have_text("Tiny · 2 layers × 2 heads · about 0 MB")
    choice.select_option("tiny")

    card = page.locator(CARD)
    expect(card).to_contain_text("Tiny is not on this computer yet", timeout=PATIENCE)
    expect(card).to_contain_text(f"From {NAME} on the Hugging Face hub. Licence: MIT. Its version")
    assert hub.asked == []  # nothing is downloaded before somebody wants it
    card.get_by_role("button", name=re.compile("Download Tiny")).click()
    expect(card).to_contain_text("Downloading Tiny", timeout=PATIENCE)
    expect(card.locator("progress[value]")).to_be_visible(timeout=PATIENCE)

    expect(page.locator("#focus [data-read] b")).to_have_text(re.compile(r"^\d\.\d{3}$"), timeout=PATIENCE)
    expect(page.locator("[data-origin]")).to_contain_text(f"{NAME}, commit aaaaaaa (recorded at its first download)")
    expect(choice.locator("optgroup")).to_have_count(1)
    page.get_by_role("textbox").fill("the cat sat on the mat")
    page.get_by_role("textbox").press("Enter")
    expect(page.locator("#strip [data-token]")).to_have_count(8, timeout=PATIENCE)


def test_a_refusal_is_a_sentence_and_trying_again_works(page, server, hub):
    hub.repos[NAME].gated = True
    page.goto(f"{server.url}/?model=tiny&text=the+cat+sat")
    page.locator(CARD).get_by_role("button", name=re.compile("Download Tiny")).click()
    card, notice = page.locator(CARD), page.get_by_role("alert")
    expect(notice).to_contain_text(f"Accept them at {hub.url}/{NAME}", timeout=PATIENCE)
    chosen = page.get_by_label("Model", exact=True).locator("option:checked")
    expect(chosen).to_have_text("Tiny · 2 layers × 2 heads · could not be downloaded")
    page.reload()
    expect(card.get_by_role("alert")).to_contain_text("Accept them at", timeout=PATIENCE)
    expect(card).to_contain_text(f"From {NAME} on the Hugging Face hub. Licence: MIT.")
    expect(card.get_by_role("button", name="Induction")).to_be_visible()
    hub.repos[NAME].gated = False
    card.get_by_role("button", name="Try again").click()
    expect(page.locator("#focus [data-read] b")).to_have_text(re.compile(r"^\d\.\d{3}$"), timeout=PATIENCE)
    expect(notice).to_have_count(0)
