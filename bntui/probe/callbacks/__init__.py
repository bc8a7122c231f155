"""`bntui.watch` as a callback of libraries that have a training loop of their own.

Each module imports its library, and is imported when its callback is first asked for.
"""
