"""Models that can't be checked, and the way out."""

from itertools import chain

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from bntui.core.signatures import why_not_called_with
from bntui.core.text import first_sentence
from bntui.measure.layers import layers_of
from bntui.probe.errors import ProbeError
from bntui.probe.facts import other_norms, untracked_layers

MADE_OF = "give the model that it was made of, and this one as against="


def refuse(model: nn.Module) -> None:
    """Raise ProbeError for a model that can't be checked: one sentence with the way out.

    A model whose BN layers have no running statistics is not refused: there is something to tell of it.
    """
    if not isinstance(model, nn.Module):
        raise ProbeError(f"The model is of the type {type(model).__name__}: give an nn.Module.")
    for name, module in model.named_modules():
        if isinstance(module, nn.DataParallel):
            replaced = f"put {name}.module in its place" if name else "give model.module"
            raise ProbeError(
                f"{name or 'The model'} is a DataParallel, which runs copies of the layers: {replaced}."
            )
        if isinstance(module, torch.jit.ScriptModule) and (not name or _holds_statistics(module)):
            raise ProbeError(
                f"{name or 'The model'} is a ScriptModule, whose layers can't be looked into: {MADE_OF}."
            )
    refuse_unfilled(model)
    for mode in ("eval", "train"):
        if why := why_not_called_with(getattr(model, mode)):
            raise ProbeError(
                f"The model's own {mode}() can't be called without arguments ({first_sentence(why)}), "
                f"as nn.Module's {mode}() can: give that method another name."
            )
    if not layers_of(model) and not untracked_layers(model):
        raise ProbeError(f"The model has no layers with running statistics: {_instead(model)}.")


def refuse_source(model: nn.Module, averaged_from: nn.Module | None) -> None:
    """Raise ProbeError for a model that can't be what another one's weights were averaged from."""
    if averaged_from is None:
        return
    ours, theirs = (
        sorted(tuple(one.shape) for one in each.parameters()) for each in (model, averaged_from)
    )
    if ours != theirs:
        raise ProbeError(
            f"averaged_from has other parameters ({len(theirs)}) than the model ({len(ours)}): give the model "
            "whose weights it averages."
        )


def refuse_unfilled(model: nn.Module, what: str = "") -> None:
    """Raise ProbeError for a model with tensors that have no values yet; `what` begins the sentence."""
    for name, tensor in chain(model.named_parameters(), model.named_buffers()):
        if is_lazy(tensor):
            raise ProbeError(
                f"{what}{name} has no shape yet, as in lazy layers: run a batch through the model first."
            )
        if tensor.is_meta:
            raise ProbeError(
                f"{what}{name} is on the meta device, where nothing has values: give the model its weights "
                "first, with model.to_empty(device=…) and model.load_state_dict(…)."
            )


def _holds_statistics(module: nn.Module) -> bool:
    return any(name.endswith("running_mean") for name, _ in module.named_buffers())


def _instead(model: nn.Module) -> str:
    """Say which norm layers a model has that have no running statistics."""
    norms = other_norms(model)
    if not norms:
        if isinstance(model, torch.fx.GraphModule):
            return f"it is a GraphModule, of operations rather than layers; {MADE_OF}"
        return "it has no norm layers that are known here"
    named = [f"{name} ×{count}" for name, count in sorted(norms.items())]
    return f"{' and '.join(named)} {'have' if len(named) > 1 else 'has'} nothing to check"
