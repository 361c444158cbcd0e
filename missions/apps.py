from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MissionsConfig(AppConfig):
    name = "missions"
    verbose_name = _("Permanent Missions")

    def ready(self):
        # They register what this room sends, to how many, and what it forgets.
        from missions import checking, confirming, mailings, passing_on, retention, together, work  # noqa: F401
