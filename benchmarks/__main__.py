"""`make bench`: every benchmark, or those named: `python -m benchmarks mail`."""

import importlib
import sys

ALL = ["mail", "tick", "links", "enumeration", "on_time", "lists"]

for name in sys.argv[1:] or ALL:
    importlib.import_module(f"benchmarks.{name}").main()
