"""Gradients of four batches to an update."""

import torch
from torch.nn import functional

from tests.probe.watching.scripts.common import keep, loaders, network, seed, tell, watched

EVERY = 4
seed()
training, validation = loaders(8, 40)
model = network()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
with watched(model, validation=validation, training=training) as probe:
    for step, (images, labels) in enumerate(training, 1):
        loss = functional.cross_entropy(model(images), labels) / EVERY
        loss.backward()
        if step % EVERY == 0:
            optimizer.step()
            optimizer.zero_grad()
            probe.log(loss=loss)
        tell(step, loss)
keep(model=model, optimizer=optimizer)
