"""The families of checkpoints that load into our transformer: one table each."""

from attention_core.nn.families.bert import BERT
from attention_core.nn.families.family import Family, Place, Raw
from attention_core.nn.families.gpt2 import GPT2
from attention_core.nn.families.marian import MARIAN
from attention_core.nn.families.native import NATIVE
from attention_core.nn.families.vit import VIT

FAMILIES: dict[str, Family] = {family.model_type: family for family in (BERT, GPT2, MARIAN, VIT, NATIVE)}

__all__ = ["FAMILIES", "Family", "Place", "Raw"]
