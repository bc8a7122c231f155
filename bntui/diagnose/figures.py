"""The numbers that a verdict rests on, by name, as `bntui run --json` gives them. Imports no torch."""

from dataclasses import asdict
from typing import Any

from bntui.core.measured import Difference, Score, Validation
from bntui.core.snapshot import Snapshot
from bntui.diagnose.causes import most_predicted, recent_accuracy
from bntui.diagnose.health import exchanged, forecasts, health
from bntui.diagnose.significance import harms
from bntui.diagnose.stale import start_share


def figures(snapshot: Snapshot) -> dict[str, Any]:
    """Return what was measured of a snapshot; only what was, each part with its update and images.

    Accuracies are shares of 1, losses in nats, differences those of `measured.Difference`.
    """
    validation = snapshot.validation
    if validation is None:
        return {}
    name, share = most_predicted(validation.running.predicted, snapshot)
    found: dict[str, Any] = {
        "update": validation.update,
        "images": validation.images,
        "train_acc": recent_accuracy(snapshot),
        **_score("val", validation.running),
        **{f"{name}_fresh": value for name, value in _score("val", validation.fresh).items()},
        "most_predicted": name,
        "most_predicted_share": share,
    }
    if validation.layers:
        found["harm"] = difference(validation.difference)
        found["flipped"] = validation.flipped
        found["flipped_images"] = validation.flipped_images
        found |= _start_or_lag(validation)
    return (
        found | _exchanges(snapshot) | _waiting(snapshot) | _hindsight(snapshot) | _data(snapshot)
    )


def difference(found: Difference) -> dict[str, Any]:
    """Return a difference as numbers by name, and whether it is a harm."""
    return asdict(found) | {"harms": harms(found)}


def _score(name: str, score: Score) -> dict[str, float]:
    return {f"{name}_acc": score.accuracy, f"{name}_loss": score.loss}


def _start_or_lag(validation: Validation) -> dict[str, Any]:
    """Return the shares of start values and of lag in what fresh statistics recover, if they do."""
    found: dict[str, Any] = {"start_left": max(layer.start_left for layer in validation.layers)}
    if validation.corrected:
        found |= {
            f"{name}_corrected": value
            for name, value in _score("val", validation.corrected).items()
        }
    if harms(validation.difference):
        share = start_share(validation)
        found |= {"start_share": share, "lag_share": 1.0 - share}
    return found


def _exchanges(snapshot: Snapshot) -> dict[str, Any]:
    exchanges, validation = snapshot.exchanges, snapshot.validation
    if exchanges is None or validation is None:
        return {}
    known, ahead = exchanged(snapshot), forecasts(snapshot)
    layers = [
        {
            "name": layer.name,
            "health": health(layer, known.get(layer.name)).value,
            "alone": difference(known[layer.name].alone),
            "rescued": difference(known[layer.name].rescued),
            "updates_until_sound": ahead.get(layer.name),
        }
        for layer in validation.layers
        if layer.name in known
    ]
    found: dict[str, Any] = {"update": exchanges.update, "images": exchanges.images}
    if waiting := snapshot.layers_waiting:
        found |= {"forecast_update": waiting.update, "forecast_images": waiting.images}
    return {"exchanges": found | {"layers": layers}}


def _waiting(snapshot: Snapshot) -> dict[str, Any]:
    waiting = snapshot.waiting
    if waiting is None:
        return {}
    curve = [dict(zip(("updates", "acc", "loss"), point, strict=True)) for point in waiting.curve]
    return {
        "updates_until_sound": waiting.sound_in,
        "waiting": {
            "update": waiting.update,
            "images": waiting.images,
            "momentum": waiting.momentum,
            "curve": curve,
        },
    }


def _hindsight(snapshot: Snapshot) -> dict[str, Any]:
    hindsight = snapshot.hindsight
    if hindsight is None:
        return {}
    rows = dict(zip(hindsight.names, hindsight.accuracy[:, -1].tolist(), strict=True))
    return {
        "hindsight": {
            "update": int(hindsight.updates[-1]),
            "images": hindsight.images,
            "own": float(hindsight.own[-1]),
            "fresh": float(hindsight.fresh[-1]),
            "rows": rows,
        }
    }


def _data(snapshot: Snapshot) -> dict[str, Any]:
    check = snapshot.data_check
    if check is None:
        return {}
    return {
        "data": {
            "update": check.update,
            "images": check.images,
            **{f"{name}_fresh": value for name, value in _score("val", check.fresh).items()},
            **{f"{name}_own_statistics": value for name, value in _score("val", check.own).items()},
            "val_acc_with_training_classes": check.as_trained,
            "training_images": check.training_images,
            **_score("training", check.training_running),
            **{
                f"{name}_fresh": value
                for name, value in _score("training", check.training_fresh).items()
            },
            "shifts": [asdict(shift) for shift in check.shifts],
        }
    }
