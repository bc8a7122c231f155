"""Batches from two workers that live on from epoch to epoch: a second iteration would end the first."""

import torch
from torch.nn import functional

from tests.probe.watching.scripts.common import keep, loaders, network, seed, tell, watched


def main() -> None:
    seed()
    training, validation = loaders(workers=2)
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    step = 0
    with watched(model, validation=validation, training=training) as probe:
        for _ in range(2):
            for images, labels in training:
                optimizer.zero_grad()
                loss = functional.cross_entropy(model(images), labels)
                loss.backward()
                optimizer.step()
                probe.log(loss=loss)
                step += 1
                tell(step, loss)
    keep(model=model, optimizer=optimizer)


if __name__ == "__main__":
    main()
