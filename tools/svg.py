"""Make Rich's pictures of a screen small: the same picture in about a third of the bytes."""

import re

NO_BREAK = "\u00a0"
"""What Rich writes for a blank, as six characters; the file may have it as one."""


def slim(svg: str) -> str:
    """Return the picture without what draws nothing: fonts from elsewhere, clips of each line, blanks."""
    svg = svg.replace("&#160;", NO_BREAK)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<clipPath id="[^"]*-line-\d+">.*?</clipPath>\s*', "", svg, flags=re.DOTALL)
    svg = re.sub(r' clip-path="url\(#[^)]*-line-\d+\)"', "", svg)
    svg = re.sub(rf"<text [^>]*>{NO_BREAK}*</text>", "", svg)
    svg = re.sub(r"terminal-\d+-", "", svg)  # a picture in a page of its own needs no such prefix
    svg = svg.replace(' shape-rendering="crispEdges"', "")
    svg = svg.replace("</style>", "    g rect { shape-rendering: crispEdges }\n    </style>")
    svg = re.sub(r'="(\d+\.\d+)"', lambda found: f'="{round(float(found[1]), 1):g}"', svg)
    svg = re.sub(r"(?<=>)(?=<(?:text|rect))", "\n", svg)
    return re.sub(r"^\s+|[ \t]+$", "", svg, flags=re.MULTILINE) + "\n"
