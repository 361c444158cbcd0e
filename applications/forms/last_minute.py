"""A deadline in a form of staff. Room: applications."""

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime

from presessions.upr.dates import GENEVA, last_minute, minutes_after


class LastMinuteField(forms.SplitDateTimeField):
    """A deadline typed and read as the last minute, as people say it, and kept as the first instant too late."""

    widget = AdminSplitDateTime

    def prepare_value(self, value):
        return last_minute(value) if hasattr(value, "astimezone") else value  # what was typed comes back as it is

    def has_changed(self, initial, data):
        return super().has_changed(self.prepare_value(initial), data)

    def compress(self, data_list):
        typed = super().compress(data_list)
        try:
            return typed and minutes_after(typed, 1).astimezone(GENEVA)
        except OverflowError as error:
            raise forms.ValidationError(self.error_messages["invalid_date"], code="invalid_date") from error
