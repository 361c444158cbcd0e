"""manage.py makemessages: Django's own, for every language of the settings, those without a catalogue yet included."""

from django.conf import settings
from django.core.management.commands import makemessages
from django.utils.translation import to_locale


class Command(makemessages.Command):
    def handle(self, **options):
        languages = [to_locale(code) for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
        super().handle(**{**options, "locale": options["locale"] or languages})
