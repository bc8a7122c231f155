"""What a terminal would act on, in names and texts that others wrote."""

import re

HOSTILE = "\x1b[31mred\x1b]0;title\x07\r\n\0[bold]loud[/bold]\u202eback\x9b2J" + "long" * 2500
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
