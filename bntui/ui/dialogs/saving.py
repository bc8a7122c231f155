"""Saving with one key, from every screen."""

from textual.app import App

from bntui.store.export.files import save


def save_and_tell(app: App[None], text: str, suffix: str) -> None:
    """Write `text` to a new file, and say where it is or why it is not."""
    try:
        app.notify(f"saved {save(text, suffix)}", markup=False)
    except OSError as error:
        reason = error.strerror or str(error)
        app.notify(f"nothing was saved: {reason}.", severity="error", markup=False)
