"""Pages: templates filled with messages in the reader's language, and the data that main.js starts from."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.assets import PLOTLY, ROOT, Assets

HERE = Path(__file__).resolve().parent
LANGUAGES = ("en", "ko")


class Pages:
    """The pages of the site; everything they need is read once."""

    def __init__(self, assets: Assets, default_model: str) -> None:
        self._assets = assets
        self._default_model = default_model
        self._messages: dict[str, dict[str, str]] = {
            lang: json.loads((HERE / "messages" / f"{lang}.json").read_text(encoding="utf-8")) for lang in LANGUAGES
        }
        self._examples: list[dict[str, Any]] = json.loads((HERE / "examples.json").read_text(encoding="utf-8"))
        self._templates = Environment(
            loader=FileSystemLoader(ROOT / "templates"), autoescape=True, undefined=StrictUndefined
        )

    async def explore(self, request: Request) -> Response:
        """The Explore page. Its parameters are read by main.js: a link never fails here."""
        lang = language(request.query_params.get("lang"), request.headers.get("accept-language", ""))
        messages = self._messages[lang]
        boot = {
            "lang": lang,
            "messages": messages,
            "examples": self._examples,
            "default_model": self._default_model,
            "plotly": self._assets.url(PLOTLY),
            "version": version("attention-atlas"),
        }
        page = self._templates.get_template("explore.html").render(
            lang=lang,
            t=lambda key, **values: messages[key].format(**values),
            asset=self._assets.url,
            boot=boot,
        )
        headers = {"Cache-Control": "no-cache", "Vary": "Accept-Language", "Content-Language": lang}
        return HTMLResponse(page, headers=headers)


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
