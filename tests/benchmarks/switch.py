"""Switching the head in focus: from a key press to the painted heatmap, 12 tokens, numbers in cells.

python tests/benchmarks/switch.py http://127.0.0.1:8000     (a running server; pip install -e ".[test]" first)
"""

import shutil
import statistics
import sys

from playwright.sync_api import Page, sync_playwright

PRESSES = 25
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run"]
# Two frames after the read-out changed, the frame that shows it has been painted.
WATCH = """() => {
  window.atlasTimes = [];
  addEventListener("keydown", () => {
    const start = performance.now();
    const name = document.querySelector("#focus h2").textContent;
    const look = () => document.querySelector("#focus h2").textContent === name
      ? requestAnimationFrame(look)
      : requestAnimationFrame(() => requestAnimationFrame(() => window.atlasTimes.push(performance.now() - start)));
    requestAnimationFrame(look);
  }, true);
}"""


def measure(page: Page, url: str) -> list[float]:
    """Milliseconds of each press."""
    page.goto(url)
    page.locator("#panel-heatmap .nsewdrag").first.wait_for()
    page.locator('#grid [data-head="3.1"]').focus()
    page.evaluate(WATCH)
    for number in range(PRESSES):
        page.keyboard.press("ArrowRight" if number % 12 < 6 else "ArrowLeft")
        page.wait_for_timeout(250)
    return [float(time) for time in page.evaluate("window.atlasTimes")]


def main() -> None:
    """Print the median and the worst."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        times = measure(browser.new_page(viewport={"width": 1440, "height": 900}), sys.argv[1])
        browser.close()
    print(f"switching the head in focus: median {statistics.median(times):.0f} ms, worst {max(times):.0f} ms, "
          f"{len(times)} presses")  # fmt: skip


if __name__ == "__main__":
    main()
