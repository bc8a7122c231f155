"""The whole app under random keys, text, clicks, sizes and faults of the trainer.

A machine is one sitting: an app that runs without a terminal on an event loop of its own, and after
every action the promises of `Sitting.check`. In most sittings the run is a script that shows what
`states.py` thinks up, in some it really trains.
"""

import asyncio
import os
import shutil
import unicodedata
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from textual import events
from textual.geometry import Size
from textual.pilot import Pilot
from textual.widgets import Input

from bntui.core.config import RunConfig
from bntui.core.run import Run
from bntui.core.run_request import New, RunRequest
from bntui.core.text import ConfigError
from bntui.experiments.library import built_in, configs_of
from bntui.store.archive import KeptRuns
from bntui.store.database import Store
from bntui.train.runner import Runner
from bntui.ui.app import BntuiApp
from bntui.ui.drawing.canvas import Canvas, fitted
from bntui.ui.experiments.progress import Experiments
from bntui.ui.explorer.screen import Explorer
from bntui.ui.terminal.glyphs import Glyphs, ascii_only
from bntui.ui.terminal.typed_input import TypedInput
from bntui.ui.widgets.knob import Knob
from bntui.ui.widgets.status import progress
from tests.fuzz.states import HOSTILE, TEXTS, knobs, snapshots
from tests.store.recorded import keep
from tests.ui.scripted import ScriptedRun, ScriptedRuns

CONFIG = RunConfig(width=0.25)
TINY = RunConfig(width=1 / 32, train_size=64, epochs=100, device="cpu")
"""What is really trained: an update takes some milliseconds."""
STEPS = 50
"""Actions of one sitting: Hypothesis keeps no more choices than fit into 8 KB."""
DEEPEST = 12
"""Screens on top of each other: more than a user can pile up on purpose."""

