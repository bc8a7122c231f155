"""Where runs on a Ray cluster leave what they send, until the sweep's process takes it. Imports no ray.

`ray_process.py` makes an actor of it, on the cluster's head.
"""

import asyncio

MOST_LETTERS = 64
"""In the mailbox; then those that send wait."""
Post = tuple[int, bytes | str, bool]
"""The number of a task, a pickled message or why there will be none, and whether it is the task's last."""


class Mailbox:
    """An actor that has what runs have sent until it is taken, and tells them when they are to stop."""

    def __init__(self) -> None:
        self._letters: asyncio.Queue[Post] = asyncio.Queue(MOST_LETTERS)
        self._stop = asyncio.Event()

    async def put(self, number: int, content: bytes | str, last: bool = True) -> None:
        """Take a letter of a task; wait for room."""
        await self._letters.put((number, content, last))

    async def take(self) -> list[Post]:
        """Wait for a letter, and return all that there are, in the order in which they came."""
        letters = [await self._letters.get()]
        while not self._letters.empty():
            letters.append(self._letters.get_nowait())
        return letters

    async def stop(self) -> None:
        """Have all runs stop after their updates."""
        self._stop.set()

    async def stopped(self, seconds: float) -> bool:
        """Wait so long at most for `stop`; return whether that was called."""
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return False
        return True
