"""States of real runs are read as they were written, and what they shared they still share."""

import json
import lzma
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from bntui.core.config import RunConfig
from bntui.core.snapshot import Checkpoint, Phase
from tests.ui.scripted import mid_run
from tools.gallery.states import kept_states, packed, unpacked

CONFIG = RunConfig(width=0.25)


def test_a_snapshot_is_read_as_it_was_written() -> None:
    state = mid_run(CONFIG, divergence=None, seconds=float("inf"))
    read = unpacked(packed({"one": state}))["one"]
    assert (read.phase, read.config, read.facts) == (Phase.RUNNING, CONFIG, state.facts)
    assert read.seconds == float("inf")
    assert np.array_equal(read.series["val_acc"].last, state.series["val_acc"].last)
    assert not read.series["val_acc"].last.flags.writeable
    assert state.validation
    detail, before = read.validation.layers[0].detail, state.validation.layers[0].detail
    assert np.array_equal(detail.mean_gap, before.mean_gap)
    assert detail.mean_gap.dtype == before.mean_gap.dtype


def test_what_two_states_share_is_one_object_again() -> None:
    state = mid_run(CONFIG)
    read = unpacked(packed({"story": (state, replace(state, update=98)), "last": state}))
    one, other = read["story"]
    assert read["last"] is one
    assert other is not one
    assert other.validation is one.validation


def test_moments_and_mappings_are_kept_and_weights_are_not() -> None:
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    checkpoint = Checkpoint(3, "epoch 1", CONFIG, b"weights")
    read = unpacked(packed({"x": {"a": (moment, None, True, 0.5, "σ")}, "c": checkpoint}))
    assert read["x"] == {"a": (moment, None, True, 0.5, "σ")}
    assert (read["c"].update, read["c"].state) == (3, b"")


def test_a_field_that_is_gone_is_left_out_and_a_new_one_takes_its_default() -> None:
    found = json.loads(lzma.decompress(packed({"one": mid_run(CONFIG)})))
    (state,) = (node for node in found["pool"] if node.get("kind") == "Snapshot")
    state["fields"]["of another version"] = 1
    del state["fields"]["observed_share"]
    read = unpacked(lzma.compress(json.dumps(found).encode()))["one"]
    assert (read.update, read.observed_share) == (97, 0.0)


def test_the_kept_states_tell_the_story() -> None:
    states = kept_states()
    failing, healed = states["failing"].accuracies, states["healed"].accuracies
    assert failing[0] < 0.5 < 0.9 < failing[1]
    assert healed[0] > 0.9
    assert states["finished"].phase is Phase.FINISHED
    assert states["looked"].what_if is not None
    assert states["looked"].channel_exchanges is not None
    updates = [state.update for state in states["story"]]
    assert updates == sorted(updates)
