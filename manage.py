#!/usr/bin/env python
"""Django's command line for Pre-sessions. `make run` and `make test` need none of it by hand."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "presessions.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
