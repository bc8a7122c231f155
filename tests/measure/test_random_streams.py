"""Streams of chance: the same from the same seed, and none like another."""

from itertools import combinations

import torch

from bntui.core.config import Observation, RunConfig
from bntui.core.run_request import RunRequest
from bntui.measure.random_streams import Drawn, stream
from bntui.train.session import Session


def test_every_seed_purpose_and_part_has_a_stream_of_its_own() -> None:
    keys = [
        (seed, purpose, *part)
        for seed in (0, 1, 2**63 - 1)
        for purpose in Drawn
        for part in ((), (0,), (1,))
    ]
    drawn = [torch.randperm(1000, generator=stream(*key)) for key in keys]
    for one, again in zip(drawn, keys, strict=True):
        assert torch.equal(one, torch.randperm(1000, generator=stream(*again)))
    for one, other in combinations(drawn, 2):
        assert int((one == other).sum()) < 20  # 1 on average where they are independent


def test_fresh_statistics_are_not_taken_from_the_images_that_training_began_with() -> None:
    config = RunConfig(width=0.0625, device="cpu")
    session = Session(RunRequest(config, Observation()))
    trainer, sample = session.trainer, session.observer.subsets.fresh.inputs
    first = trainer.dataset.train.images[trainer._order[: len(sample)]]
    common = {image.numpy().tobytes() for image in sample} & {i.numpy().tobytes() for i in first}
    assert len(sample) == 1024
    assert len(common) < 350  # by chance 262 of 4,000, give or take 12
