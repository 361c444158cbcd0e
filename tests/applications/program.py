"""The program of the sandbox in this process, for tests that ask it hundreds of small things."""

import importlib
import sys

from applications import sandbox


def load():
    """Its module `door`, with everything that it may need."""
    sys.path.insert(0, str(sandbox.PROGRAM))
    try:
        door = importlib.import_module("door")
        for names in door.NEEDED.values():
            for name in names:
                importlib.import_module(name)
    finally:
        sys.path.remove(str(sandbox.PROGRAM))
    return door
