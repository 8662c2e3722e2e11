"""What editors and systems leave in any folder: it is nobody's, and is passed over."""

from __future__ import annotations

import re

_LITTER = re.compile(r"\.#.*|#.*#|.*~|\..*\.sw[a-p]|4913|\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|\.nfs.*|__pycache__")


def is_litter(name: str) -> bool:
    """Whether a name is that of an editor's lock or copy, or of a system's notes on a folder."""
    return _LITTER.fullmatch(name) is not None
