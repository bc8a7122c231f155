"""`bntui experiments`: the list of guided experiments, or one of them before it runs."""

import click

from bntui.cli import completion


@click.command()
@click.argument("name", required=False, shell_complete=completion.experiments)
def experiments(name: str | None) -> None:
    """List the guided experiments, or show one before it runs.

    NAME is one of the list, its number, or a file that ends in .toml.
    """
    from bntui.cli.perform import listing, sheet
    from bntui.experiments.library import built_in, find

    click.echo(sheet(find(name)) if name else listing(built_in()))


def old_name_of(command: click.Command, name: str) -> click.Command:
    """Return a command under the name it had, which help doesn't show. For one release."""
    return click.Command(name, callback=command.callback, params=command.params, hidden=True)
