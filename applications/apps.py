from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApplicationsConfig(AppConfig):
    name = "applications"
    verbose_name = _("Applications")

    def ready(self):
        # Each registers what it listens to or sends.
        from applications import cleaning, mailings, new_meetings  # noqa: F401
