"""The last of each measurement, put back into a stored run's state."""

from dataclasses import replace

from bntui.core.config import RunConfig
from bntui.store.details import Detail, with_details
from tests.ui.scripted import mid_run

SNAPSHOT = mid_run(RunConfig(width=0.25))


def test_predictions_of_classes_without_names_are_kept() -> None:
    assert SNAPSHOT.facts
    assert SNAPSHOT.validation
    found = {"validation": Detail("validation", 97, SNAPSHOT.validation)}
    nameless = replace(SNAPSHOT, validation=None, facts=replace(SNAPSHOT.facts, class_names=()))
    assert with_details(nameless, found).validation is SNAPSHOT.validation
    two = replace(nameless, facts=replace(SNAPSHOT.facts, class_names=("cat", "dog")))
    assert with_details(two, found).validation is None
