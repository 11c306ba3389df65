"""``python -m tongzhou.cli``: the same as `tongzhou`."""

from tongzhou.cli.main import main

main()
