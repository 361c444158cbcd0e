from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MissionsConfig(AppConfig):
    name = "missions"
    verbose_name = _("Permanent Missions")

    def ready(self):
        # They register what this room sends, and to how many.
        from missions import checking, confirming, mailings, passing_on, together, work  # noqa: F401
