"""The command serve."""

import argparse
import logging

from app.settings import Settings
from app.terminal import JobBar

# What the web server takes of a request's first lines: a page's address carries its text.
LONGEST_HEAD = 128 * 1024
GRACE = 3  # seconds that open connections get when the server stops


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `serve` takes."""
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1, or ATLAS_HOST)")
    parser.add_argument("--port", type=int, help="port to listen on (default 8000, or ATLAS_PORT)")
    parser.set_defaults(command=serve)


def serve(arguments: argparse.Namespace) -> None:
    """Starts the web server and stays until it is stopped."""
    import uvicorn

    from app.factory import create_app

    given = {name: getattr(arguments, name) for name in ("host", "port") if getattr(arguments, name) is not None}
    settings = Settings(**given)
    _log_to_stderr()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"Attention Atlas: http://{host}:{settings.port}  (stop with Ctrl+C)", flush=True)
    uvicorn.run(
        create_app(settings, watch=JobBar()),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        http="h11",
        timeout_graceful_shutdown=GRACE,
    )


def _log_to_stderr() -> None:
    log = logging.getLogger("attention_atlas")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
