"""`bntui toy`: the mechanism of batch norm, with one channel and without a network."""

import gc
import sys

import click

from bntui.cli.options import themed
from bntui.cli.terminal import refuse_without_terminal


@click.command()
@click.option("--seed", type=click.IntRange(0), default=0, help="Draws the values [0].")
@click.option("--ascii", "plain", is_flag=True, help="Draw with ASCII characters only.")
@themed
def toy(seed: int, plain: bool, theme: str | None) -> None:
    """See the mechanism: one channel, eight values a batch, no network.

    It opens at once, for it loads no torch. Turn the momentum, and watch what running statistics remember.
    """
    from bntui.ui.terminal import capabilities

    capabilities.prepare()  # before textual is imported
    if theme is not None:
        from bntui.ui.themes import known_theme

        theme = known_theme(theme)
    refuse_without_terminal("the toy")
    gc.disable()  # the app turns it on again, once there is a picture
    from bntui.machine.places import config_path
    from bntui.ui.remembered import Memory
    from bntui.ui.toy.app import play

    sys.exit(play(seed=seed, plain=plain, memory=Memory(config_path()), theme=theme))
