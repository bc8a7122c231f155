"""What a run may come to show: any snapshot that keeps the contract of its types, however odd.

Sizes fit together (as many predictions as classes, arrays of as many channels as a layer has) and
positions ascend; everything else is free: phases, numbers at the edges of floats, hostile text.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from bntui.core import parsers
from bntui.core.config import Knobs, RunConfig
from bntui.core.estimators import MOMENTA, OWN_ESTIMATORS
from bntui.core.measured import (
    ChannelExchange,
    ChannelExchanges,
    Channels,
    DataCheck,
    Difference,
    Exchange,
    Exchanges,
    Hindsight,
    LayerDrift,
    LayerShift,
    LayersWaiting,
    Noise,
    Recalibration,
    Score,
    Validation,
    Waiting,
)
from bntui.core.snapshot import Checkpoint, Divergence, EpochReport, Mark, Phase, RunFacts, Snapshot
from tests.ui.scripted import diverged, failed, histories, history, mid_run

Draw = st.DrawFn

NUMBERS = st.sampled_from(
    [
        *(0.0, -0.0, 5e-324, 1e-300, 1e-9, 0.1, 0.114, 0.5, 0.974, 1.0, 2.85, 97.5, 1e6, 1e12),
        *(3.4e38, 1e308, -1e-9, -1.0, -1e12, -1e308, math.inf, -math.inf, math.nan),
    ]
)
SHARES = st.sampled_from([0.0, 5e-324, 0.1, 0.5, 0.999, 1.0, math.nan])
"""What the engine computes as a share or a time can be nothing else than that, or not a number."""
TIMES = st.sampled_from([0.0, 1e-9, 0.5, 21.5, 3600.0, 1e7, 1e12])
COUNTS = st.sampled_from([0, 1, 2, 9, 97, 1000, 65_536, 10**9, 10**12, 2**63])
HOSTILE = (
    *(
        "",
        " ",
        "a",
        "digits",
        "[bold]",
        "[/]",
        "[red]x[/red]",
        "[@click=app.quit]x[/]",
        "\\[",
        "$x",
    ),
    *("\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "a\nb", "a\r", "\t", "\x00", "\x7f", "\u202eabc"),
    *("\u200b", "e\u0301", "漢字", "👩‍👩‍👧", "ﷺ", "\ud800", "１２", "x" * 10_000, "/" + "d" * 300),
)
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=8)
UPDATES = st.integers(0, 200)
NAMES = ("conv1_bn", "conv2_bn", "conv3_bn", "flatten_bn", "dense1_bn")


def knobs() -> st.SearchStrategy[Knobs]:
    """Return knobs within their limits, most at an end of them."""
    return st.builds(
        Knobs,
        batch_size=st.sampled_from([1, 256, 4096, parsers.MAX_BATCH_SIZE]),
        momentum=st.sampled_from([0.0, 5e-324, 0.01, 0.99, 0.12345678901234, math.nextafter(1, 0)]),
        estimator=st.sampled_from(OWN_ESTIMATORS),
        learning_rate=st.sampled_from([5e-324, 1e-3, 1.0, parsers.MAX_LEARNING_RATE]),
        pace=st.sampled_from([5e-324, 0.5, parsers.MAX_PACE, math.inf]),
    )


@st.composite
def scores(draw: Draw, classes: int) -> Score:
    most = draw(st.sampled_from([1, 100, 10**9]))  # at least one image is validated
    return Score(draw(NUMBERS), draw(SHARES), (most,) * min(1, classes) + (0,) * (classes - 1))


@st.composite
def drifts(draw: Draw, name: str) -> LayerDrift:
    channels = draw(st.sampled_from([1, 2, 32, 784]))
    shown = draw(st.sampled_from([channels, channels, 0]))  # 0: `NO_DETAIL`
    rows = np.full((6, shown), draw(NUMBERS), dtype=np.float64).astype(np.float32)
    rows[5] = np.arange(shown) % 2
    return LayerDrift(
        name=name,
        channels=channels,
        positions=draw(st.sampled_from([1, 49, 784])),
        mean_gap=abs(draw(NUMBERS)),
        mean_gap_max=abs(draw(NUMBERS)),
        log_var_ratio=draw(NUMBERS),
        output_error=abs(draw(NUMBERS)),
        network_error=abs(draw(NUMBERS)),
        start_left=draw(SHARES),
        log_var_off=abs(draw(NUMBERS)),
        quiet=draw(st.sampled_from([0, 1, channels])),
        non_finite=draw(st.sampled_from([0, 1, channels])),
        untouched=draw(st.booleans()),
        detail=Channels(*rows),
    )


@st.composite
def validations(draw: Draw, classes: int) -> Validation:
    count = draw(st.sampled_from([0, 1, 5, 69]))
    names = [*NAMES, *(f"more{number}_bn" for number in range(64))][:count]
    first = [draw(drifts(name)) for name in names[:2]]
    layers = first + [replace(first[-1], name=name) for name in names[2:]]
    running, fresh = draw(scores(classes)), draw(scores(classes))
    return Validation(
        draw(UPDATES),
        draw(COUNTS),
        running,
        fresh,
        tuple(layers),
        draw(SHARES),
        draw(COUNTS),
        draw(differences()),
        draw(st.none() | scores(classes)),
        draw(NUMBERS),
    )


@st.composite
def differences(draw: Draw) -> Difference:
    return Difference(
        draw(SHARES) - draw(SHARES),
        abs(draw(NUMBERS)),
        draw(NUMBERS),
        abs(draw(NUMBERS)),
        draw(COUNTS),
        abs(draw(NUMBERS)),
    )


@st.composite
def exchanges(draw: Draw, names: tuple[str, ...]) -> Exchanges:
    layers = [Exchange(name, draw(differences()), draw(differences())) for name in names[:3]]
    return Exchanges(
        draw(UPDATES),
        draw(COUNTS),
        draw(scores(2)),
        draw(scores(2)),
        draw(differences()),
        tuple(layers),
    )


@st.composite
def waitings(draw: Draw) -> Waiting:
    curve = tuple((2.0**n, draw(SHARES), draw(NUMBERS)) for n in range(draw(st.integers(1, 18))))
    ahead = draw(st.sampled_from([0.0, 1.0, 123_456.0, math.inf]))
    return Waiting(draw(UPDATES), draw(COUNTS), draw(scores(2)), curve, ahead, draw(SHARES))


@st.composite
def layers_waitings(draw: Draw) -> LayersWaiting:
    ahead = st.sampled_from([0.0, 1.0, 123_456.0, math.inf])
    return LayersWaiting(
        draw(UPDATES), draw(COUNTS), tuple((name, draw(ahead)) for name in NAMES[:3])
    )


@st.composite
def channel_exchanges(draw: Draw) -> ChannelExchanges:
    parts = [
        ChannelExchange(name, draw(COUNTS), low, draw(differences()))
        for name in NAMES[:2]
        for low in (False, True)
    ]
    return ChannelExchanges(draw(UPDATES), draw(COUNTS), tuple(parts))


@st.composite
def data_checks(draw: Draw, classes: int) -> DataCheck:
    shifts = tuple(LayerShift(name, abs(draw(NUMBERS)), abs(draw(NUMBERS))) for name in NAMES[:2])
    return DataCheck(
        update=draw(UPDATES),
        images=draw(COUNTS),
        fresh=draw(scores(classes)),
        own=draw(scores(classes)),
        as_trained=draw(SHARES),
        training_images=draw(COUNTS),
        training_fresh=draw(scores(classes)),
        training=draw(differences()),
        training_running=draw(scores(classes)),
        statistics_images=draw(COUNTS),
        shifts=shifts,
    )


@st.composite
def hindsights(draw: Draw) -> Hindsight:
    names = (*(f"{momentum:g}" for momentum in MOMENTA), *OWN_ESTIMATORS[1:])
    rows, moments = draw(st.integers(1, len(names))), draw(st.sampled_from([1, 2, 40, 512]))
    value = draw(SHARES)
    line = np.full(moments, draw(SHARES))
    compared = draw(st.booleans())
    return Hindsight(
        names[:rows],
        draw(COUNTS),
        np.arange(moments, dtype=np.float64) * draw(st.sampled_from([1, 5, 10**6])),
        np.full((rows, moments), value),
        line,
        line,
        np.full(moments, draw(st.sampled_from([0.0, 0.5, 0.99, 0.123456]))),
        tuple(draw(differences()) for _ in names[:rows]) if compared else (),
        tuple(draw(differences()) for _ in names[:rows]) if compared else (),
    )


@st.composite
def series(draw: Draw) -> dict[str, Any]:
    values = draw(st.lists(NUMBERS, max_size=12)) * draw(st.sampled_from([1, 1, 200]))
    names = draw(st.sets(st.sampled_from([*histories(), "images", "seconds", "noise_scale"])))
    return histories() | {name: history(values, every=1) for name in names}


def facts(classes: int) -> st.SearchStrategy[RunFacts]:
    return st.builds(
        lambda dataset, name, count, threads: RunFacts(
            *("cpu", dataset, max(1, count), max(1, count), count),
            tuple(f"{name}{number}" for number in range(classes)),
            count,
            threads,
        ),
        *(TEXTS, TEXTS, COUNTS, st.sampled_from([0, 1, 1024])),
    )


def recalibrations() -> st.SearchStrategy[Recalibration]:
    return st.builds(Recalibration, UPDATES, SHARES, SHARES, st.booleans())


def noises() -> st.SearchStrategy[Noise]:
    ends = st.sampled_from([0.0, 5e-324, 0.1, 1.0, 97.5, 2.0**53, 1e308, math.inf])
    return st.builds(Noise, COUNTS, NUMBERS, st.none() | COUNTS, COUNTS, ends, ends, ends, ends)


def reports() -> st.SearchStrategy[tuple[EpochReport, ...]]:
    one = st.builds(EpochReport, COUNTS, COUNTS, TIMES, NUMBERS, *(NUMBERS for _ in range(6)))
    return st.lists(one, max_size=3).map(tuple)


def marks() -> st.SearchStrategy[tuple[Mark, ...]]:
    some = st.lists(st.builds(Mark, UPDATES, TEXTS), max_size=4)
    return some.map(lambda found: tuple(sorted(found, key=lambda mark: mark.update)))


def checkpoints(config: RunConfig) -> st.SearchStrategy[tuple[Checkpoint, ...]]:
    some = st.dictionaries(UPDATES, TEXTS, max_size=4)
    return some.map(
        lambda found: tuple(
            Checkpoint(update, label, config, b"") for update, label in sorted(found.items())
        )
    )


@st.composite
def snapshots(draw: Draw, config: RunConfig, *, twin: bool = True) -> Snapshot:
    """Return a state in the middle of a story, of a fault or of neither."""
    base = draw(st.sampled_from(["mid", "mid", "mid", "diverged", "failed", "loading"]))
    if base == "failed":
        trace = draw(st.sampled_from(["", "Traceback …\n  File\x1b[31m\nValueError: [/x]"]))
        return replace(failed(config, draw(TEXTS)), traceback=trace)
    if base == "loading":
        return Snapshot(config=config, knobs=config.knobs, message=draw(TEXTS))
    state = diverged(config) if base == "diverged" else mid_run(config)
    classes = draw(st.sampled_from([1, 2, 10, 100, 1000]))
    fields: dict[str, st.SearchStrategy[Any]] = {
        "phase": st.sampled_from(list(Phase)),
        "message": TEXTS,
        "knobs": knobs(),
        "observing": st.booleans(),
        "update": COUNTS,
        "epoch": COUNTS,
        "epochs": COUNTS,
        "updates_per_epoch": COUNTS,
        "seconds": TIMES,
        "images_per_s": NUMBERS,
        "observed_share": NUMBERS,
        "divergence": st.none() | st.builds(Divergence, COUNTS, TEXTS),
        "hindsight": st.none() | hindsights(),
        "what_if": st.none() | hindsights(),
        "exchanges": st.none() | exchanges(NAMES),
        "waiting": st.none() | waitings(),
        "layers_waiting": st.none() | layers_waitings(),
        "channel_exchanges": st.none() | channel_exchanges(),
        "data_check": st.none() | data_checks(classes),
        "recalibration": st.none() | recalibrations(),
        "recalibrated": st.none() | recalibrations(),
        "noise": st.none() | noises(),
        "reports": reports(),
        "marks": marks(),
        "checkpoints": checkpoints(config),
        "series": series(),
    }
    if twin:
        fields["twin"] = st.none() | snapshots(config, twin=False)
    chosen = draw(st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=4))
    changes = {name: draw(fields[name]) for name in chosen}
    if draw(st.booleans()):
        changes["facts"] = draw(facts(classes))
        changes["validation"] = draw(st.none() | validations(classes))
    return replace(state, **changes)
