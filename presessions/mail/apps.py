from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailConfig(AppConfig):
    name = "presessions.mail"
    verbose_name = _("Mail")

    def ready(self):
        from presessions.mail import backend, schedule, steering, telling  # noqa: F401 -- they register their kinds

        schedule.listen()
        steering.listen()
