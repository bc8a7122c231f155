"""A file of weights for `bntui check --checkpoint`: a state dict, wherever it lies in the file."""

import pickle
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bntui.core.text import ConfigError, first_sentence, reason
from bntui.machine.libraries import loading

if TYPE_CHECKING:
    from torch import nn

INSIDE = ("state_dict", "model", "model_state_dict", "net")
"""Keys under which a state dict lies in what training scripts save."""
DEEPEST = 3
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""Buffers that a file may lack: that is a fault which a check finds."""
AVERAGES = "n_averaged"
"""A counter of torch's AveragedModel, which the averaged model itself lacks."""
SHOWN = 3
"""Keys that a message names."""


def load(path: str, model: "nn.Module") -> str:
    """Put the weights of a file into a model; return what is to be said about that, empty for nothing.

    Only tensors are read, no pickled objects. Raises ConfigError.
    """
    kept = _state_dict(path)
    own = model.state_dict()
    names = {_plain(name): name for name in own}
    renamed = {names.get(_plain(key), key): value for key, value in kept.items()}
    if AVERAGES not in own:
        renamed.pop(AVERAGES, None)
    _judge(path, own, renamed)
    _put(path, model, renamed, getattr(kept, "_metadata", {}))
    return _said_of_statistics(path, [name for name in own if name not in renamed], own)


def _state_dict(path: str) -> Mapping[str, Any]:
    """Read the state dict of a file. Raises ConfigError."""
    with loading("torch"):
        import torch
    try:
        kept = torch.load(Path(path), map_location="cpu", weights_only=True)
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {reason(error)}.") from None
    except MemoryError:
        raise
    except pickle.UnpicklingError as error:
        raise ConfigError(
            f"{path} can't be read as tensors alone ({first_sentence(_of_unpickling(error))}): "
            "save `model.state_dict()`, or load the file in the function yourself."
        ) from None
    except Exception as error:  # whatever a file that is damaged, or none of torch's, leads to
        said = first_sentence(error)
        why = f"{type(error).__name__}: {said}" if said else type(error).__name__
        raise ConfigError(
            f"{path} is no checkpoint that torch.load reads ({why}): save `model.state_dict()`."
        ) from None
    for _ in range(DEEPEST):
        inner = next(
            (
                kept[key]
                for key in INSIDE
                if isinstance(kept, Mapping) and isinstance(kept.get(key), Mapping)
            ),
            None,
        )
        if inner is None:
            break
        kept = inner
    if not isinstance(kept, Mapping) or not any(
        isinstance(one, torch.Tensor) for one in kept.values()
    ):
        found = type(kept).__name__
        if isinstance(kept, Mapping):
            found = f"keys {_some(kept)}" if kept else "nothing"
        raise ConfigError(
            f"{path} holds no state dict, neither by itself nor under {', '.join(INSIDE)}, but {found}: "
            "save `model.state_dict()`."
        )
    return kept


def _of_unpickling(error: Exception) -> str:
    """Return the part of torch's long message that says what was found."""
    text = str(error)
    return text.partition("WeightsUnpickler error:")[2].strip() or text


def _plain(key: str) -> str:
    """Return a key without what DistributedDataParallel, AveragedModel and torch.compile add."""
    key = key.replace("_orig_mod.", "")
    while key.startswith("module."):
        key = key.removeprefix("module.")
    return key


def _judge(path: str, own: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Raise ConfigError for weights that are missing, left over, or of another shape."""
    missing = [key for key in own if key not in given and key.rpartition(".")[2] not in STATISTICS]
    left_over = [key for key in given if key not in own]
    faults = [f"lacks {_some(missing)}"] if missing else []
    if left_over:
        faults.append(f"has {_some(left_over)}, which the model does not have")
    if faults:
        raise ConfigError(
            f"{path} does not fit the model: it {', and '.join(faults)}: make the same model in the "
            "function, or load the file there."
        )
    for key, value in given.items():
        theirs, ours = (_shape(one) for one in (value, own[key]))
        if theirs is not None and ours is not None and theirs != ours:
            raise ConfigError(
                f"{path} does not fit the model: {key} is {theirs} in the file and {ours} in the model."
            )


def _shape(value: object) -> tuple[int, ...] | None:
    """Return the shape of a tensor, None of what has none yet or is something else."""
    import torch
    from torch.nn.parameter import is_lazy

    return tuple(value.shape) if isinstance(value, torch.Tensor) and not is_lazy(value) else None


def _put(path: str, model: "nn.Module", given: dict[str, Any], metadata: Mapping[str, Any]) -> None:
    """Load a state dict whose keys fit; `metadata` holds the versions of the modules that wrote it."""
    modules = {_plain(f"{name}."): name for name, _ in model.named_modules()}
    state = OrderedDict(given)
    state._metadata = {  # type: ignore[attr-defined]
        modules.get(_plain(f"{name}."), name): version for name, version in metadata.items()
    }
    try:
        model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        said = first_sentence(" ".join(str(error).split()), 300)
        raise ConfigError(f"{path} does not fit the model: {said}.") from None


def _said_of_statistics(path: str, missing: list[str], own: Mapping[str, Any]) -> str:
    """Say which running statistics a file lacks: the model keeps its own of them. Empty for none."""
    kinds = [kind for kind in STATISTICS if any(key.rpartition(".")[2] == kind for key in missing)]
    if not kinds:
        return ""
    lacking, every = (
        {key.rpartition(".")[0] for key in keys if key.rpartition(".")[2] in kinds}
        for keys in (missing, own)
    )
    return (
        f"{path} lacks {' and '.join(filter(None, [', '.join(kinds[:-1]), kinds[-1]]))} of "
        f"{len(lacking)} of {len(every)} layers: these keep the values that the model was made with."
    )


def _some(keys: Iterable[object]) -> str:
    """Name the first few keys, and count the others."""
    names = [str(key) for key in keys]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
