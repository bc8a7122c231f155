"""The seeded cause is the first one that is named, and nothing that was measured contradicts it."""

import pytest

from bntui.core.snapshot import Snapshot
from bntui.diagnose.causes import STALE, Cause
from bntui.diagnose.remedies import RemedyName
from bntui.diagnose.significance import harms
from bntui.diagnose.stale import start_share
from bntui.diagnose.verdict import verdict
from tests.diagnose.causes.cases import CASES, Case
from tests.diagnose.causes.runs import ended


def test_there_are_enough_of_every_kind() -> None:
    assert len(CASES) >= 60
    named = {case.cause for case in CASES}
    by_watching = {Cause.FOUND, Cause.WARNED, Cause.REMARKED, Cause.SOUND_SO_FAR}
    others = {Cause.WAITING, Cause.FAILED, Cause.NEVER_UPDATED}
    assert set(Cause) - named == others | by_watching


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.cause.name}: {case.name}")
def test_the_seeded_cause_is_named(case: Case) -> None:
    snapshot = ended(case.config, case.updates, case.alter)
    judged = verdict(snapshot)
    assert judged.cause is case.cause, "\n".join(judged.evidence)
    assert contradictions(snapshot) == []


def contradictions(snapshot: Snapshot) -> list[str]:
    """Return what was measured and speaks against the verdict."""
    judged, validation = verdict(snapshot), snapshot.validation
    assert validation
    found = []
    stale = judged.cause in STALE
    compared = judged.cause not in {Cause.NON_FINITE, Cause.ONE_VALUE}
    if compared and stale is not harms(validation.difference):
        found.append("validation suffers from the statistics, or does not")
    if judged.cause is Cause.START and start_share(validation) < 0.5:
        found.append("putting the start values right recovers less than half")
    if judged.cause is Cause.LAG and start_share(validation) >= 0.5:
        found.append("putting the start values right recovers half or more")
    exchanges = snapshot.exchanges
    if stale and exchanges and harms(exchanges.difference):
        alone = any(harms(layer.alone) for layer in exchanges.layers)
        together = any("together" in sentence for sentence in judged.evidence)
        if alone is together:
            found.append("a layer harms alone, and they are said to do it together, or neither")
    hindsight = snapshot.hindsight
    for remedy in judged.remedies:
        if remedy.name is RemedyName.SET_MOMENTUM and remedy.momentum is not None and hindsight:
            place = hindsight.names.index(f"{remedy.momentum:g}")
            if not harms_less(hindsight.accuracy[place, -1], hindsight.own[-1]):
                found.append("the momentum advised was seen to be no better")
    waiting = snapshot.waiting
    if stale and waiting and waiting.sound_in == 0.0:
        found.append("stale, and sound at once")
    return found


def harms_less(advised: float, own: float) -> bool:
    """Tell whether the advised momentum's accuracy is at least this run's."""
    return advised >= own
