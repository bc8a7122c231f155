"""Whether validation suffers, by each comparison that was measured, and how that is told."""

from bntui.diagnose.significance import harms, loses_accuracy
from bntui.probe.numbers import counted, figure, percent
from bntui.probe.probed import Probed
from bntui.probe.scoring import Alike, Classes, Scored

RECALIBRATE = (
    "bntui.recalibrate(model, training): replace the statistics by pooled ones of training batches"
)
IN_WEIGHTS = "What training on such batches did to the weights can't be measured from this state."


def harmed(probed: Probed) -> bool:
    """Tell whether validation suffers from the running statistics."""
    return probed.harm is not None and harms(probed.harm)


def modes_apart(probed: Probed) -> bool:
    """Tell whether training samples do worse in eval mode, under fresh statistics, than in training mode."""
    return probed.modes_differ is not None and harms(probed.modes_differ)


def together_matters(probed: Probed) -> bool:
    """Tell whether training mode does worse on the same samples once their batches are mixed anew.

    By at least half of what eval mode does worse: dropout alone makes training mode differ from itself.
    """
    found, evaluated = probed.collected, probed.on_training
    if not modes_apart(probed) or found is None or found.scored is None or evaluated is None:
        return False
    mixed = probed.mixed_anew
    if mixed is None or not harms(mixed.less(found.scored)):
        return False
    lost, by_mode = (found.scored.score - one.score for one in (mixed, evaluated))
    return 2.0 * lost >= by_mode


def by_mixing(probed: Probed) -> str:
    """Say what the same training samples get in the loader's batches, and in batches mixed anew."""
    found, mixed = probed.collected, probed.mixed_anew
    assert found is not None
    assert found.scored is not None
    assert mixed is not None
    return (
        f"In training mode {len(mixed):,} training samples get {found.scored.score:.3f} in the loader's batches "
        f"and {mixed.score:.3f} in the same samples' batches mixed at random."
    )


def own_helps(probed: Probed) -> bool:
    """Tell whether validation gets better under statistics of its own."""
    return (
        probed.own is not None
        and probed.running is not None
        and harms(probed.running.less(probed.own))
    )


def compared(probed: Probed) -> str:
    """Say what running and fresh statistics give."""
    if probed.running is None or probed.fresh is None:
        return "Validation under fresh statistics was not measured."
    if isinstance(probed.scorer, Alike) and probed.scorer.several:
        return (
            f"{percent(1.0 - probed.running.score)} of predictions differ between running and fresh statistics "
            f"({counted(len(probed.fresh), 'sample')})."
        )
    if isinstance(probed.scorer, Alike):
        return (
            f"Outputs under running statistics differ from those under fresh ones by "
            f"{percent(-probed.running.score)} of their size ({counted(len(probed.fresh), 'sample')})."
        )
    return (
        f"Validation {told(probed.running, probed)} under running, {told(probed.fresh, probed)} under "
        f"fresh statistics ({counted(len(probed.fresh), 'sample')})."
    )


def by_mode(probed: Probed) -> str:
    """Say what the same training samples get in both modes."""
    found, evaluated = probed.collected, probed.on_training
    if found is None or found.scored is None or evaluated is None:
        return "Training mode has no score."
    return (
        f"The same {len(evaluated):,} training samples get {found.scored.score:.3f} in training mode and "
        f"{evaluated.score:.3f} in eval mode under fresh statistics."
    )


def told(scored: Scored, probed: Probed) -> str:
    """Write a score, with its loss where it is that which differs."""
    if isinstance(probed.scorer, Alike):
        if probed.scorer.several:
            return f"{percent(1.0 - scored.score)} other predictions"
        return f"{percent(-scored.score)} off"
    number = figure(scored.score, ".3f" if isinstance(probed.scorer, Classes) else ".4g")
    if probed.harm is None or scored.losses is None or loses_accuracy(probed.harm):
        return number
    return f"{number} (loss {figure(scored.loss, '.3g')})"


def helped_by(probed: Probed, places: list[int]) -> str:
    """Say what fresh statistics in some layers alone make of validation; nothing unless they make it better."""
    if probed.fresh_row is None or probed.running is None:
        return ""
    cured = probed.evaluate(probed.with_layers(places, probed.fresh_row))
    if not harms(probed.running.less(cured)):
        return ""
    where = "all layers" if len(places) == len(probed.layers) else "them"
    return (
        f"With fresh statistics in {where} validation is {told(cured, probed)} instead of "
        f"{told(probed.running, probed)}."
    )


def named(probed: Probed, places: list[int]) -> str:
    """Name some layers, or say that it is every one."""
    names = [probed.layers.names[place] for place in places]
    if len(names) == len(probed.layers):
        return "every layer"
    return (
        ("layer " if len(names) == 1 else "layers ")
        + ", ".join(names[:3])
        + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    )
