"""What is printed after each run, as Markdown: when, on which machine, and one column for each run."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path


def table(columns):
    """columns -- {heading: {what was counted: how often}}"""
    names = dict.fromkeys(name for column in columns.values() for name in column)
    lines = [["", *columns], ["---", *["---:" for _ in columns]]]
    lines += [[name.replace("  ", "… "), *(_cell(column.get(name)) for column in columns.values())] for name in names]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine():
    """In one line: when, and on what."""
    model = next((line for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ": unknown processor")
    memory = next((line for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), ": 0 kB")
    gigabytes = int(memory.split()[1]) / 2**20
    return (
        f"{datetime.now(UTC):%d %B %Y %H:%M} UTC; {os.cpu_count()} cores ({model.partition(': ')[2]}), "
        f"{gigabytes:.0f} GB, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def _lines(path):
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def _cell(value):
    return "" if value is None else f"{value:,}"
