from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApplicationsConfig(AppConfig):
    name = "applications"
    verbose_name = _("Applications")

    def ready(self):
        # Each registers what it listens to or sends.
        from django.contrib.sessions.models import Session

        from applications import cleaning, mailings, new_meetings, retention, visits  # noqa: F401

        Session.get_session_store_class = classmethod(lambda _model: visits.SessionStore)  # who reads a row reads ours
