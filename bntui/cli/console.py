"""Rich's console, as the commands use it. Importing it loads rich."""

from rich.console import Console


class OutputConsole(Console):
    """Standard output."""

    def on_broken_pipe(self) -> None:
        """Raise the error, which tells that nobody reads; rich would end the program with 1 here."""
        raise
