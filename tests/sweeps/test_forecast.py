"""How long a sweep takes and how many runs fit, from runs like its own and from a trial."""

import math
from dataclasses import replace
from multiprocessing import Pipe

import pytest
import torch

from bntui.core.config import Change, Knobs, RunConfig
from bntui.core.snapshot import RunFacts
from bntui.core.sweep import CellState, Design, Standing
from bntui.core.text import ConfigError
from bntui.experiments.duration import Duration, Took
from bntui.sweeps import trial
from bntui.sweeps.forecast import (
    PROCESS_BYTES,
    Forecast,
    Workers,
    bytes_needed,
    fitting,
    for_runs,
    needs,
    on_their_device,
    time_left,
    to_try,
    useful,
    workers_for,
)
from tests.sweeps.made_up import BASE, design

FACTS = RunFacts(
    device="cpu",
    dataset="digits",
    train=1000,
    validation=100,
    parameters=1_000_000,
    class_names=("0", "1"),
    activation_bytes=100_000,
    threads=1,
)


def took(batch: int, seconds: float, **fields: object) -> Took:
    """Return a whole run of ten epochs."""
    config = replace(BASE, epochs=10, knobs=Knobs(batch_size=batch), **fields)  # type: ignore[arg-type]
    return Took(config, FACTS, 10 * math.ceil(1000 / batch), 10_000, seconds)


def states(of: Design, *standings: Standing) -> list[CellState]:
    """Return its cells as they stand; the rest waits."""
    cells = of.cells()
    rest = [Standing.WAITING] * (len(cells) - len(standings))
    return [CellState(*pair) for pair in zip(cells, [*standings, *rest], strict=True)]


BATCHES = design(("batch_size", (50, 100)), seeds=2, base=replace(BASE, epochs=10))


def test_one_thread_a_run_where_there_are_runs_for_all_cores() -> None:
    many, two = design(("depth", tuple(range(20)))), design(("depth", (0, 1)))
    assert workers_for(many, cores=8) == Workers(8, 1)
    assert workers_for(two, cores=8) == Workers(2, 4)
    assert workers_for(two, cores=1) == Workers(1, 1)
    assert workers_for(many, cores=8, jobs=2) == Workers(2, 4, jobs_on_gpu=2)
    assert workers_for(many, cores=2, jobs=5) == Workers(5, 1, jobs_on_gpu=5)
    given = replace(many, base=replace(BASE, threads=3))
    assert workers_for(given, cores=8) == Workers(2, 3)
    assert workers_for(given, cores=2) == Workers(1, 3)


def test_no_more_jobs_than_runs_are_left_and_each_keeps_its_threads() -> None:
    assert for_runs(Workers(4, 2), 3) == Workers(3, 2)
    assert for_runs(Workers(2, 2), 3) == Workers(2, 2)
    assert for_runs(Workers(8, 1, jobs_on_gpu=8), 1) == Workers(1, 1)


def test_on_a_gpu_one_run_at_a_time_unless_more_are_asked_for() -> None:
    many = design(("depth", tuple(range(20))))
    on_gpu = took(50, 30.0)
    on_gpu = replace(on_gpu, facts=replace(FACTS, device="cuda"))
    chosen, asked = workers_for(many, cores=8), workers_for(many, cores=8, jobs=3)
    for device, known in (("auto", [on_gpu, took(50, 30.0)]), ("cuda:1", []), ("mps", [])):
        found = on_their_device(chosen, device, known)
        assert (found.jobs, found.threads) == (1, 1)
        assert found.words.startswith("1 job of 1 thread on a GPU (how many fit in its memory is")
        assert on_their_device(asked, device, known).jobs == 3
    for device, known in (("auto", [took(50, 30.0), on_gpu]), ("auto", []), ("cpu", [on_gpu])):
        assert on_their_device(chosen, device, known) == chosen
        assert on_their_device(asked, device, known) == asked


def test_runs_with_another_device_tell_nothing() -> None:
    assert useful([took(50, 30.0, device="cpu")], BATCHES, threads=1) == []


