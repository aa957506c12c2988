"""Runs a notebook as Jupyter does and exports it: run_notebook.py IT.ipynb writes its outputs into it, and IT.html.

In a process of its own: a kernel's client has an event loop, and so have the browser's tests.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter


def main(path: Path) -> None:
    """Runs every cell; an exception in one ends it."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    exported, _ = HTMLExporter().from_notebook_node(notebook)
    path.with_suffix(".html").write_text(exported, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
