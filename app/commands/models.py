"""The command models: the list, and fetching one of it."""

import argparse
from pathlib import Path

from app import documents
from app.settings import Settings
from app.terminal import Bar, print_json
from attention_core.models.catalogue import CatalogueEntry, load_catalogue
from attention_core.models.sources import cache_folder, fetch, is_fetched


def add_models(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `models` takes."""
    parser.add_argument("--json", action="store_true", help="print what the API replies")
    parser.set_defaults(command=list_models)
    actions = parser.add_subparsers(metavar="ACTION")
    fetching = actions.add_parser("fetch", help="download a model and check it")
    fetching.add_argument("name", help="a name that `models` lists")
    fetching.set_defaults(command=lambda arguments: fetched(load_catalogue().entry(arguments.name)))


def list_models(arguments: argparse.Namespace) -> None:
    """Prints every model of the catalogue and whether it is here."""
    catalogue, cache = load_catalogue(), cache_folder(Settings().cache)
    states = [(entry, "ready" if is_fetched(entry, cache) else "absent") for entry in catalogue.entries]
    if arguments.json:
        listed = [documents.model_document(entry, state, None, None) for entry, state in states]
        print_json(documents.models_document(catalogue.default.card.name, listed))
        return
    for entry, state in states:
        card = entry.card
        megabytes = entry.size_bytes / 1e6
        size = f"{megabytes:.0f} MB" if megabytes >= 10 else f"{megabytes:.1f} MB"
        where = "bundled" if entry.bundled is not None else state
        print(f"{card.name:<18} {where:<7} {card.layers} layers x {card.heads} heads  {size:>8}  {card.full_title}")


def fetched(entry: CatalogueEntry) -> Path:
    """The folder of the model's files; fetched with a bar when they are not there."""
    bar = Bar()
    try:
        return fetch(entry, cache_folder(Settings().cache), progress=bar.show)
    finally:
        bar.close()