def test_time_is_shared_among_jobs_but_no_run_is_shorter_than_itself() -> None:
    known = [took(50, 30.0), took(100, 20.0)]
    assert time_left(states(BATCHES), known, 1) == Duration(100.0, 100.0)
    assert time_left(states(BATCHES), known, 2) == Duration(50.0, 50.0)
    assert time_left(states(BATCHES), known, 100) == Duration(30.0, 30.0)


def test_what_is_over_takes_no_time_and_what_is_begun_less() -> None:
    known = [took(50, 30.0), took(100, 20.0)]
    some = states(BATCHES, Standing.FINISHED, Standing.FAILED, Standing.INTERRUPTED)
    some[2] = replace(some[2], images=5000, train=1000)
    assert time_left(some, known, 1) == Duration(15.0 + 20.0, 35.0)


def test_nothing_like_it_is_no_time_and_a_part_of_it_a_lower_bound() -> None:
    assert time_left(states(BATCHES), [took(50, 30.0, depth=3)], 1) is None
    depths = design(("depth", (0, 1)), base=replace(BASE, epochs=10, knobs=Knobs(batch_size=50)))
    assert time_left(states(depths), [took(50, 30.0)], 1) == Duration(30.0, math.inf)


def test_a_time_between_measured_batch_sizes_lies_between() -> None:
    three = design(("batch_size", (50, 75, 100)), base=replace(BASE, epochs=10))
    time = time_left(states(three), [took(50, 30.0), took(100, 20.0)], 1)
    assert time
    middle = time.low - 50.0
    assert 20.0 < middle < 30.0


def test_of_runs_that_are_alike_the_newest_is_useful() -> None:
    newest, older, other = took(50, 30.0), took(50, 60.0), took(50, 1.0, width=0.5)
    threads = replace(took(100, 5.0), facts=replace(FACTS, threads=4))
    assert useful([newest, older, other, threads], BATCHES, threads=1) == [newest]


def test_a_trial_is_of_the_smallest_and_the_largest_batch_that_nothing_is_known_of() -> None:
    both = design(("depth", (0, 1)), ("batch_size", (100, 50, 200)))
    pairs = to_try(states(both), [])
    sizes = [(a.depth, a.knobs.batch_size, b.knobs.batch_size) for a, b in pairs]
    assert sizes == [(0, 50, 200), (1, 50, 200)]
    assert to_try(states(both, *[Standing.FINISHED] * 6), []) == []
    known = [took(50, 30.0), took(200, 20.0)]
    assert [small.depth for small, _ in to_try(states(both), known)] == [1]


def test_the_memory_of_a_run_is_that_of_its_largest_batch() -> None:
    config = replace(BASE, knobs=Knobs(batch_size=100))
    weights = 16 * FACTS.parameters
    assert bytes_needed(config, FACTS) == weights + 1.5 * 100 * 100_000
    doubled = replace(config, epochs=3, batch_schedule="x2/1")
    assert bytes_needed(doubled, FACTS) == weights + 1.5 * 400 * 100_000
    planned = replace(config, at=(Change(5, "batch_size", 300),))
    assert bytes_needed(planned, FACTS) == weights + 1.5 * 300 * 100_000
    assert bytes_needed(config, replace(FACTS, device="cuda:0")) == 0.0
    clipped = replace(config, knobs=Knobs(batch_size=5000))
    assert bytes_needed(clipped, FACTS) == weights + 1.5 * 1000 * 100_000


def test_only_runs_that_are_left_need_memory() -> None:
    some = states(BATCHES, *[Standing.FINISHED, Standing.WAITING] * 2)
    ((config, _),) = needs(some, [took(50, 30.0)])
    assert config.knobs.batch_size == 100
    assert needs(some, []) == []


