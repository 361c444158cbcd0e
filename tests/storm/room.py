"""A room above mail, as any other: it registers a mailing in several steps and says who gets each."""

from django.apps import AppConfig
from django.conf import settings

from presessions.mail import registry
from presessions.mail.registry import Recipient
from tests.storm.people import address, of_mailing


class StormRoom(AppConfig):
    name = "tests.storm"
    label = "storm"

    def ready(self):
        registry.anchor("storm", "the storm")(lambda series, meeting: None)  # unknown: staff move the mailings
        registry.link_purpose("storm", path=lambda token: f"/storm/{token}/")
        for number in range(settings.STORM_MAILINGS):
            registry.mailing(
                "storm",
                step=str(number),
                label="storm",
                audience="people in the storm",
                template="mail/storm",
                days_before=("storm", 0),
                link="storm",
            )(people)


def people(mailing):
    """Everybody is in one of the steps."""
    for number in of_mailing(int(mailing.step), settings.STORM_MAILINGS, settings.STORM_LETTERS):
        yield Recipient(
            kind="person",
            id=str(number),
            to=address(number, settings.STORM_LETTERS),
            language=("en", "fr")[number % 2],
            context={"number": number},
        )
