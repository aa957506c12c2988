"""The pages of ideas in the browser: choices in the address, numbers that are computed, runs, guesses, files."""

import csv
import io
import re

import pytest
from every_page import faults
from explore_page import no_overflow, parameters
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model]


def column(page: Page, place: int) -> list[str]:
    return page.locator(f".pair .panel > table tbody td:nth-of-type({place})").all_inner_texts()


def file_of(page: Page, button) -> str:
    with page.expect_download() as download:
        button.click()
    return download.value.path().read_text(encoding="utf-8-sig")


def test_the_slider_is_computed_and_a_link_restores_it(page, server):
    page.goto(f"{server.url}/ideas/scaling?dim=4")
    expect(page.locator(".panel h2").first).to_have_text("Scores q·k, dₖ = 4")
    short, slider = column(page, 1), page.get_by_role("slider")
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".answer")).to_contain_text("Try longer vectors")
    slider.press("End")
    expect(page.locator(".panel h2").first).to_have_text("Scores q·k, dₖ = 1,024")
    long = column(page, 1)
    assert float(short[1]) < 0.5 < float(long[1])  # the largest weight
    assert parameters(page) == {"dim": "1024"}
    page.get_by_role("button", name="Draw other numbers").click()
    expect(page.locator(".pair tbody td").first).not_to_have_text(long[0])
    drawn = column(page, 1)
    page.reload()
    expect(page.locator(".pair tbody td").first).to_have_text(drawn[0])
    assert column(page, 1) == drawn
    page.go_back()
    expect(page.locator(".pair tbody td").first).to_have_text(long[0])


def test_the_guess_is_judged_by_what_was_computed_and_files_keep_it(page, server):
    asked = {
        dim: page.request.get(f"{server.url}/api/v1/ideas/scaling?dim={dim}&seed=0").json() for dim in (10, 11, 13)
    }
    dim = min(asked, key=lambda dim: abs(asked[dim]["unscaled"]["largest"] - 0.5))
    page.goto(f"{server.url}/ideas/scaling?dim={dim}")
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".answer.good")).to_contain_text(f"Found: at dₖ = {dim}")
    panel = page.locator(".panel").filter(has_text="Entropy of a row").last
    rows = list(csv.reader(io.StringIO(file_of(page, panel.get_by_role("button", name="Numbers")))))
    given = asked[dim]["curve"]
    assert [[float(one) for one in row] for row in rows[1:]] == [
        [one["dim"], one["unscaled"]["entropy"], one["scaled"]["entropy"]] for one in given
    ]
    panel.get_by_text("The numbers as a table").click()
    expect(panel.locator("tbody tr")).to_have_count(len(given))
    picture = file_of(page, panel.get_by_role("button", name="SVG"))
    assert picture.startswith("<svg")
    assert "var(" not in picture
    assert "not divided" in picture


def test_only_without_positions_do_the_weights_move_with_the_words(page, server):
    page.goto(f"{server.url}/ideas/order")
    expect(page.locator(".verdict")).to_contain_text("the weights only moved along")
    page.get_by_role("radio", name="rotary").check()
    expect(page.locator(".verdict")).to_contain_text("read in another way")
    field = page.get_by_role("textbox", name="Words")
    field.fill("나는 학교에 <b>갔다</b>")
    field.press("Enter")
    expect(page.locator(".read .word")).to_have_count(3)
    assert sorted(page.locator(".read .word").all_inner_texts()) == sorted(["나는", "학교에", "<b>갔다</b>"])
    assert parameters(page) == {"positions": "rotary", "text": "나는 학교에 <b>갔다</b>"}


@pytest.mark.refused
def test_what_cannot_be_shuffled_is_said_and_the_last_picture_stays(page, server):
    page.goto(f"{server.url}/ideas/order")
    expect(page.locator(".heat")).to_have_count(2)
    field = page.get_by_role("textbox", name="Words")
    field.fill("alone")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Write at least 2 words")
    expect(page.locator(".heat")).to_have_count(2)
    field.fill("much " * 40)
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("These are 40 words; at most 32 fit here.")


def test_a_guess_among_heads_tells_which_it_was(page, server):
    page.route(re.compile("/embed[?]"), lambda route: route.fulfill(body="", content_type="text/html"))
    page.goto(f"{server.url}/ideas/heads")
    guesses = page.locator(".guess")
    expect(guesses).to_have_count(4)
    said = set()
    for guess in guesses.all():
        guess.click()
        expect(page.locator(".answer").first).to_contain_text(
            guess.locator("b").inner_text().removeprefix("Head ") + " is L"
        )
        said.add(page.locator(".answer").first.inner_text())
    assert len(said) == 4
    assert len([one for one in said if one.startswith("Right")]) == 1
    page.get_by_role("button", name="Without √dₖ").click()
    expect(page.locator(".answer").last).to_contain_text("Not even")
    page.get_by_role("button", name="Temperature 20").click()
    expect(page.locator(".answer.good").last).to_contain_text("Nearly even")
    assert parameters(page) == {"switch": "temperature:20"}
    without = page.get_by_role("link", name="What is lost without it?").first.get_attribute("href")
    assert "tool=switch" in without
    assert "off=encoder-self." in without


def test_a_run_ends_in_figures_and_another_is_cancelled(page, server):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{server.url}/ideas/recurrence?length=8")
    page.get_by_role("button", name="Start").click()
    again = page.get_by_role("button", name="Run again with another seed")
    expect(again).to_be_visible()
    picture = page.get_by_role("img", name=re.compile("Share of right answers by d"))
    expect(picture).to_be_visible()
    assert no_overflow(page)
    assert faults(page) == []
    first = picture.get_attribute("aria-label")
    again.click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled.")).to_be_visible()
    assert parameters(page)["seed"] == "1"
    page.go_back()  # what was found is still there
    expect(picture).to_have_attribute("aria-label", first)


def test_cost_is_measured_with_the_device_named(page, server):
    page.goto(f"{server.url}/ideas/cost?window=32")
    expect(page.locator(".verdict")).to_contain_text("exactly the formula")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Measured here:")).to_contain_text("torch")
    expect(page.get_by_role("img", name=re.compile("^Time of one head")).locator("circle").nth(8)).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    assert faults(page) == []
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
