"""What `?` says in the toy."""

from bntui.core.text import exact
from bntui.core.toy import BATCH, EPSILON, VALUES
from bntui.ui.key_table import TOY

PARAGRAPHS = (
    f"This is one channel of a network, and its BatchNorm. {VALUES:,} training images, half of them of a 0 and "
    f"half of a 1, give the channel as many values. A batch is {BATCH} of them.",
    "In training, BatchNorm normalizes a batch with the batch's own mean and variance. In validation it takes "
    "the running ones, which it remembers. They start at mean 0 and variance 1. At each batch:",
    "  running ← momentum · running + (1 − momentum) · the batch's",
    "Momentum is the share of the old value that is kept, as in Keras; PyTorch calls 1 − momentum by that name. "
    "After t batches the share momentum^t of the start value is left.",
    "Fresh statistics are mean and variance of all training values, with the weights of now. While the weights "
    "learn, they move. What is remembered is of weights that were: at a high momentum it lags for many batches, "
    "at a low one it jumps with every batch.",
    f"A validation value x becomes (x − mean) ÷ σ, and σ is √(variance + {exact(EPSILON)}). Above 0 it is taken for "
    f"a 1, below 0 for a 0. Accuracy is counted on {VALUES:,} validation values.",
    "Both curves are drawn equally high: the middle is the mean, and σ is the width. Below each momentum stands "
    "what validation would get now, had that one been used from the first batch on.",
)


def explanation() -> str:
    """Return what is on the screen, and what the keys do."""
    keys = "\n".join(f"  {line.keys:<6} {line.does}" for line in TOY.lines)
    return "\n\n".join([*PARAGRAPHS, f"Keys\n{keys}"])
