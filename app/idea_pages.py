"""The pages of ideas, one thought behind attention each, with a live figure; and the glossary."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from app.lessons.formulas import formula
from app.lessons.pages import FRAMING
from app.pages import Pages, language_of
from app.settings import Settings
from app.viewing import FRAMED
from attention_core.ideas import IDEAS

READ = ["GET", "HEAD"]
# The figure alone may be framed by any page; what it holds itself are frames of our own, as on the whole page.
ALONE = FRAMED | {"Content-Security-Policy": f"{FRAMED['Content-Security-Policy']}; frame-src 'self'"}
Document = dict[str, Any]


@dataclass(frozen=True)
class IdeaPage:
    """A page: its name, the formula it is about, and how many paragraphs its messages idea.<name>.<number> have."""

    name: str
    latex: str
    points: int
    reference: str = ""


def _reference(name: str) -> str:
    return next(idea.reference for idea in IDEAS if idea.name == name)


PAGES: Sequence[IdeaPage] = (
    IdeaPage(
        "scaling",
        r"\text{softmax}\left(\frac{Q K^{\top}}{\sqrt{d_k}}\right) V",
        3,
        _reference("scaling"),
    ),
    IdeaPage(
        "masking",
        r"\text{softmax}\left(\frac{Q K^{\top}}{\sqrt{d_k}} + M\right) V",
        3,
        _reference("masking"),
    ),
    IdeaPage(
        "order",
        r"A(P Q, P K, P V) = P \, A(Q, K, V)",
        3,
        _reference("order"),
    ),
    IdeaPage(
        "kinds",
        r"Q = X_q W^Q, \; K = X_k W^K, \; V = X_k W^V",
        2,
        "Vaswani et al. 2017, section 3.2.3",
    ),
    IdeaPage(
        "heads",
        r"\text{Concat}(\text{head}_0, \ldots, \text{head}_{h-1}) \, W^O",
        3,
        "Vaswani et al. 2017, section 3.2.2; Clark et al. 2019; Michel et al. 2019",
    ),
    IdeaPage(
        "cost",
        r"Q K^{\top} \in \mathbb{R}^{N \times N}",
        3,
        _reference("cost"),
    ),
    IdeaPage(
        "recurrence",
        r"c_d = \sum_{i} \alpha_{d i} \, h_i",
        3,
        _reference("recurrence"),
    ),
)
# The three attentions of one translation, beside each other; cross is its own words and reads both.
KINDS: Mapping[str, tuple[int, int]] = {"encoder-self": (0, 0), "decoder-self": (0, 0), "cross": (1, 2)}
TRANSLATED = "나는 학교에 갔다"
# The glossary's words in the order in which they build on one another, and the idea that says more.
WORDS: Mapping[str, str | None] = {
    "token": None, "special": None, "position": "order", "vector": None, "layer": None, "head": "heads",
    "kind": "kinds", "query": "kinds", "key": "kinds", "value": "kinds", "dot": None, "scores": "scaling",
    "scale": "scaling", "cap": None, "bias": None, "mask": "masking", "softmax": "scaling", "temperature": None,
    "weights": None, "row": None, "entropy": "scaling", "sink": None, "output": "heads", "norm": None,
    "residual": None, "loss": "masking", "gradient": "scaling",
}  # fmt: skip
MISSED = ("position", "effect")
THEMES = ("light", "dark")


class IdeaPages:
    """/ideas, /ideas/{name} and /glossary; and /embed/ideas/{name}, a figure alone."""

    def __init__(self, pages: Pages, settings: Settings) -> None:
        self._pages = pages
        self._settings = settings
        self._names = [page.name for page in PAGES]

    async def every(self, request: Request) -> Response:
        """The page that lists all ideas."""
        return self._list(request, 200)

    def _list(self, request: Request, status: int) -> Response:
        values = {"place": "ideas", "names": self._names, "unknown": status == 404}
        return self._pages.page(request, "ideas.html", {}, values, status)

    async def show(self, request: Request, name: str) -> Response:
        """The page of an idea; 404 with the list for no idea. Its parameters are read by ideas.js."""
        if name not in self._names:
            return self._list(request, 404)
        at = self._names.index(name)
        page = PAGES[at]
        values = {
            "place": "ideas",
            "page": page,
            "formula": Markup(formula(page.latex, block=True)),  # noqa: S704 - made of known elements
            "views": self._views(request, name),
            "previous": self._names[at - 1] if at else None,
            "next": self._names[at + 1] if at + 1 < len(self._names) else None,
        }
        return self._pages.page(request, "idea.html", self._boot(name), values, headers=FRAMING)

    async def embed(self, request: Request, name: str) -> Response:
        """The live figure of an idea and nothing else, for a frame in somebody's page; 404 for no idea. Its parameters
        are those of the page, and a theme."""
        asked = request.query_params.get("theme")
        theme = asked if asked in THEMES else None
        page = next((page for page in PAGES if page.name == name), None)
        values = {"page": page, "theme": theme, "views": self._views(request, name, theme)}
        boot = {**self._boot(name), "alone": True, "theme": theme}
        return self._pages.page(request, "idea_embed.html", boot, values, 200 if page else 404, headers=ALONE)

    def _boot(self, name: str) -> Document:
        return {"idea": name, "allowed": self._settings.may_measure, "public_url": self._settings.public_url}

    def _views(self, request: Request, name: str, theme: str | None = None) -> Sequence[Document]:
        return kinds_of(language_of(request), theme) if name == "kinds" else ()

    async def glossary(self, request: Request) -> Response:
        """The words of the app."""
        values = {"place": "ideas", "words": WORDS, "missed": MISSED}
        return self._pages.page(request, "glossary.html", {}, values)


def kinds_of(lang: str, theme: str | None = None) -> list[Document]:
    """The live views of the three kinds, on one translation: the address of each frame, page and picture. Frames have
    the reader's theme unless there is another."""
    return [_view(kind, lang, theme) for kind in KINDS]


def _view(kind: str, lang: str, theme: str | None) -> Document:
    layer, head = KINDS[kind]
    example = {"text": TRANSLATED, "model": "ko-en", "kind": kind, "layer": layer, "head": head}
    whole = urlencode(example | {"lang": lang})
    return {
        "kind": kind,
        "embed": f"/embed?{whole}{f'&theme={theme}' if theme else ''}&show=heatmap",
        "explore": f"/?{whole}",
        "picture": f"/figure.svg?{whole}&theme=print",
        "files": {"csv": f"/figure.csv?{whole}", "svg": f"/figure.svg?{whole}"},
    }


def add_idea_pages(app: FastAPI, pages: Pages, settings: Settings) -> None:
    """Gives the server the pages of ideas and the glossary."""
    made = IdeaPages(pages, settings)
    shown: Mapping[str, Callable[..., Any]] = {
        "/ideas": made.every,
        "/ideas/{name}": made.show,
        "/embed/ideas/{name}": made.embed,
        "/glossary": made.glossary,
    }
    for path, page in shown.items():
        app.add_api_route(path, page, methods=READ, include_in_schema=False, response_model=None)
