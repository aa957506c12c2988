"""The lab: a run to its end, the time of a run, a second run beside it, one that is cancelled, and one that is left."""

import json
import re

import pytest
from explore_page import no_overflow, number
from playwright.sync_api import Page, expect
from safetensors.torch import load

pytestmark = [pytest.mark.browser, pytest.mark.model]
TINY = "?task=reverse&width=16&length=6&vocabulary=8&steps=60"
LONG = "?task=sort&steps=4000"  # nobody waits for its end
OTHERS = ("other-visitor-0001", "other-visitor-0002")


def open_lab(page: Page, server, query: str) -> None:
    page.goto(f"{server.url}/lab{query}")
    expect(page.locator("#task input").first).to_be_attached()


def run(page: Page, place: int):
    return page.locator("#learning .run").nth(place)


def train(page: Page, place: int = 0) -> None:
    page.locator("#train").click()
    expect(run(page, place).locator("[data-open]")).to_be_visible(timeout=60_000)


def picture(page: Page, place: int = 0) -> str:
    return page.locator(f"#heads .pair.run{place} .small canvas").first.evaluate("canvas => canvas.toDataURL()")


def slider(page: Page):
    return page.locator("[data-slider]")


def test_a_run_to_its_end_and_its_time(page: Page, server):
    open_lab(page, server, TINY)
    blank = picture(page)
    train(page)
    expect(slider(page)).to_have_attribute(
        "aria-valuetext", re.compile(r"^Step 60: right answers 0\.\d{3}, loss \d\.\d{3}$")
    )
    expect(page.locator("#learning svg.curves")).to_have_accessible_name(re.compile("First run: the share of right"))
    assert page.locator(".curve.loss").evaluate("path => path.getTotalLength()") > 100
    expect(page.locator("#heads .small .head")).to_have_count(2)
    last = picture(page)
    assert last != blank
    # The slider moves the maps, the line in the curves and the sentence together; the address keeps where it is.
    at = page.locator(".curves .cursor")
    end = float(at.get_attribute("x1"))
    slider(page).focus()
    page.keyboard.press("Home")
    expect(slider(page)).to_have_attribute("aria-valuetext", re.compile("^Step 0: "))
    assert float(at.get_attribute("x1")) < end - 300
    assert picture(page) != last
    page.keyboard.press("ArrowRight")
    expect(slider(page)).to_have_attribute("aria-valuetext", re.compile("^Step 3: "))  # three points on, one a step
    assert page.url.endswith("&at=3")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.locator("[data-numbers] summary").click()
    rows = page.locator("[data-table] tbody tr")
    expect(rows).to_have_count(21)
    assert float(rows.last.locator("td").nth(1).inner_text()) < float(rows.first.locator("td").nth(1).inner_text())
    # The large map reads its cell out, which is the weight that the small ones show.
    page.locator('#heads [data-head="0.1"]').click()
    expect(page.locator("#heads .large h3").first).to_have_text("L0 H1")
    page.locator("#map-0 .stage").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#map-0 [role=gridcell]")).to_have_text(
        re.compile(r"place 2, looks at .*, place 1: [01]\.\d{3}")
    )
    # A reload finds the choices, and what came of them.
    page.reload()
    expect(run(page, 0).locator("[data-open]")).to_be_visible()
    expect(page.locator("[name=width]")).to_have_value("16")
    expect(page.locator("#heads .large h3").first).to_have_text("L0 H1")


def test_a_second_run_lies_beside_the_first(page: Page, server):
    open_lab(page, server, TINY)
    train(page)
    page.get_by_label("What is changed").select_option("seed")
    expect(page.locator("#train")).to_have_text("Train the second")
    page.locator("#train").click()
    expect(run(page, 1)).to_contain_text("Second run: Seed: 1")
    expect(run(page, 1).locator("[data-open]")).to_be_visible(timeout=60_000)
    # Another seed gives other numbers, at the same step.
    said = slider(page).get_attribute("aria-valuetext")
    found = re.fullmatch(r"Step 60: right answers (\S+) and (\S+), loss (\S+) and (\S+)", said)
    assert found, said
    assert found[3] != found[4]
    assert picture(page, 0) != picture(page, 1)
    # What was trained opens in Explore, and is a file.
    reply = page.request.get(server.url + run(page, 1).locator("[data-file]").get_attribute("href"))
    assert load(reply.body())
    run(page, 1).locator("[data-open]").click()
    expect(number(page)).to_have_text(re.compile(r"^\d\.\d{3}$"))
    page.go_back()
    expect(run(page, 1).locator("[data-open]")).to_be_visible()
    page.get_by_label("What is changed").select_option("")
    expect(run(page, 1)).to_be_hidden()


def events_of(page: Page, server, job: str) -> dict:
    """The last event of a job, once it has ended."""
    text = page.request.get(f"{server.url}/api/v1/jobs/{job}/events", timeout=30_000).text()
    return json.loads(text.rsplit("data: ", 1)[1])


def begun(page: Page) -> str:
    """The job of a training that is begun at a click, and has come as far as its first point."""
    with page.expect_response(lambda reply: reply.url.endswith("/api/v1/jobs")) as reply:
        page.locator("#train").click()
    expect(run(page, 0)).to_contain_text(re.compile("step [0-9,]+ of 4,000"))
    expect(page.locator("#train")).to_have_attribute("aria-disabled", "true")
    return reply.value.json()["id"]


def test_a_run_is_cancelled_and_one_that_is_left_ends(page: Page, server):
    open_lab(page, server, LONG)
    job = begun(page)
    page.locator("[data-cancel]:visible").click()
    expect(run(page, 0)).to_contain_text("Cancelled at step")
    expect(page.locator("#train")).to_have_text("Train")
    assert events_of(page, server, job)["state"] == "cancelled"
    job = begun(page)
    page.goto(f"{server.url}/lessons")
    assert events_of(page, server, job)["state"] == "cancelled"


@pytest.mark.refused
def test_what_cannot_be_trained_is_said_where_it_is_chosen(page: Page, server):
    open_lab(page, server, "?task=reverse&heads=3&positions=none")
    expect(page.locator("#help-width")).to_have_text("A width of 32 cannot be shared out equally among 3 heads.")
    expect(page.locator("#train")).to_have_attribute("aria-disabled", "true")
    page.locator("[name=heads]").select_option("2")
    expect(page.locator("#help-positions")).to_contain_text(re.compile(r"^Measured: 0\.\d{3}, .* instead of"))
    page.locator("[name=steps]").fill("5000")
    expect(page.locator("#help-steps")).to_have_text("A whole number from 1 to 4000.")
    assert "steps" not in page.url
    page.locator("[name=steps]").fill("3000")
    for visitor in OTHERS:  # two that take all places; nobody listens to them, so they end by themselves
        body = {"do": "train", "choices": {"task": "sort"}, "visitor": visitor}
        assert page.request.post(f"{server.url}/api/v1/jobs", data=body, headers={"Origin": server.url}).ok
    page.locator("#train").click()
    expect(run(page, 0)).to_contain_text("Others are training here right now")
    assert no_overflow(page)
