from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "presessions.mail"

    def ready(self):
        from presessions.mail import backend, schedule  # noqa: F401 -- backend registers its kind

        schedule.listen()
