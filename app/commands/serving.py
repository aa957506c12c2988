"""The command serve."""

import argparse
import logging
import socket

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
    if settings.port == 0:  # known before anything is made of it: links name it
        settings = settings.model_copy(update={"port": _free_port(settings.host)})
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


def _free_port(host: str) -> int:
    """A port of this address that nobody listens on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _log_to_stderr() -> None:
    log = logging.getLogger("attention_atlas")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
