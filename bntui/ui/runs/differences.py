"""In what two runs differ, in words."""

from bntui.core.changes import CHANGES
from bntui.core.config import Change, Knobs
from bntui.core.snapshot import Snapshot
from bntui.store.listing import differences
from bntui.ui.new_run.specs import GROUPS
from bntui.ui.widgets.knob_spec import KNOBS, PACE, KnobSpec

_SPECS: dict[str, KnobSpec] = {spec.name: spec for spec in KNOBS} | {
    spec.name: spec for _, specs in GROUPS for spec in specs
}
_SHORT = {field: name for name, (field, _) in CHANGES.items()}
NOTHING = "–"


def differing(one: Snapshot, other: Snapshot) -> list[tuple[str, str, str]]:
    """Return what two runs differ in: the settings they began with, then what was turned meanwhile.

    Each is its name and the two values, as the knobs write them.
    """
    rows = [
        (_label(name), _written(name, here), _written(name, there))
        for name, here, there in differences(one.config, other.config)
        if name != PACE.name  # which changes nothing but when things happen
    ]
    turned = [_turned(snapshot) for snapshot in (one, other)]
    if turned[0] != turned[1]:
        rows.append(("turned", turned[0] or NOTHING, turned[1] or NOTHING))
    return rows


def _label(name: str) -> str:
    spec = _SPECS.get(name)
    return spec.label if spec else name.replace("_", " ")


def _written(name: str, value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_change(change) for change in value) or NOTHING
    spec = _SPECS.get(name)
    if spec:
        return spec.show(value)
    return NOTHING if value is None or value == "" else str(value)


def _change(change: Change) -> str:
    if change.setting in Knobs.__dataclass_fields__:
        return f"{change.update}:{_SHORT[change.setting]}={change.value}"
    return f"{change.update}:{change.setting}"


def _turned(snapshot: Snapshot) -> str:
    """Return the live changes as `--at` writes them."""
    return ", ".join(f"{mark.update}:{mark.change}" for mark in snapshot.marks if mark.change)
