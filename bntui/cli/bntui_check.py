"""Put your model and your loaders in here, then: bntui check bntui_check.py:parts."""

from bntui.probe.example import loaders, trained


def parts() -> dict[str, object]:
    """Return what to check."""
    training, validation = loaders()  # instead: yours, of (inputs, labels)
    model = trained(training)  # instead: yours, trained
    return {"model": model, "validation": validation, "training": training}
