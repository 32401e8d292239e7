"""The OpenAPI document of the service: what each address takes and gives."""

from __future__ import annotations

from typing import Any

from checker import __version__


def openapi() -> dict[str, Any]:
    """The document."""
    return {"openapi": "3.1.0", "info": {"title": "liangku", "version": __version__}, "paths": {}}
