"""The loop of a tutorial: two epochs, each with its validation, and a scheduler."""

import torch
from torch.nn import functional

from tests.probe.watching.scripts.common import keep, loaders, network, seed, tell, watched

seed()
training, validation = loaders()
model = network()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
step = 0
with watched(model, validation=validation, training=training) as probe:
    for _ in range(2):
        model.train()
        for images, labels in training:
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            probe.log(loss=loss)
            step += 1
            tell(step, loss)
        scheduler.step()
        model.eval()
        with torch.no_grad():
            losses = [functional.cross_entropy(model(x), y) for x, y in validation]
        print("validation", repr(torch.stack(losses).mean().item()))
keep(model=model, optimizer=optimizer, scheduler=scheduler)
