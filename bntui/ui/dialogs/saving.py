"""Saving with one key, from every screen."""

from datetime import datetime
from pathlib import Path

from textual.app import App

from bntui.machine.places import exports_folder, make_folder, new_file


def save_and_tell(app: App[None], text: str, suffix: str) -> None:
    """Write `text` to a new file, and say where it is or why it is not."""
    try:
        app.notify(f"saved {save(text, suffix)}", markup=False)
    except OSError as error:
        reason = error.strerror or str(error)
        app.notify(f"nothing was saved: {reason}.", severity="error", markup=False)


def save(text: str, suffix: str) -> Path:
    """Write `text` to a new file that is named after this moment. Raises OSError."""
    folder = exports_folder()
    make_folder(folder)
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    for number in range(1000):
        path = folder / f"bntui-{stamp}{f'-{number}' if number else ''}.{suffix}"
        try:
            with new_file(path) as file:
                file.write(text.encode("utf-8", "backslashreplace"))
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"{path} and a thousand like it exist")
