"""A request as the Python that makes its trace; what a stranger wrote stands in it as literals only."""

import re

from app.address import FALLBACKS
from app.schemas import TraceRequest

OF_BYTES = re.compile("[0-9a-f]{40}")  # an id of POST /api/v1/images
OF_LAB = re.compile("lab-[0-9a-f]{16}")  # a name of `trained.TrainedModels`
PICTURE = "picture.png"  # stands for a picture of somebody's own, which Python reads from a file


def capture_call(request: TraceRequest) -> str:
    """The call of `capture` that makes the request's trace."""
    cut = ", truncate=True" if request.options.truncate else ""
    return f"capture({request.model!r}, {example_call(request)}{cut})"


def example_call(request: TraceRequest, *, bare: bool = True) -> str:
    """What the model reads: an Example, or where it is `bare` and there is nothing else the text itself."""
    said: dict[str, str] = {
        name: repr(value) for name in ("pair", "target") if (value := getattr(request, name)) is not None
    }
    if request.image:
        place = f"load_catalogue().entry({request.model!r}).samples[{request.image!r}]"
        said["image"] = f"read_picture({f'Path({PICTURE!r})' if is_own(request.image) else place}.read_bytes())"
    if request.options.off:
        said["off"] = repr(tuple(request.options.off))
        said |= {"off_with": repr(request.options.off_with)} if request.options.off_with != FALLBACKS.how else {}
    if request.options.what_if:
        said["what_if"] = repr(tuple(request.options.what_if))
    if request.written:
        said["written"] = repr(tuple(request.written))
    if request.options.chat:
        said["chat"] = "True"
    if bare and not said:
        return repr(request.text)
    text = [] if request.text is None else [repr(request.text)]
    return f"Example({', '.join([*text, *(f'{name}={value}' for name, value in said.items())])})"


def is_own(image: str) -> bool:
    """Whether a request's picture is somebody's own and no sample."""
    return OF_BYTES.fullmatch(image) is not None


def is_of_lab(model: str | None) -> bool:
    """Whether a model was trained in a server's lab: it has this name there, and nowhere else."""
    return model is not None and OF_LAB.fullmatch(model) is not None
