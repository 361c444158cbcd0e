from django.apps import AppConfig


class ApplicationsConfig(AppConfig):
    name = "applications"

    def ready(self):
        from applications import mailings, new_meetings  # noqa: F401  each registers what it listens to or sends
