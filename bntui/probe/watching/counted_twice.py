"""Statistics that one update moves several times."""

from collections import Counter
from collections.abc import Sequence

from bntui.core.text import exact
from bntui.probe.causes import Cause, Finding, Severity
from bntui.probe.numbers import counted
from bntui.probe.watching.call_kinds import Kinds

CHECKPOINTED = (
    "leave BN layers out of torch.utils.checkpoint, which computes what is inside a second time"
)


def counted_twice(
    names: Sequence[str],
    calls: Sequence[int],
    momenta: Sequence[float | None],
    kinds: Kinds | None,
    explained: str = "",
) -> Finding | None:
    """Name layers whose statistics the last updates moved several times each; None where it moved none so.

    `calls` and torch's `momenta` are those of each layer, `kinds` tells its calls apart where they were
    seen. `explained` says that this was measured to be the harm.
    """
    several = [place for place, count in enumerate(calls) if count > 1]
    if not several:
        return None
    count = Counter(calls[place] for place in several).most_common(1)[0][0]
    place = next(place for place in several if calls[place] == count)
    evidence = [
        f"An update moves the statistics of {len(several)} of {counted(len(names), 'layer')} several times: of layer "
        f"{names[place]} {count} times, with as many batches in training mode."
    ]
    momentum = momenta[place]
    remedies = []
    if momentum is not None and 0.0 < momentum < 1.0:
        kept = (1.0 - momentum) ** count
        evidence.append(
            f"With torch's momentum {exact(momentum)} an update then keeps {kept:.3g} of the old statistics, as one "
            f"move with momentum {1.0 - kept:.3g} would."
        )
        once = 1.0 - (1.0 - momentum) ** (1.0 / count)
        remedies.append(
            f"layer.momentum = {once:.3g} (torch's): {count} moves then keep as much as one does now"
        )
    evidence += _kinds(kinds)
    if kinds and kinds.recomputed:
        remedies.insert(0, CHECKPOINTED)
    evidence.append(explained or "No harm was seen that this explains.")
    severity = Severity.UNSOUND if explained else Severity.WARNING
    return Finding(Cause.COUNTED_TWICE, severity, tuple(evidence), tuple(remedies))


def _kinds(kinds: Kinds | None) -> list[str]:
    """Say where the calls come from, as far as that was seen."""
    if kinds is None:
        return []
    of = kinds.recomputed + kinds.others
    if kinds.recomputed:
        return [
            f"{kinds.recomputed:,} of {of:,} calls were within a backward pass: activation checkpointing computes the "
            "layer again, with the batch that it had."
        ]
    return ["No call was within a backward pass, so it is not activation checkpointing."]
