"""Two processes with gloo: started by itself (mp.spawn), or by torchrun.

Rank 1's images are brighter, which rank 0's running statistics, the ones that are kept, know nothing of.
"""

import os
from pathlib import Path

import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler

from tests.probe.watching.scripts.common import FILE, Images, keep, network, seed, tell, watched

RANKS = 2


def train(rank: int) -> None:
    """Train one rank's replica for two epochs."""
    if "RANK" in os.environ:
        distributed.init_process_group("gloo")
    else:
        store = f"file://{FILE}.meeting"
        distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=RANKS)
    rank = distributed.get_rank()
    seed()
    images = Images(2 * 160, 4)
    sampler: DistributedSampler[int] = DistributedSampler(images)
    training = DataLoader(images, 16, sampler=sampler)
    validation = DataLoader(Images(64, 5, augmented=False), 32)
    model = DistributedDataParallel(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    step = 0
    with watched(model, validation=validation, training=training) as probe:
        for epoch in range(2):
            sampler.set_epoch(epoch)
            for batch, labels in training:
                optimizer.zero_grad()
                loss = functional.cross_entropy(model(batch + 2.0 * rank), labels)
                loss.backward()
                optimizer.step()
                probe.log(loss=loss)
                step += 1
                if rank == 0:
                    tell(step, loss)
    keep(Path(f"{FILE}.{rank}"), model=model, optimizer=optimizer)
    distributed.barrier()
    if rank == 0:
        kept = [torch.load(f"{FILE}.{each}", weights_only=False) for each in range(RANKS)]
        torch.save(kept, FILE)
    distributed.destroy_process_group()


if __name__ == "__main__":
    if "RANK" in os.environ:
        train(int(os.environ["RANK"]))
    else:
        spawn(train, nprocs=RANKS)
