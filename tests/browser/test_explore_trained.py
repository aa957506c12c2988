"""A model of the lab on the Explore page: what it says, who finds it, and what is said once it is forgotten."""

import json
import re
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from explore_page import head, number, visit
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model]

CHOICES = {
    "task": "reverse", "layers": 1, "heads": 2, "width": 32, "length": 6, "vocabulary": 8, "steps": 240,
    "learning_rate": 1e-2,
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(server) -> dict:
    """What a small training ends in."""
    opener = build_opener(ProxyHandler({}))
    body = json.dumps({"do": "train", "visitor": "a-visitor-of-this-test", "choices": CHOICES}).encode()
    asked = Request(f"{server.url}/api/v1/jobs", body, {"Content-Type": "application/json", "Origin": server.url})
    with opener.open(asked) as reply:
        job = json.load(reply)["id"]
    with opener.open(f"{server.url}/api/v1/jobs/{job}/events") as events:
        last = events.read().decode().strip().rpartition("data: ")[2]
    return json.loads(last)["result"]


def test_it_says_its_answer_place_by_place(page: Page, server, trained):
    visit(page, server, f"?model={trained['model']}&text={quote('h a c b d e')}&layer=0&head=0")
    expect(page.locator("#grid [data-head]")).to_have_count(2)
    said = page.locator("#said .words .said bdi")
    expect(said).to_have_text(list("edbcah"))
    expect(page.locator("#said [data-title]")).to_have_text("The model’s answer")
    said.nth(1).click()  # what stands second from behind
    expect(page.locator("#focus [data-read] bdi").first).to_have_text("a")
    head(page, 0, 1).click()
    expect(number(page)).to_have_text(re.compile(r"^\d\.\d{3}$"))
    # It has no head atlas, and stands first among the models of whoever has its address.
    expect(page.get_by_role("link", name="Head atlas")).to_have_count(0)
    expect(page.locator("optgroup").first).to_have_attribute("label", "Trained in the lab")
    expect(page.locator("optgroup").first.locator("option")).to_have_text([re.compile("^Lab: reverse")])


def test_nobody_else_is_told_of_it(page: Page, server, trained):
    visit(page, server)
    expect(page.locator("optgroup option").first).to_be_attached()
    assert trained["model"] not in page.content()


@pytest.mark.refused
def test_a_model_that_is_forgotten_is_said_to_be(page: Page, server):
    page.goto(f"{server.url}/?model=lab-0123456789abcdef&text=a+b+c")
    expect(page.get_by_text("trained in the lab, and the server has forgotten it")).to_be_visible()
