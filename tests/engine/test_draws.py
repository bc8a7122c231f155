"""Streams of chance: the same from the same seed, and none like another."""

from itertools import combinations

import torch

from bntui.engine.config import Knobs, Observation, RunConfig
from bntui.engine.draws import Purpose, stream
from bntui.engine.runner import Runner
from bntui.engine.snapshot import Phase


def test_every_seed_purpose_and_part_has_a_stream_of_its_own() -> None:
    keys = [
        (seed, purpose, *part)
        for seed in (0, 1, 2**63 - 1)
        for purpose in Purpose
        for part in ((), (0,), (1,))
    ]
    drawn = [torch.randperm(1000, generator=stream(*key)) for key in keys]
    for one, again in zip(drawn, keys, strict=True):
        assert torch.equal(one, torch.randperm(1000, generator=stream(*again)))
    for one, other in combinations(drawn, 2):
        assert int((one == other).sum()) < 20  # 1 on average where they are independent


def test_fresh_statistics_are_not_taken_from_the_images_that_training_began_with() -> None:
    config = RunConfig(train_size=2000, width=0.0625, knobs=Knobs(batch_size=500))
    runner = Runner(config, Observation())
    runner.start(paused=True)
    while runner.snapshot.phase is not Phase.PAUSED:
        assert runner.snapshot.phase is not Phase.FAILED
    assert runner._session
    observer = runner._session.observer
    trainer = observer.trainer
    first = trainer.dataset.train.images[trainer._order[: len(observer._fresh_images)]]
    assert not torch.equal(first, observer._fresh_images)
    runner.stop()
    assert runner.join(10)
