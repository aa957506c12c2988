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
from app.cards import Card, Cards
from app.problems import ProblemError
from attention_core.models.catalogue import Catalogue

HERE = Path(__file__).resolve().parent
LANGUAGES = ("en", "ko")


class Pages:
    """The pages of the site; everything they need is read once."""

    def __init__(
        self,
        assets: Assets,
        catalogue: Catalogue,
        cards: Cards,
        *,
        may_evaluate: bool,
        trace_files: bool,
        public_url: str | None,
    ) -> None:
        self._assets = assets
        self._cards = cards
        self._public_url = public_url
        self._trace_files = trace_files
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
        boot = {
            "plotly": self._assets.url(PLOTLY),
            "version": version("attention-atlas"),
            "public_url": self._public_url,
            "trace_files": self._trace_files,
        }
        return self.page(request, "explore.html", boot, {"place": "explore", "card": self._card(request)})

    def _card(self, request: Request) -> Card:
        messages = self.messages(language_of(request))
        try:
            return self._cards.card(request.scope["query_string"].decode("utf-8", "replace"), messages)
        except ProblemError:  # a packed address that cannot be read: the page itself says so
            return self._cards.card("", messages)

    async def atlas(self, request: Request, name: str) -> Response:
        """The head atlas of a model: a table, a picture, and how to measure what is missing. 404 for another name."""
        known = name in self._titles
        lang = language_of(request)
        title = self.title_of(name, lang) if known else ""
        given = request.query_params
        explore = {text: given[text] for text in ("text", "pair", "target") if known and given.get(text)}
        explore |= {} if not known or name == self._default_model else {"model": name}
        explore |= {"lang": "ko"} if lang == "ko" else {}
        boot = {"model": name if known else None, "may_evaluate": self._may_evaluate}
        values = {"name": title, "explore": f"/?{urlencode(explore)}" if explore else "/"}
        return self.page(request, "atlas.html", boot, values, 200 if known else 404)

    async def lab(self, request: Request) -> Response:
        """The lab. Its parameters are read by lab.js, and what can be trained is the API's to say."""
        return self.page(request, "lab.html", {}, {"place": "lab"})

    def title_of(self, model: str, lang: str) -> str:
        """A model as a person calls it in a language; its name where the catalogue has no such model."""
        return self._messages[lang].get(f"model.name.{model}", self._titles.get(model, model))

    def messages(self, lang: str) -> Mapping[str, str]:
        """The words of a language of LANGUAGES, by their keys."""
        return self._messages[lang]

    def page(
        self,
        request: Request,
        template: str,
        boot: Mapping[str, Any],
        values: Mapping[str, Any] | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """A template in the reader's language; `boot` is what its script starts from beside what all of them do."""
        lang = language_of(request)
        messages = self._messages[lang]
        own = language(None, request.headers.get("accept-language", ""))
        start: dict[str, Any] = {"lang": lang, "messages": messages, "examples": self._examples}
        page = self._templates.get_template(template).render(
            lang=lang,
            spoken="" if lang == own else f"?lang={lang}",  # at the end of a link: the next page speaks it too
            t=lambda key, **given: messages[key].format(**given),
            asset=self._assets.url,
            boot={**start, "default_model": self._default_model, **boot},
            **(values or {}),
        )
        usual = {"Cache-Control": "no-cache", "Vary": "Accept-Language", "Content-Language": lang}
        return HTMLResponse(page, status, {**usual, **(headers or {})})


def language_of(request: Request) -> str:
    """The language that a request's page is in."""
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
