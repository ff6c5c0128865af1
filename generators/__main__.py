"""Let `python -m generators` do what `generators` does."""

from __future__ import annotations

from generators.cli import main

if __name__ == "__main__":
    main()
