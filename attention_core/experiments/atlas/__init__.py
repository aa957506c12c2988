"""The head atlas of a model: what its heads do on real data, kept on disk, and the roles that come of it.

atlas = load_atlas(open_model("minilm").card, cache_folder())
"""

from attention_core.experiments.atlas.atlas import Atlas, compute_atlas, load_atlas
from attention_core.experiments.atlas.roles import DATA_ROLES, DataRole, roles_of
from attention_core.experiments.atlas.tasks import Task, task_of, tasks_of

__all__ = ["DATA_ROLES", "Atlas", "DataRole", "Task", "compute_atlas", "load_atlas", "roles_of", "task_of", "tasks_of"]
