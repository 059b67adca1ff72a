"""Paths and the `file:` URIs by which an editor names them."""

from __future__ import annotations

import os
from urllib.parse import quote, unquote, urlsplit


def path_of(uri: str) -> str:
    """The path of a `file:` URI; of another (an unsaved document), a name that no file has."""
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return f"<{uri}>"
    path = unquote(parts.path)
    if os.name == "nt" and path[:1] == "/":
        path = path[1:]
    return path


def uri_of(path: str) -> str:
    """The `file:` URI of an absolute path, written as `pathlib` writes it."""
    written = path.replace(os.sep, "/")
    return "file://" + quote(written if written.startswith("/") else f"/{written}", safe="/!$&'()*+,;=@~:")
