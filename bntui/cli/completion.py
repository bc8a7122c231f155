"""What a shell offers for the values of options: docs/setup.md says how to have it asked.

Each function gets what click hands it, and returns what may follow. Nothing here imports torch.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from bntui.core.parsers import DATASETS, OneOf, parse_data_dir, parse_dataset, parse_device

if TYPE_CHECKING:
    import click

DEVICES = ("auto", "cpu", "cuda", "mps")


def values(parse: object, incomplete: str) -> list[CompletionItem]:
    """Return the values of a setting with this parser, if there are few; or where a shell finds them."""
    if isinstance(parse, OneOf):
        return matching(parse.choices, incomplete)
    if parse is parse_device:
        return matching(DEVICES, incomplete)
    if parse is parse_dataset:
        return matching(DATASETS, incomplete) or files(incomplete)
    return [CompletionItem(incomplete, type="dir")] if parse is parse_data_dir else []


def experiments(
    _ctx: "click.Context", _param: "click.Parameter", incomplete: str
) -> list[CompletionItem]:
    """Return the names of experiments, with their titles, or else files."""
    from bntui.experiments.library import built_in

    titles = {experiment.name: experiment.title for experiment in built_in()}
    return matching(titles, incomplete, titles) or files(incomplete)


def themes(
    _ctx: "click.Context", _param: "click.Parameter", incomplete: str
) -> list[CompletionItem]:
    """Return the names of themes."""
    from bntui.ui.themes import names

    return matching(names(), incomplete)


def matching(
    names: Iterable[str], incomplete: str, helps: dict[str, str] | None = None
) -> list[CompletionItem]:
    """Return those of `names` that begin like this, with what is known of them."""
    found = (name for name in names if name.startswith(incomplete.lower()))
    return [CompletionItem(name, help=(helps or {}).get(name)) for name in found]


def files(incomplete: str) -> list[CompletionItem]:
    """Have the shell look for a file."""
    return [CompletionItem(incomplete, type="file")]
