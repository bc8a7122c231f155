"""torch.compile, and a validation in eval mode between two epochs, which takes a second graph."""

import torch
from torch.nn import functional

from tests.probe.watching.scripts.common import keep, loaders, network, seed, tell, watched

seed()
training, validation = loaders(batches=6)
model = network()
compiled = torch.compile(model, backend="eager")
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for images, labels in training:  # watching begins after the first calls
    optimizer.zero_grad()
    functional.cross_entropy(compiled(images), labels).backward()
    optimizer.step()
    break
with watched(model, validation=validation, training=training) as probe:
    for epoch in range(2):
        model.train()
        for step, (images, labels) in enumerate(training, 1):
            optimizer.zero_grad()
            loss = functional.cross_entropy(compiled(images), labels)
            loss.backward()
            optimizer.step()
            probe.log(loss=loss)
            tell(6 * epoch + step, loss)
        model.eval()
        with torch.no_grad():
            tell(epoch, functional.cross_entropy(compiled(images), labels))
keep(model=model, optimizer=optimizer)
