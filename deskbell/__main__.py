"""``python -m deskbell``: the command line."""

from __future__ import annotations

import sys

from deskbell.ops.cli import main

if __name__ == "__main__":
    sys.exit(main())
