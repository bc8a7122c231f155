"""Has the store of runs read and written while the screen goes on."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from textual.screen import Screen

from bntui.core.text import ConfigError
from bntui.ui.runs.archive import Archive

Answer = TypeVar("Answer")


class StoreJobs:
    """Does one job after the other, on one thread, for one screen."""

    def __init__(
        self, screen: Screen[Any], archive: Archive, *, refused: Callable[[str], object]
    ) -> None:
        """`refused` is told why a job could not be done, in one sentence."""
        self._screen = screen
        self._archive = archive
        self._refused = refused
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bntui-runs")
        self._told: set[str] = set()
        """What was remarked on runs that lack something, once each."""

    def close(self) -> None:
        """End the thread when all is written."""
        self._thread.shutdown(wait=False)

    def do(self, job: Callable[[], Answer], then: Callable[[Answer], object]) -> None:
        """Have `job` done, also if the screen is closed meanwhile, and tell `then` what it returned."""
        doing = asyncio.get_running_loop().run_in_executor(self._thread, job)

        async def wait() -> None:
            try:
                answer = await asyncio.shield(doing)
            except ConfigError as error:
                self._refused(str(error))
            else:
                then(answer)
                self._tell_what_is_left_out()

        self._screen.run_worker(wait())

    def ask(self, job: Callable[[], Answer], then: Callable[[Answer], object]) -> None:
        """Have `job` done, and `then` told what it returned, unless another screen is open by then."""
        self.do(job, lambda answer: then(answer) if self._screen.is_current else None)

    def _tell_what_is_left_out(self) -> None:
        """Say, once, what the store holds and can't be read."""
        for remark in self._archive.remarks:
            if remark not in self._told:
                self._told.add(remark)
                self._screen.app.notify(remark, severity="warning", markup=False)
