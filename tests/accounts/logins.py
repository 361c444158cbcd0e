"""Members of staff who have logged in, with both factors, without going through the pages for it.

`client.force_login(user)` does that for every test (tests/conftest.py): the person has a phone, and a proof as fresh as
can be. `forget_proof(client)` lets ten minutes pass for what asks for a fresh proof.
"""

from django.test import Client
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY

from presessions.accounts import sessions
from tests.accounts.factories import phone_of

with_password_only = Client.force_login  # Django's own: it knows nothing of a second factor


def with_both_factors(client, user, backend=None):
    """Instead of Django's own Client.force_login."""
    with_password_only(client, user, backend)
    give_second_factor(client, user)


def give_second_factor(client, user):
    """For a browser in which only the password has been given."""
    session, moment = client.session, timezone.now().timestamp()
    session[DEVICE_ID_SESSION_KEY] = phone_of(user).persistent_id
    session.update({sessions.BEGAN: moment, sessions.SEEN: moment, sessions.PROVED: moment})
    session.save()


def forget_proof(client):
    """The last proof is too old for what asks for a fresh one; the person is still logged in."""
    session = client.session
    session.pop(sessions.PROVED, None)
    session.save()