def test_fewer_jobs_where_memory_is_short() -> None:
    run = [(RunConfig(), 1e9), (RunConfig(knobs=Knobs(batch_size=4096)), 2e9)]
    each = PROCESS_BYTES + 2e9
    assert fitting(Workers(4, 1), run, 4 * each, asked=False) == Workers(4, 1)
    assert fitting(Workers(4, 1), run, 3.5 * each, asked=False) == Workers(3, 1)
    with pytest.raises(ConfigError, match=r"^a run of batch size 4096 .* give --jobs 3\.$"):
        fitting(Workers(4, 1), run, 3.5 * each, asked=True)
    with pytest.raises(ConfigError, match="give smaller values of --batch-size or --width"):
        fitting(Workers(4, 1), run, 0.5 * each, asked=False)
    assert fitting(Workers(4, 1), [], 0.0, asked=True) == Workers(4, 1)


def test_a_forecast_is_one_sentence_that_says_where_it_is_from() -> None:
    time = Duration(700.0, 740.0)
    words = Workers(2, 1).words
    assert Forecast(time, 2.2, words).words == (
        "a trial of 2 s says: about 12 min with 2 jobs of 1 thread"
    )
    assert Forecast(time, 0.0, words).words == (
        "runs like these say: about 12 min with 2 jobs of 1 thread"
    )
    assert Forecast(None, 0.0, words).words == "how long it takes is not known yet"


TINY = replace(BASE, device="cpu", train_size=64, width=1 / 32, epochs=2, knobs=Knobs(batch_size=8))


def test_a_trial_measures_whole_runs_in_a_process_of_its_own() -> None:
    large = replace(TINY, knobs=Knobs(batch_size=32))
    found = trial.trial([(TINY, large)], Workers(1, 1))
    assert found[0].config.knobs.batch_size == 8
    assert {one.facts.train for one in found} == {64}
    assert (found[0].updates, found[0].images) == (16, 128)
    assert all(one.seconds > 0.0 for one in found)
    assert all(8 <= one.config.knobs.batch_size <= 32 for one in found)


def test_a_trial_says_in_one_sentence_what_can_not_be_run() -> None:
    wrong = replace(TINY, dataset="/there/is/none.npz")
    with pytest.raises(ConfigError, match=r"none\.npz"):
        trial.trial([(wrong, wrong)], Workers(1, 1))


HANGING = """import sys, time
from bntui.sweeps import trial
descriptor, *sys.path = sys.argv[1:]
def hang(pairs, threads, say, **_):
    say("loading something")
    time.sleep(600)
trial.try_runs = hang
trial.answer(int(descriptor))
"""


def test_a_trial_that_does_not_answer_is_ended_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trial, "_CODE", HANGING)
    monkeypatch.setattr(trial, "SILENT_SECONDS", 3.0)
    said: list[str] = []
    assert trial.trial([(TINY, TINY)], Workers(1, 1), said.append) == []
    assert said[-1].startswith("The trial was ended: it had said nothing for 3 s")


@pytest.mark.parametrize(("seconds", "expected"), [(0.0, ["loading", "3 of 9 MB"]), (600.0, [])])
def test_what_takes_long_is_told(
    monkeypatch: pytest.MonkeyPatch, seconds: float, expected: list[str]
) -> None:
    monkeypatch.setattr(trial, "SAY_SECONDS", seconds)
    here, there = Pipe()
    for told in ("loading", "3 of 9 MB", [took(50, 30.0)]):
        there.send(told)
    said: list[str] = []
    with here, there:
        assert trial._answers({here}, said.append) == [took(50, 30.0)]
    assert said == expected


def test_a_process_that_tries_ends_with_the_one_that_has_started_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trial, "_CODE", HANGING)
    process = trial._Process()
    try:
        process.pipe.send(([], 1, True))
        assert process.pipe.recv() == "loading something"
        process.pipe.close()  # as where that process is killed
        assert process._process.wait(60.0) == 1
    finally:
        process.end()


def test_on_a_gpu_only_those_try_that_will_run_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bntui.machine.device.resolve", lambda _: (torch.device("cuda"), ""))
    assert trial.try_runs([(TINY, TINY)], 1, on_gpu_too=False) == []
