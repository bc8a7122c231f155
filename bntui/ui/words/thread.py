"""The forum thread that bntui grew out of, introduced once: for the help, the course, the first start.

Plain text in paragraphs, each on one line: whoever shows it wraps it.
"""

from dataclasses import dataclass

TITLE = "Batch Normalization with a large batch size breaks validation accuracy"
"""What the thread is called on the forum of fast.ai, where it was posted."""


@dataclass(frozen=True, slots=True)
class Post:
    """One post of the thread."""

    number: int
    gist: str
    """What it says, in a few words: "start small, grow the batch"."""
    text: str
    """The same in a few sentences."""


POSTS = (
    Post(
        1,
        "batch 4096 breaks validation",
        "A network with five batch norm layers learns to read handwritten digits (MNIST). With batch size 64 it "
        "validates at 0.99. With batch size 4096 it learns just as well, at 0.987 on training images, but "
        "validation accuracy stays at 0.1135 for nine epochs and ends at 0.1141. “Is there a mathematical "
        "limitation that I am missing?”",
    ),
    Post(
        2,
        "the same on other data",
        "Somebody else has seen it too, on other data and with many batch norm layers in a row, and asks "
        "for the mathematics.",
    ),
    Post(
        3,
        "start small, grow the batch",
        "The advice: start with small batches and make them larger while training goes on.",
    ),
    Post(
        4,
        "raise the learning rate",
        "More advice: with batches that large you need a learning rate far above Adam's default of 0.001.",
    ),
    Post(
        5,
        "can, or need to?",
        "A question back: do you mean that you can raise the learning rate with a large batch, or that you "
        "need to?",
    ),
)
"""All five, in their order."""

GUESS = "0.1135 is no accident: 1,135 of MNIST's 10,000 test images are ones. The network answers “1” to every image."
"""What the strange number means."""
WHY_POSTS = (
    "bntui runs the thread's experiment on this machine and answers it post by post. “Post 3” beside an "
    "experiment means that it puts the third post to the test."
)
"""What "post 3" means wherever it stands."""
IN_ONE_SENTENCE = "In a forum thread, a network got 98.7\u00a0% of its training images right and 11\u00a0% of its validation images."
"""The shortest introduction, for the first card of the first start."""


def paragraphs() -> list[str]:
    """Return the whole page: how the thread began, what each post says, and what "post 3" means."""
    return [
        f"bntui grew out of a thread on a forum: “{TITLE}”.",
        *(f"Post {post.number} · {post.text}" for post in POSTS[:1]),
        GUESS,
        *(f"Post {post.number} · {post.text}" for post in POSTS[1:]),
        WHY_POSTS,
    ]


def gist(number: int) -> str:
    """Return what a post says in a few words. Raises ValueError for a number that is none of theirs."""
    for post in POSTS:
        if post.number == number:
            return post.gist
    raise ValueError(f"the thread's posts are 1 to {len(POSTS)}, not {number}")
