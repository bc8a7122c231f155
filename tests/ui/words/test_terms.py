"""Formulas have the run's own numbers in them: those that panels show, and they add up."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from bntui.core.config import Knobs, RunConfig
from bntui.core.estimators import NAMED
from bntui.core.measured import (
    Channels,
    ChannelValues,
    Exchange,
    Exchanges,
    Hindsight,
    LayersWaiting,
    Recalibration,
    Waiting,
)
from bntui.core.snapshot import EpochReport, Snapshot
from bntui.ui.explorer.drift_rows import DRIFT_COLUMNS, drift_rows
from bntui.ui.words.term import Shown, figures
from bntui.ui.words.terms import TERMS
from tests.ui.scripted import difference, facts, layers, mid_run, validation

CONFIG = RunConfig(width=0.25)
RUN = mid_run(CONFIG)


def said(name: str, snapshot: Snapshot = RUN, layer: str = "") -> str:
    return figures(TERMS[name], Shown(snapshot, layer))


def exchanges() -> Exchanges:
    of_layers = tuple(
        Exchange(layer.name, difference(-0.1 * place, 0.4 * place), difference(0.1))
        for place, layer in enumerate(layers())
    )
    score = validation().running
    return Exchanges(96, 200, score, score, difference(-0.8), of_layers)


def hindsight() -> Hindsight:
    accuracy = np.array([[0.2, 0.97], [0.1, 0.12], [0.3, 0.96]])
    return Hindsight(
        ("0.9", "0.99", "bias-corrected"),
        200,
        np.array([50.0, 96.0]),
        accuracy,
        accuracy[1],
        np.array([0.9, 0.98]),
        np.array([0.99, 0.99]),
    )


class TestStatistics:
    def test_accuracies_are_those_of_the_last_validation(self) -> None:
        assert said("running") == " = 114 / 1,000 = 0.114"
        assert said("fresh") == " = 974 / 1,000 = 0.974"

    @pytest.mark.parametrize("running", [0.114, 0.1148, 0.99951])
    def test_what_is_lost_adds_up_as_it_is_written(self, running: float) -> None:
        text = said("lost", replace(RUN, validation=validation(running, 0.9743)))
        fresh, less, lost = map(float, re.findall(r"[\d.]+", text))
        assert round(fresh - less, 3) == (-lost if "= −" in text else lost)

    def test_the_start_value_is_a_power_of_momentum(self) -> None:
        assert said("start") == " = 0.99^97 = 38 %"

    def test_but_not_after_momentum_was_turned(self) -> None:
        assert said("start", replace(RUN, knobs=Knobs(momentum=0.9))) == " = 38 %"

    def test_nothing_is_left_of_it_after_a_recalibration(self) -> None:
        now = replace(validation(), layers=layers(start_left=0.0))
        done = Recalibration(80, 0.1, 0.9, applied=True)
        run = replace(RUN, validation=now, recalibrated=done, recalibration=done)
        assert said("start", run) == " = 0 % since the recalibration at update 80"
        assert said("recalibration", run) == " · 0.100 → 0.900 (update 80)"

    def test_nor_under_an_estimator_without_it(self) -> None:
        now = replace(validation(), layers=layers(start_left=0.0))
        knobs = Knobs(estimator="cumulative")
        assert said("start", replace(RUN, validation=now, knobs=knobs)) == (
            " = 0 %: the estimator cumulative keeps none"
        )

    def test_so_little_that_it_is_no_percent_is_written_in_words(self) -> None:
        now = replace(validation(update=1000), layers=layers(start_left=0.99**1000))
        assert said("start", replace(RUN, validation=now)) == " = 0.99^1,000 = under 1 %"

    def test_lag_is_what_is_lost_without_the_start_value(self) -> None:
        now = validation()
        assert now.corrected
        now = replace(now, corrected=replace(now.corrected, accuracy=0.9))
        assert said("lag", replace(RUN, validation=now)) == " = 0.974 − 0.900 = 0.074"
        assert said("lag", replace(RUN, validation=replace(now, corrected=None))) == (
            " = 0.974 − 0.114 = 0.860"
        )

    def test_momentum_is_in_the_step_and_in_what_is_remembered(self) -> None:
        assert said("momentum") == " = 0.99 · running + 0.01 · batch"
        assert said("remembers") == " = 1 / 0.01 = 100 updates"
        assert said("torch's") == " = 1 − 0.99 = 0.01"
        forgetful = replace(RUN, knobs=Knobs(momentum=0.0))
        assert said("remembers", forgetful) == " = 1 / 1 = 1 update"

    def test_one_step_of_one_channel_is_calculated_with_its_numbers(self) -> None:
        rows = np.zeros((6, 8), dtype=np.float32)
        rows[0, 5] = -1.9
        before, batch, kept = (
            np.full((2, 8), 0.31, np.float32),
            np.full((2, 8), 1.74, np.float32),
            0.99,
        )
        after = np.float32(kept) * before + np.float32(1.0 - kept) * batch
        ones = np.ones(8, dtype=np.float32)
        values = ChannelValues(after, batch, before, batch, kept, ones, ones, 1e-3)
        first, *others = layers()
        detail = replace(Channels(*rows), values=values)
        known = replace(first, detail=detail)
        run = replace(RUN, validation=replace(validation(), layers=(known, *others)))
        text = said("momentum", run, "conv1_bn")
        assert text.startswith(
            " = 0.99 · running + 0.01 · batch · conv1_bn, channel 5: r ← 0.99·0.31"
        )
        left, _, result = text.partition("r ← ")[2].partition(" = ")
        product, other = (term.split("·") for term in left.split(" + "))
        total = float(product[0]) * float(product[1]) + float(other[0]) * float(other[1])
        assert f"{total:.3f}" == f"{float(result):.3f}" == "0.324"

    def test_estimators_say_how_they_validate_where_the_map_does(self) -> None:
        run = replace(RUN, hindsight=hindsight())
        assert said("bias-corrected", run) == " · validates at 0.960 (200 images, update 96)"
        assert said("bias-corrected") == " · not measured yet"
        assert said("warm-up", run) == " = min(0.99, 1 − 1/97) = 0.9897"
        assert said("cumulative", run) == " = 0.9897 · running + 0.0103 · batch at update 97"

    def test_hindsight_names_the_best_row_and_the_run_s_own(self) -> None:
        assert said("hindsight", replace(RUN, hindsight=hindsight())) == (
            " · momentum 0.9 gives 0.970, this run's 0.99 gives 0.120 (200 images, update 96)"
        )
        renorm = mid_run(RunConfig(width=0.25, norm="renorm"))
        assert "batch renorm trains with" in said("hindsight", renorm)

    def test_without_statistics_there_are_no_numbers_of_them(self) -> None:
        bare = mid_run(RunConfig(width=0.25, norm="none"))
        for name in ("fresh", "start", "momentum", "mean gap", "estimator"):
            assert said(name, bare) == " · this network keeps no running statistics"
        assert said("running", bare) == " = 974 / 1,000 = 0.974"


class TestTraining:
    def test_updates_of_an_epoch(self) -> None:
        assert said("update") == " = 4,000 / 256 = 16, rounded up"
        even = replace(RUN, knobs=Knobs(batch_size=500))
        assert said("batch size", even) == " = 4,000 / 500 = 8"
        whole = replace(RUN, knobs=Knobs(batch_size=8192))
        assert said("batch size", whole) == " = 4,000 / 4,000 = 1"

    def test_the_epoch_under_way(self) -> None:
        assert said("epoch") == " · epoch 7 of 10, at update 97"

    def test_the_rate_that_rules_make(self) -> None:
        assert said("learning rate") == " · 0.001"
        grown = mid_run(RunConfig(width=0.25, lr_rule="sqrt"))
        assert "and 0.002 as rule and warm-up have it" in said("learning rate", grown)

    def test_training_accuracy_and_losses_are_those_of_the_charts(self) -> None:
        latest = RUN.series["train_acc"].latest
        assert said("train") == f" = {latest:.3f} at update 97"
        assert said("loss") == " = 2.850 running, 0.090 fresh"

    def test_predictions_are_those_of_the_panel(self) -> None:
        assert said("predictions") == (
            " · it answers '1' for 98 % of 1,000 images with running statistics, for 10 % with fresh ones"
        )

    @pytest.mark.parametrize("one", NAMED, ids=lambda one: one.name)
    def test_every_estimator_is_told(self, one: object) -> None:
        name = getattr(one, "name", "")
        text = said("estimator", replace(RUN, knobs=Knobs(estimator=name)))
        assert text.startswith(" · here: ")
        assert "{" not in text


class TestLayers:
    def test_numbers_are_those_of_the_chosen_layer_s_row(self) -> None:
        now = list(layers())
        now[2] = replace(now[2], mean_gap=0.77, mean_gap_max=3.3, network_error=0.42)
        run = replace(
            RUN, validation=replace(validation(), layers=tuple(now)), exchanges=exchanges()
        )
        (row,) = (row for row in drift_rows(run, 200) if row[0][0].strip() == "conv3_bn")
        cells = dict(zip(DRIFT_COLUMNS, (text.strip() for text, _ in row), strict=True))
        for column, term in (
            ("alone",) * 2,
            ("mean gap",) * 2,
            ("worst gap", "worst"),
            ("channels",) * 2,
        ):
            assert cells[column] in said(term, run, "conv3_bn")
            assert "conv3_bn" in said(term, run, "conv3_bn")
        assert said("variance ×", run, "conv3_bn") == f" = {cells['variance']} (conv3_bn)"
        assert said("network error", run, "conv3_bn") == " = 42 % (conv3_bn)"
        assert said("harms, joint, unsure", run, "conv3_bn") == " · conv3_bn: × harms"

    def test_where_none_is_chosen_it_is_the_most_harmful_one(self) -> None:
        assert "(dense1_bn)" in said("mean gap", replace(RUN, exchanges=exchanges()))

    def test_the_worst_channel_is_named_where_it_is_known(self) -> None:
        rows = np.zeros((6, 8), dtype=np.float32)
        rows[0, 5] = -1.9
        first, *others = layers()
        known = replace(first, detail=Channels(*rows))
        run = replace(RUN, validation=replace(validation(), layers=(known, *others)))
        assert said("worst", run, "conv1_bn") == " = 1.9 σ in channel 5 (conv1_bn)"
        assert said("worst", RUN, "conv1_bn") == " = 1.9 σ (conv1_bn)"

    def test_sound_in_is_the_layer_s_forecast_else_the_network_s(self) -> None:
        waiting = Waiting(
            90, 200, validation().fresh, ((1.0, 0.2, 1.0), (320.0, 0.9, 0.1)), 320.0, 0.99
        )
        assert said("sound in", replace(RUN, waiting=waiting)) == (
            " · about 320 updates at momentum 0.99 (update 90)"
        )
        never = replace(waiting, sound_in=math.inf)
        assert "not within 320 updates" in said("sound in", replace(RUN, waiting=never))
        of_layers = LayersWaiting(91, 200, (("conv1_bn", 66.0),))
        run = replace(RUN, waiting=waiting, layers_waiting=of_layers)
        assert said("sound in", run, "conv1_bn") == " · conv1_bn: 66 updates (update 91)"

    def test_what_is_not_finite_has_no_number(self) -> None:
        lost = layers(mean_gap=math.nan, network_error=math.nan, output_error=math.nan)
        run = replace(RUN, validation=replace(validation(), layers=lost))
        assert said("mean gap", run, "conv1_bn") == " = – (conv1_bn)"
        assert said("network error", run) == said("output error", run) == " · not measured yet"


class TestAround:
    def test_a_twin_is_named_with_both_accuracies(self) -> None:
        config = replace(CONFIG, twin="momentum=0.9")
        run = mid_run(config, twin=mid_run(CONFIG, validation=validation(0.9)))
        assert said("twin", run) == " · momentum=0.9: 0.900, this run 0.114"
        assert said("apart", run) == " = 0.786"
        assert said("twin") == said("apart") == " · there is none: t begins one"

    def test_val_acc_is_the_last_report_s(self) -> None:
        report = EpochReport(6, 96, 1.0, 1.0, 0.1, 0.9, 2.0, 0.1135, 0.1, 0.97)
        assert said("val_acc", replace(RUN, reports=(report,))) == " = 0.1135 after epoch 6"


@pytest.mark.parametrize(
    "snapshot",
    [Snapshot(), Snapshot(facts=facts()), RUN, mid_run(RunConfig(norm="none"))],
    ids=["nothing", "loaded", "running", "no batch norm"],
)
def test_every_term_can_be_told_at_any_time(snapshot: Snapshot) -> None:
    for name in TERMS:
        text = said(name, snapshot)
        assert "nan" not in text.split(), name
        assert "e-0" not in text


def test_sentences_are_sentences() -> None:
    for term in TERMS.values():
        assert (
            term.sentence[0].isupper()
            or not term.sentence[0].isalpha()
            or term.sentence.startswith("w ")
        )
        assert term.sentence.endswith(".")
        assert len(term.sentence) < 260, term.name
