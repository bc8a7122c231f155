"""Commands on what is kept; `cli.py` puts them beside `bntui run`."""
