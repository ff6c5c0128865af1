"""`python -m detector` is the command line."""

from __future__ import annotations

from detector.cli.main import main

if __name__ == "__main__":
    main()
