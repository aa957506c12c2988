"""What stands before every route: who may ask, security headers, the access log, and the net for unforeseen errors."""

import logging
import time
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.metrics import METHODS, Metrics
from app.problems import ProblemError, log_unforeseen, problem_response
from app.settings import Settings

log = logging.getLogger("attention_atlas")

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """The outermost middleware: refuses foreign requests, adds headers, logs, and lets no error out as it is."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self.app = app
        self.settings = settings
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it, and log what came of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin = time.perf_counter()
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                if "," in headers.get("vary", ""):  # a reply and what compresses it may both say it
                    headers["vary"] = ", ".join(dict.fromkeys(one.strip() for one in headers["vary"].split(",")))
            await send(message)

        try:
            refusal = refuse(scope, self.settings)
            if refusal is not None:
                await problem_response(refusal)(scope, receive, watched)
            else:
                await self.app(scope, receive, watched)
        except Exception as error:  # The net: nothing above may quote a person's text in a log.
            log_unforeseen(error)
            if status == 0:
                await problem_response(error)(scope, receive, watched)
        finally:
            self._record(scope, status, time.perf_counter() - begin)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        """One line and one count: the route's template, never the address, the query string or the text."""
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        self.metrics.observe(method, route, status, seconds)
        log.info("%s %s %d %.1f ms", method, route, status, seconds * 1000)


def refuse(scope: Scope, settings: Settings) -> ProblemError | None:
    """Why a request is refused, or None: a host that is not ours, or an unsafe method sent by another site."""
    headers = Headers(scope=scope)
    host = headers.get("host", "").lower()
    if settings.hosts and _name(host) not in settings.hosts:
        return ProblemError("foreign-request", "this server does not answer to that host name")
    if scope["method"] in SAFE_METHODS:
        return None
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return ProblemError("foreign-request", "the request came from another site")
    if site is None and origin is not None and not _is_own(origin, host, settings):
        return ProblemError("foreign-request", "the request came from another origin")
    return None


def _name(host: str) -> str:
    """A Host header without its port; brackets of IPv6 stay."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _is_own(origin: str, host: str, settings: Settings) -> bool:
    own = {f"http://{host}", f"https://{host}"}
    if settings.public_url:
        parts = urlsplit(settings.public_url)
        own.add(f"{parts.scheme}://{parts.netloc}".lower())
    return bool(host) and origin.lower() in own
