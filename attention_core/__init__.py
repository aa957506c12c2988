"""Attention Atlas, the library: attention of real models, exactly. Start with `from attention_core import capture`."""

import warnings

# Libraries that models are read with import this. In a notebook without ipywidgets it warns as it is imported that its
# bars will be plain text; ours are drawn elsewhere, and a reader of the notebook can do nothing about it.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "IProgress not found")
    import tqdm.auto  # noqa: F401
