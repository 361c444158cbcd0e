"""What Django itself would show of an error, with DEBUG on or in a mail: no more than the log. Basement.

Its own report holds the value of every name in every frame, what was posted, cookies and settings. Here any of that may
be the name of somebody at risk, and one setting that is wrong for one hour must not print it."""

from django.utils.html import format_html
from django.views.debug import ExceptionReporter

from presessions.logs import told


class ErrorReport(ExceptionReporter):
    def get_traceback_text(self):
        return told(self.exc_value) if self.exc_value else ""

    def get_traceback_html(self):
        return format_html(
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Error</title><pre>{}</pre>',
            self.get_traceback_text(),
        )
