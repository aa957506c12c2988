"""Pages: templates filled with messages in the reader's language, and the data that main.js starts from."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.assets import PLOTLY, ROOT, Assets
from attention_core.models.catalogue import Catalogue

HERE = Path(__file__).resolve().parent
LANGUAGES = ("en", "ko")


class Pages:
    """The pages of the site; everything they need is read once."""

    def __init__(self, assets: Assets, catalogue: Catalogue, *, may_evaluate: bool) -> None:
        self._assets = assets
        self._default_model = catalogue.default.card.name
        self._titles = {entry.card.name: entry.card.title for entry in catalogue.entries}
        self._may_evaluate = may_evaluate
        self._messages: dict[str, dict[str, str]] = {
            lang: json.loads((HERE / "messages" / f"{lang}.json").read_text(encoding="utf-8")) for lang in LANGUAGES
        }
        self._examples: list[dict[str, Any]] = json.loads((HERE / "examples.json").read_text(encoding="utf-8"))
        self._templates = Environment(
            loader=FileSystemLoader(ROOT / "templates"), autoescape=True, undefined=StrictUndefined
        )

    async def explore(self, request: Request) -> Response:
        """The Explore page. Its parameters are read by main.js: a link never fails here."""
        boot = {"plotly": self._assets.url(PLOTLY), "version": version("attention-atlas")}
        return self._page(request, "explore.html", boot)

    async def atlas(self, request: Request, name: str) -> Response:
        """The head atlas of a model: a table, a picture, and how to measure what is missing. 404 for another name."""
        known = name in self._titles
        lang = _language_of(request)
        own = f"model.name.{name}"
        title = self._messages[lang].get(own, self._titles[name]) if known else ""
        explore = {} if not known or name == self._default_model else {"model": name}
        explore |= {"lang": "ko"} if lang == "ko" else {}
        boot = {"model": name if known else None, "may_evaluate": self._may_evaluate}
        values = {"name": title, "explore": f"/?{urlencode(explore)}" if explore else "/"}
        return self._page(request, "atlas.html", boot, values, 200 if known else 404)

    def _page(
        self,
        request: Request,
        template: str,
        boot: Mapping[str, Any],
        values: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        """A template in the reader's language; `boot` is what its script starts from beside what all of them do."""
        lang = _language_of(request)
        messages = self._messages[lang]
        start: dict[str, Any] = {"lang": lang, "messages": messages, "examples": self._examples}
        page = self._templates.get_template(template).render(
            lang=lang,
            t=lambda key, **given: messages[key].format(**given),
            asset=self._assets.url,
            boot={**start, "default_model": self._default_model, **boot},
            **(values or {}),
        )
        headers = {"Cache-Control": "no-cache", "Vary": "Accept-Language", "Content-Language": lang}
        return HTMLResponse(page, status, headers)


def _language_of(request: Request) -> str:
    return language(request.query_params.get("lang"), request.headers.get("accept-language", ""))


def language(wanted: str | None, accepted: str) -> str:
    """The language of the page: the one in the address, else the first that the reader's browser accepts."""
    if wanted in LANGUAGES:
        return wanted
    ranked = []
    for place, item in enumerate(accepted.split(",")):
        name, _, parameters = item.strip().partition(";")
        try:
            quality = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            quality = 0.0
        ranked.append((-quality, place, name.strip().lower().partition("-")[0]))
    known = [name for quality, _, name in sorted(ranked) if quality < 0 and name in LANGUAGES]
    return known[0] if known else LANGUAGES[0]
