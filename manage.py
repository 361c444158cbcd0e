#!/usr/bin/env python
"""Django's command line for Pre-sessions. `make run` and `make test` need none of it by hand."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "presessions.settings")
    from django.core.management import execute_from_command_line

    from presessions.management.commands import new_keyset
    from presessions.refusals import Refused

    if sys.argv[1:2] == ["new_keyset"]:  # makes what the settings ask for, so it cannot wait for them
        new_keyset.Command().run_from_argv(sys.argv)
        sys.exit()
    try:
        execute_from_command_line(sys.argv)
    except Refused as why:
        sys.exit(str(why))
