"""`make bench`: every benchmark, or those named: `python -m benchmarks mail`. What came out: docs/performance.md."""

import importlib
import sys

ALL = ["pages", "applying", "lists", "mail", "mailing", "tick", "on_time", "memory", "links", "enumeration"]

for name in sys.argv[1:] or ALL:
    importlib.import_module(f"benchmarks.{name}").main()
