"""manage.py makemessages: Django's own, for every language of our letters, those without a catalogue yet included."""

from django.conf import settings
from django.core.management.commands import makemessages
from django.utils.translation import to_locale

from presessions.mail import languages


class Command(makemessages.Command):
    def handle(self, **options):
        codes = [code for code, _ in settings.MAIL_LANGUAGES if code != languages.SOURCE]
        locales = [to_locale(languages.tag(code)) for code in codes]
        super().handle(**{**options, "locale": options["locale"] or locales})
