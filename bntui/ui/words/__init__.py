"""Every word on the screen, explained: a sentence, and its formula with the run's own numbers in it."""
