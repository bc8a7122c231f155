"""What a file is by how it begins, whatever it is called."""

import re
from pathlib import Path

from bntui.core.regular_file import open_regular

HEAD = 512
"""Bytes that are looked at; a tar archive says what it is at byte 257."""
IMAGES = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "GIF": rb"GIF8[79]a",
    "WEBP": rb"RIFF....WEBP",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "BMP": rb"BM....\0\0\0\0",
    "PPM": rb"P[1-6]\s+[#\d]",
}
"""The images that are read, as Pillow calls their formats."""
OTHER_KINDS = {
    "an AVIF image": rb"....ftypavi[fs]",
    "a HEIC image": rb"....ftyp(hei|hev|mif|msf)",
    "a video": rb"....ftyp|RIFF....AVI |\x1aE\xdf\xa3",
    "a JPEG 2000 image": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "a JPEG XL image": rb"\0\0\0\x0cJXL |\xff\x0a",
    "a Photoshop image": rb"8BPS",
    "an SVG drawing": rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg|<svg)",
    "a page of HTML": rb"(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)?<(?i:!doctype html|html|head|body|title)",
    "a pointer of Git LFS in the file's place": rb"version https://git-lfs",
    "an IDX file": rb"\0\0[\x08-\x0e][\x01-\x04]",
    "a gzip file": rb"\x1f\x8b",
    "a bzip2 file": rb"BZh[1-9]",
    "an xz file": rb"\xfd7zXZ",
    "a zstd file": rb"\x28\xb5\x2f\xfd",
    "a zip archive": rb"PK(\x03\x04|\x05\x06|\x07\x08)",
    "a 7z archive": rb"7z\xbc\xaf\x27\x1c",
    "a RAR archive": rb"Rar!\x1a",
    "a tar archive": rb".{257}ustar",
    "a single NumPy array (.npy)": rb"\x93NUMPY",
    "a pickle": rb"\x80[\x02-\x05]",
    "an HDF5 file": rb"\x89HDF",
    "a MATLAB file": rb"MATLAB 5",
    "a Parquet file": rb"PAR1",
    "an SQLite file": rb"SQLite format 3",
    "a PDF": rb"%PDF",
}


def head(path: Path) -> bytes:
    """Return how a file begins. Raises OSError, also for what is no file."""
    with open_regular(path) as file:
        return file.read(HEAD)


def image_format(start: bytes) -> str:
    """Return which image that is read begins so, as Pillow calls it; nothing for no such image."""
    return next((name for name, begins in IMAGES.items() if _begins(begins, start)), "")


def known(start: bytes) -> str:
    """Return what begins so, in words that can follow "it is"; nothing where that is not known."""
    if not start:
        return "empty"
    if found := image_format(start):
        return f"a {found} image"
    for words, begins in OTHER_KINDS.items():
        if _begins(begins, start):
            return words
    return "text" if _is_text(start) else ""


def known_at(path: Path) -> str:
    """Return what the file at `path` is, as `known` does; nothing where it can't be read."""
    try:
        return known(head(path))
    except (OSError, ValueError):
        return ""


def _begins(pattern: bytes, start: bytes) -> bool:
    return re.match(pattern, start, re.DOTALL) is not None


def _is_text(start: bytes) -> bool:
    words = start.decode("utf-8", "ignore")
    return len(words.encode()) >= len(start) - 3 and all(
        letter.isprintable() or letter in "\t\r\n\ufeff" for letter in words
    )
