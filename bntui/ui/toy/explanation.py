"""What the help says of the toy, above the words that stand on it."""

from bntui.core.text import exact
from bntui.core.toy import BATCH, EPSILON, VALUES

PARAGRAPHS = (
    f"This is one channel of a network, and its BatchNorm. {VALUES:,} training images, half of them of a 0 and "
    f"half of a 1, give the channel as many values. A batch is {BATCH} of them.",
    "In training, BatchNorm normalises a batch with the batch's own mean and variance. In validation it takes "
    "the running ones, which it remembers. They start at mean 0 and variance 1. At each batch:",
    "running ← momentum · running + (1 − momentum) · the batch's",
    "Momentum is the share of the old value that is kept, as in Keras; PyTorch calls 1 − momentum by that name. "
    "After t batches the share momentum^t of the start value is left.",
    "Fresh statistics are mean and variance of all training values, with the weights of this moment. They move "
    "while the weights learn. The running statistics are of earlier weights: at a high momentum they lag behind for "
    "many batches, at a low one they jump with every batch.",
    f"A validation value x becomes (x − mean) ÷ σ, and σ is √(variance + {exact(EPSILON)}). Above 0 it is taken for "
    f"a 1, below 0 for a 0. Accuracy is counted on {VALUES:,} validation values.",
    "Both curves are drawn equally high: the middle is the mean, and σ is the width. Below each momentum stands "
    "what validation would get now, had that one been used from the first batch on.",
)
