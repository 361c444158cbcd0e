from io import StringIO

import pytest
from django.core.management import call_command


@pytest.fixture
def calendar(db):
    """The carried tables, loaded; the summary that was printed."""
    printed = StringIO()
    call_command("load_calendar", stdout=printed)
    return printed.getvalue()
