"""Every page of the site, so that none is forgotten where all are looked at."""

from collections.abc import Sequence
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from explore_page import CAT
from playwright.sync_api import Page

# The route of each page, and addresses that show it: as it is, and where something is missing.
PAGES: dict[str, Sequence[str]] = {
    "/": ("/", "/?text=x&model=nobody"),
    "/embed": (f"/embed?text={CAT}&show=strip,grid,heatmap,lines,table&controls=heads,looking,colour",),
    "/models/{name}": ("/models/minilm", "/models/nobody"),
    "/lessons": ("/lessons",),
    "/lab": ("/lab", "/lab?task=induction&positions=none&width=33&with=mask:0"),
    "/lessons/{name}": ("/lessons/sink", "/lessons/nobody"),
    "/lesson": ("/lesson",),
    "/ideas": ("/ideas",),
    "/ideas/{name}": ("/ideas/scaling", "/ideas/heads", "/ideas/cost", "/ideas/nobody"),
    "/embed/ideas/{name}": ("/embed/ideas/order?positions=rotary",),
    "/glossary": ("/glossary",),
}
# What else answers outside /api: files, pictures and words for programs. /offline.html is the viewer that /embed shows.
OTHERS = {
    *("/offline.html", "/oembed", "/static/{version}/{name:path}", "/figure.{ending}"),
    *("/healthz", "/readyz", "/metrics"),
}
# The rule that came with WCAG 2.2 AA is off in axe-core unless asked for.
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


def faults(page: Page, *rules: str) -> list[tuple[str, list[Any]]]:
    """What axe-core has against a page, by all its rules or by some: each with the elements."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    only = {"runOnly": list(rules)} if rules else {}
    found = page.evaluate("options => axe.run(options)", OPTIONS | only)["violations"]
    return [(fault["id"], [node["target"] for node in fault["nodes"]]) for fault in found]
