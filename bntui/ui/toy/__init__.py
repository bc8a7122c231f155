"""The mechanism of batch norm in a screen of its own: one channel, eight values a batch."""
