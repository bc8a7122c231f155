"""Notes that a terminal would act on."""

HOSTILE = "\x1b[31mred\x1b]0;title\x07 [bold]loud[/bold]\r\n\0 \u202eback %s '); DROP TABLE runs;--"
