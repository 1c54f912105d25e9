"""`python -m pipeline.cli` is `dateline`, whether it is installed or not."""

from pipeline.cli import main

main()