NAMED = (
    *("enter", "escape", "tab", "shift+tab", "space", "backspace", "delete", "insert"),
    *("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "f1", "f5", "f12"),
    *("shift+left", "shift+right", "ctrl+left", "ctrl+right", "ctrl+home", "ctrl+end"),
    *(f"ctrl+{letter}" for letter in "abdefghijklmnoprstuvwxyz"),  # without c and q
)
KEYS = st.lists(
    st.integers(0, 999) | st.sampled_from(NAMED) | st.sampled_from([*map(chr, range(33, 127))]),
    min_size=3,
    max_size=12,
)
"""Key strokes; a number means one of the keys that the screen has, so that all are pressed often."""
QUIT = {"app.quit", "quit"}
TYPED = st.sampled_from(
    [*HOSTILE, "0.9", "0.01", "1e308", "-0", "1_000", "nan", "max", "x2/1", "1:16,5:64", "all"]
) | st.text(max_size=6)
SIZES = st.sampled_from(
    [(120, 40), (80, 24), (60, 16), (59, 15), (116, 34), (115, 33), (76, 20), (200, 60), (1, 1)]
) | st.tuples(st.integers(1, 140), st.integers(1, 50))
FAR = st.integers(0, 130) | st.integers(0, 0x110000) | st.integers(0, 10**20)
SENT = st.sampled_from(
    [
        b"\x1b[",
        b"\x1b[<",
        b"\x1b[M",
        b"\x1b[200~",
        b"\x1b[201~",
        b"\x1bP",
        b"\x1b\\",
        b"\x1bO",
        b"\x1b[I",
    ]
) | st.one_of(
    st.builds(
        b"\x1b[<%d;%d;%d%b".__mod__,
        st.tuples(st.integers(0, 255), FAR, FAR, st.sampled_from([b"M", b"m"])),
    ),
    st.builds(b"\x1b[%d;%d;%du".__mod__, st.tuples(FAR, st.integers(0, 300), FAR)),
    st.builds(b"\x1b[48;%d;%d;1;1t".__mod__, st.tuples(FAR, FAR)),
)
"""What a terminal sends, or might: the mouse, keys by their numbers, sizes, and halves of all that."""


class Runs(ScriptedRuns):
    """Makes scripted runs, or refuses to."""

    refuses = False

    def __call__(self, request: RunRequest) -> ScriptedRun:
        if self.refuses:
            self.refuses = False
            raise ConfigError("the run can't be made: [/] \x1b[2J.")
        return super().__call__(request)


def trained(request: RunRequest) -> Runner:
    """Make a run that really trains, whatever is asked for in little time; nothing is downloaded."""
    config, begin = request.config, request.checkpoint
    config = replace(
        config,
        **{name: getattr(TINY, name) for name in ("width", "train_size", "device")},
        dataset="digits",
        data_dir=None,
        depth=min(config.depth, 1),
        threads=1,
        knobs=replace(config.knobs, batch_size=min(config.knobs.batch_size, 64)),
    )
    origin = request.origin if begin and begin.state else New()
    return Runner(replace(request, config=config, origin=origin))


def hostile_store(folder: Path) -> Path:
    """Return a store with runs whose names are not nice."""
    path = folder / "template.sqlite"
    runs = [keep(path, updates=12) for _ in range(3)]
    with Store(path) as store:
        for run, note in zip(
            runs, ("[/red]\x1b[2J", "漢字\u202e\n" * 9, "x" * 10_000), strict=True
        ):
            store.set_note(run, note)
    return path


class Sitting(RuleBasedStateMachine):
    """Somebody at the keyboard who does anything at all."""

    template: ClassVar[Path]
    """The store that every sitting begins with."""
    actions: ClassVar[int] = 0
    """How many have passed, of all sittings: each key, paste, move of the mouse, size, and each thing
    that the run shows or does."""
    trains: ClassVar[bool] = True
    """Whether some sittings really train."""

    def __init__(self) -> None:
        super().__init__()
        self.real = False
        self.folder = TemporaryDirectory()
        self.before = Path.cwd()
        os.chdir(self.folder.name)  # what keys save lands there
        shutil.copy(self.template, os.environ["BNTUI_STORE"])
        self.runner = asyncio.Runner()
        self.open_: AbstractAsyncContextManager[Pilot[None]] | None = None
        self.config = CONFIG

    def do(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(coroutine)

    @initialize(
        size=SIZES,
        glyphs=st.sampled_from(Glyphs),
        real=st.integers(0, 19).map(lambda number: number == 0),
        paused=st.booleans(),
        loaded=st.booleans(),
    )
    def open(
        self, size: tuple[int, int], glyphs: Glyphs, real: bool, paused: bool, loaded: bool
    ) -> None:
        self.real, self.size = real and Sitting.trains, size
        self.runs = Runs(loaded=loaded)
        self.options: dict[str, Any] = {"glyphs": glyphs}
        self.request = RunRequest(TINY if self.real else CONFIG, paused=paused)
        self.do(self._enter())

    async def _enter(self) -> None:
        make_run: Any = trained if self.real else self.runs
        self.app = BntuiApp(
            make_run,
            self.request,
            archive=KeptRuns(),
            experiments=Experiments(built_in, lambda experiment: configs_of(experiment, {})),
            updates_per_second=0.001,  # `act` looks at the run instead, after every action
            **self.options,
        )
        self.open_ = self.app.run_test(size=self.size, notifications=True, tooltips=True)
        await self.open_.__aenter__()
        await self.settle()
        self.app.explorer.follower.poll()
        await self.settle()

    async def _leave(self) -> None:
        assert self.open_
        open_, self.open_ = self.open_, None
        await open_.__aexit__(None, None, None)

    def teardown(self) -> None:
        try:
            if self.open_:
                self.do(self._leave())
        finally:
            self.runner.close()
            os.chdir(self.before)
            self.folder.cleanup()

    # What is done

    @rule(keys=KEYS)
    def press(self, keys: list[int | str]) -> None:
        async def act() -> None:
            for key in keys:
                if self.app._exit:
                    break
                name = key if isinstance(key, str) else self.own_key(key)
                if name not in {"q", "ctrl+c", "ctrl+q"} or not self.quits(name):
                    self.did()
                    self.app.simulate_key(_named(name))
                    await self.settle()

        self.act(act())

    @rule(text=TYPED, enter=st.booleans())
    def type(self, text: str, enter: bool) -> None:
        async def act() -> None:
            for character in text[:12]:
                if not self.quits(character):
                    self.did()
                    self.app.post_message(events.Key(_named(character), character))
            if enter:
                self.did()
                self.app.simulate_key("enter")

        self.act(act())

    @rule(knob=st.integers(0, 5), value=TYPED)
    def set_knob(self, knob: int, value: str) -> None:
        async def act() -> None:
            found = [*self.app.screen.query(Knob)]
            if found:
                found[knob % len(found)].focus()
                await self.settle()
                self.app.simulate_key("enter")
                await self.settle()
                self.app.post_message(events.Paste(value))
                await self.settle()
                self.app.simulate_key("enter")
                self.did(3)

        self.act(act())

    @rule(text=TEXTS)
    def paste(self, text: str) -> None:
        async def act() -> None:
            self.did()
            self.app.post_message(events.Paste(text))

        self.act(act())

    @rule(pieces=st.lists(SENT | st.binary(max_size=3), max_size=6))
    def send(self, pieces: list[bytes]) -> None:
        """Have something stand in the input, such as sequences that no terminal should send."""

        async def act() -> None:
            typed = TypedInput()
            for message in [*typed.feed(b"".join(pieces)), *typed.give_up()]:
                if not isinstance(message, events.Key) or not self.quits(message.key):
                    self.did()
                    self.app.post_message(message)

        self.act(act())

    @rule(
        x=st.floats(0, 1), y=st.floats(0, 1), what=st.sampled_from(["click", "up", "down", "drag"])
    )
    def mouse(self, x: float, y: float, what: str) -> None:
        async def act() -> None:
            width, height = self.app.size
            at = int(x * (width - 1)), int(y * (height - 1))
            for kind in {
                "click": (events.MouseMove, events.MouseDown, events.MouseUp),
                "drag": (events.MouseDown, events.MouseMove),
                "up": (events.MouseScrollUp,),
                "down": (events.MouseScrollDown,),
            }[what]:
                button = 1 if kind in {events.MouseDown, events.MouseUp} else 0
                self.did()
                event = kind(None, *at, 0, 0, button, False, False, False, *at)
                self.app.post_message(event)

        self.act(act())

    @rule(sizes=st.lists(SIZES, min_size=1, max_size=3))
    def resize(self, sizes: list[tuple[int, int]]) -> None:
        async def act() -> None:
            for width, height in sizes:
                self.size = (width, height)
                size = Size(width, height)
                self.did()
                self.app._driver._size = size  # type: ignore[union-attr]
                self.app.post_message(events.Resize(size, size))

        self.act(act())

    @precondition(lambda self: not self.real)
    @rule(data=st.data())
    def run_shows(self, data: st.DataObject) -> None:
        snapshot = data.draw(snapshots(self.run.snapshot.config))

        async def act() -> None:
            self.did()
            self.run.snapshot = snapshot

        self.act(act())

    @precondition(lambda self: not self.real)
    @rule(knobs=st.none() | knobs())
    def run_obeys(self, knobs: Any) -> None:
        """Take over the knobs that were asked for, or others, as a schedule does."""

        async def act() -> None:
            run = self.run
            assert isinstance(run, ScriptedRun)
            asked = run.applied[-1] if run.applied else None
            self.did()
            run.show(knobs=knobs or asked or run.snapshot.knobs, wanted=None)

        self.act(act())

    @precondition(lambda self: not self.real)
    @rule(ends=st.booleans(), refuses=st.booleans())
    def run_misbehaves(self, ends: bool, refuses: bool) -> None:
        """Have a thread that does not end, or a next run that can't be made."""

        async def act() -> None:
            run = self.run
            assert isinstance(run, ScriptedRun)
            self.did()
            run.ends, self.runs.refuses = ends, refuses

        self.act(act())

    @precondition(lambda self: self.real)
    @rule(milliseconds=st.integers(1, 50))
    def wait(self, milliseconds: int) -> None:
        self.act(asyncio.sleep(milliseconds / 1000))

    @rule(key=st.sampled_from(["ctrl+q", "ctrl+c"]), sure=st.integers(0, 9))
    def quit(self, key: str, sure: int) -> None:
        async def act() -> None:
            if sure == 0:
                self.did()
                self.app.simulate_key(key)

        self.act(act())

    # What has to hold

    def act(self, action: Coroutine[Any, Any, None]) -> None:
        async def whole() -> None:
            await action
            await self.settle()
            if self.app._exit:
                await self._leave()
                assert self.app.return_code == 0
                self.runs.refuses = False
                await self._enter()
            elif isinstance(self.app.screen, Explorer):
                self.app.screen.follower.poll()
                await self.settle()

        self.do(whole())

    @invariant()
    def check(self) -> None:
        if self.open_:
            self.do(self._check())

    async def _check(self) -> None:
        app = self.app
        if app._exception:
            raise app._exception
        assert app.is_running
        stack = app.screen_stack
        assert stack[0] is app.explorer
        assert len({*map(id, stack)}) == len(stack) <= DEEPEST
        width, height = self.size
        assert app.size == self.size
        lines = app.screen._compositor.render_strips()
        assert len(lines) == height
        for line in lines:
            assert line.cell_length == width == sum(segment.cell_length for segment in line)
            control = [one for one in line.text if unicodedata.category(one) == "Cc"]
            assert not control, (control, line.text)
            if app.glyphs is Glyphs.ASCII and not app.screen.query(Input):  # who types é, sees it
                assert line.text.isascii(), line.text
        if app.screen is app.explorer:
            self.check_explorer([line.text for line in lines])

    def check_explorer(self, lines: list[str]) -> None:
        """Hold the picture against the run's snapshot and against what its widgets would draw."""
        explorer, snapshot = self.app.explorer, self.run.snapshot
        assert explorer.has_class("-tiny") == (self.size[0] < 60 or self.size[1] < 16)
        assert explorer.has_class("-full") == (self.size[0] >= 116 and self.size[1] >= 34)
        if not self.real:
            assert explorer.follower.shown is snapshot
            if not explorer.has_class("-tiny"):
                shown = progress(snapshot, brief=self.size[0] < 100)
                if len(shown) < self.size[0] - 8:
                    plain = self.app.glyphs is Glyphs.ASCII
                    assert (ascii_only(shown) if plain else shown) in lines[0]
            for knob in explorer.query(Knob):
                owner = snapshot.config if knob.spec.structural else snapshot.knobs
                assert knob.applied == getattr(owner, knob.spec.name)
        for canvas in explorer.query(Canvas):
            if not canvas.is_on_screen or not canvas.size:
                continue
            area = canvas.content_region
            drawn = canvas.draw(*canvas.size)[: area.height]
            for y, row in enumerate(drawn, area.y):
                text = "".join(
                    text
                    for text, _ in fitted(row, area.width, plain=self.app.glyphs is Glyphs.ASCII)
                )
                if 0 <= y < len(lines) and len(lines[y]) == self.size[0]:
                    part = lines[y][area.x : area.right]
                    assert part == text[: len(part)], canvas

    # Helpers

    @property
    def run(self) -> Run:
        return self.app.explorer.run

    def did(self, actions: int = 1) -> None:
        Sitting.actions += actions

    def own_key(self, number: int) -> str:
        """Return one of the keys that do something at the moment."""
        bound = sorted(
            key
            for key, one in self.app.screen.active_bindings.items()
            if one.binding.action not in QUIT
        )
        return bound[number % len(bound)]

    def quits(self, key: str) -> bool:
        found = self.app.screen.active_bindings.get(key)
        return bool(found and found.binding.action in QUIT)

    async def settle(self) -> None:
        """Have all messages handled and those that follow from them, and the store's answers."""
        quiet = drawn = 0
        while quiet < 3 and not (self.app._exception or self.app._exit):
            await asyncio.sleep(0)
            screen = self.app.screen
            pumps = (self.app, *self.app.screen_stack, *screen.walk_children())
            if any(not pump._message_queue.empty() or pump._next_callbacks for pump in pumps):
                quiet = 0
            elif self.app.workers or self.app._resize_event or self.app._batch_count:
                quiet = 0  # a command of the palette holds drawing back for a moment
                await asyncio.sleep(0.001)
            elif screen._layout_required or screen._dirty_widgets or screen._callbacks:
                quiet, drawn = 0, drawn + 1
                assert drawn < 50, f"the screen never comes to rest at {self.size}"
                screen._on_timer_update()
            else:
                quiet += 1


def _named(key: str) -> str:
    """Return how Textual names a key."""
    from textual.keys import _character_to_key

    return _character_to_key(key) if len(key) == 1 else key


def sit(actions: int, *, thorough: bool) -> None:
    """Have at least so many actions done."""
    Sitting.actions = 0
    Sitting.trains = thorough  # what really trains is never twice the same, and CI wants to be
    options: dict[str, Any] = {} if thorough else {"derandomize": True}
    while Sitting.actions < actions:
        run_state_machine_as_test(
            Sitting,
            settings=settings(
                max_examples=max(1, (actions - Sitting.actions) // (2 * STEPS)),
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
                **options,
            ),
        )
        print(f"{Sitting.actions:,} actions", flush=True)


@pytest.fixture
def _store(tmp_path: Path) -> None:
    Sitting.template = hostile_store(tmp_path)


@pytest.mark.usefixtures("_store")
def test_nothing_a_user_does_in_some_hundred_actions_breaks_the_app() -> None:
    sit(500, thorough=False)


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.usefixtures("_store")
def test_nothing_a_user_does_breaks_the_app(request: pytest.FixtureRequest) -> None:
    sit(request.config.getoption("--actions"), thorough=True)
