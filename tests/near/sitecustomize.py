"""Python imports this at its start where this folder stands in PYTHONPATH: tests/connections.py puts it there."""

import near

near.begin()
