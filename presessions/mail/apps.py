from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailConfig(AppConfig):
    name = "presessions.mail"
    verbose_name = _("Mail")

    def ready(self):
        # They register their kinds and rules.
        from presessions.mail import backend, retention, schedule, steering, telling  # noqa: F401

        schedule.listen()
        steering.listen()
