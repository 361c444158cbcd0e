from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "presessions.mail"

    def ready(self):
        from presessions.mail import schedule

        schedule.listen()
