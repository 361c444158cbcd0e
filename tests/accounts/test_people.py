"""The page of a member of staff: roles, a link to a password, a lost phone. Each with its line in the trail."""

from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import translation
from lxml import html

from presessions import settings as product
from presessions.accounts.models import Authenticator, User
from presessions.mail.models import Letter
from presessions.trail.models import Event
from tests.accounts.factories import StaffFactory, phone_of
from tests.accounts.logins import forget_proof

pytestmark = pytest.mark.django_db
LIST, ADD = reverse("admin:accounts_user_changelist"), reverse("admin:accounts_user_add")


@pytest.fixture
def administrator():
    user = StaffFactory(name="Ada Keller", is_superuser=False)
    user.groups.set(Group.objects.filter(name="Administrator"))
    return user


@pytest.fixture
def desk(client, administrator, settings):
    settings.EMAIL_BACKEND = product.EMAIL_BACKEND
    client.force_login(administrator)
    return client


@pytest.fixture
def ben():
    user = StaffFactory(email="ben@example.org", name="Ben Rossi", is_superuser=False)
    phone_of(user)
    return user


def page_of(user):
    return reverse("admin:accounts_user_change", args=[user.pk])


def posted(user=None, *, roles=(), **changed):
    facts = {"email": "new@example.org", "name": "Nina New", "language": "fr", "is_active": "on"}
    if user:
        facts |= {"email": user.email, "name": user.name, "language": user.language}
    return {**facts, "groups": [Group.objects.get(name=name).pk for name in roles], **changed}


def told(user):
    events = Event.objects.about(user).select_related("reason")
    return [(event.code, event.refused, getattr(getattr(event, "reason", None), "text", "")) for event in events]


def test_a_new_person_is_invited_by_mail_and_has_no_password_until_she_chooses_one(desk, administrator):
    desk.post(ADD, posted(roles=["Reviewer"]))
    nina = User.objects.get(email="new@example.org")
    assert (nina.is_staff, nina.has_usable_password(), nina.is_superuser) == (True, False, False)
    assert nina.has_perm("applications.assess") and not nina.has_perm("applications.decide")
    letter = Letter.objects.get()
    assert (letter.to, letter.language) == ("new@example.org", "fr")
    assert told(nina) == [("staff_added", False, ""), ("link_sent", False, ""), ("role_given", False, "Reviewer")]
    assert set(Event.objects.about(nina).values_list("staff_id", flat=True)) == {administrator.pk}


def test_no_two_people_share_an_address_whatever_its_case(desk, ben):
    page = desk.post(ADD, posted(email="BEN@example.org"))
    assert "is there already" in page.content.decode()


def test_roles_given_and_taken_stand_in_the_trail(desk, ben):
    desk.post(page_of(ben), posted(ben, roles=["Reviewer", "Mission desk"]))
    desk.post(page_of(ben), posted(ben, roles=["Mission desk"]))
    assert told(ben) == [
        ("role_given", False, "Mission desk"),
        ("role_given", False, "Reviewer"),
        ("role_taken", False, "Reviewer"),
    ]


def test_the_list_of_people_does_not_say_how_a_password_is_kept(desk, ben):
    """Letter by letter, what is kept of a password could be guessed from whether somebody is found."""
    for lookup in ("password__startswith", "password", "password__gte"):
        assert desk.get(LIST, {lookup: ben.password[:8]}).status_code == 400, lookup
    assert ben.email in desk.get(LIST, {"is_active__exact": 1}).content.decode()


def test_nobody_gives_herself_a_role(desk, administrator):
    """Whoever keeps the rights of others would else see behind the mask of people at risk, with one tick."""
    assert 'name="groups"' not in desk.get(page_of(administrator)).content.decode()
    desk.post(page_of(administrator), posted(administrator, roles=["Administrator", "Safety officer"], name="Ada K."))
    changed = User.objects.get(pk=administrator.pk)
    assert [group.name for group in changed.groups.all()] == ["Administrator"]
    assert (changed.name, changed.is_active) == ("Ada K.", True)


def test_people_and_roles_are_changed_by_whoever_has_just_proved_who_it_is(desk, ben):
    forget_proof(desk)
    for page in (page_of(ben), ADD):
        answer = desk.post(page, posted(ben, roles=["Safety officer"], email="other@example.org"))
        assert "Is it still you?" in answer.content.decode()
    ben.refresh_from_db()
    assert (ben.email, ben.groups.count(), told(ben)) == ("ben@example.org", 0, [])
    assert not User.objects.filter(email="other@example.org").exists()


def test_whoever_is_made_inactive_is_out_at_once(desk, ben):
    browser = desk.__class__()
    browser.force_login(ben)
    assert browser.get(reverse("admin:index")).status_code == 200
    facts = posted(ben)
    del facts["is_active"]
    desk.post(page_of(ben), facts)
    assert browser.get(reverse("admin:index")).status_code == 302
    assert told(ben)[-1] == ("deactivated", False, "")


def test_nobody_becomes_a_superuser_or_gets_a_single_right_by_the_page(desk, ben):
    desk.post(page_of(ben), posted(ben, is_superuser="on", user_permissions="1", password="x"))
    ben.refresh_from_db()
    assert (ben.is_superuser, ben.user_permissions.count(), ben.password) == (False, 0, "")


def test_an_administrator_cannot_touch_somebody_with_every_right(desk):
    owner = StaffFactory()
    phone_of(owner)
    assert desk.post(page_of(owner), posted(owner, name="x")).status_code == 403
    for name in ("reset_second_factor", "send_link", "log_out"):
        assert desk.post(reverse(f"admin:accounts_{name}", args=[owner.pk]), {"reason": "x"}).status_code == 403
    assert Authenticator.objects.filter(user=owner).exists()


def test_nobody_is_deleted(desk, ben):
    assert desk.post(reverse("admin:accounts_user_delete", args=[ben.pk]), {"post": "yes"}).status_code == 403


# --- Lost phones -----------------------------------------------------------------------------------------------------


def reset(ben):
    return reverse("admin:accounts_reset_second_factor", args=[ben.pk])


def test_a_lost_phone_is_reset_with_a_reason(desk, ben):
    desk.post(reset(ben), {"reason": "Lost on the tram; I know his voice."})
    assert not Authenticator.objects.filter(user=ben).exists()
    assert told(ben) == [("second_factor_reset", False, "Lost on the tram; I know his voice.")]
    assert "I know his voice" in desk.get(page_of(ben)).content.decode()


def test_without_a_reason_nothing_is_reset_and_the_refusal_is_noted(desk, ben):
    answer = desk.post(reset(ben), {"reason": "  "}, follow=True)
    assert "Please say why" in answer.content.decode()
    assert Authenticator.objects.filter(user=ben).exists()
    assert told(ben) == [("second_factor_reset", True, "")]


@pytest.mark.parametrize("name", ["reset_second_factor", "send_link", "log_out"])
def test_each_asks_for_a_fresh_proof(desk, ben, name):
    forget_proof(desk)
    answer = desk.post(reverse(f"admin:accounts_{name}", args=[ben.pk]), {"reason": "Lost."})
    assert "Is it still you?" in answer.content.decode()
    assert told(ben) == [] and not Letter.objects.exists()


def test_a_link_is_sent_to_whoever_asks_by_telephone(desk, ben):
    desk.post(reverse("admin:accounts_send_link", args=[ben.pk]))
    assert Letter.objects.get().to == "ben@example.org"
    assert told(ben) == [("link_sent", False, "")]


def test_no_link_leaves_for_an_account_that_is_not_active(desk, ben):
    User.objects.filter(pk=ben.pk).update(is_active=False)
    answer = desk.post(reverse("admin:accounts_send_link", args=[ben.pk]), follow=True)
    assert "first make it active" in answer.content.decode()
    assert not Letter.objects.exists()


def test_whoever_left_a_browser_open_somewhere_is_logged_out_of_all(desk, ben):
    client = Client()
    client.force_login(ben)
    assert client.get(reverse("admin:index")).status_code == 200
    desk.post(reverse("admin:accounts_log_out", args=[ben.pk]))
    assert client.get(reverse("admin:index"))["Location"].startswith(reverse("admin:login"))
    assert desk.get(page_of(ben)).status_code == 200
    assert told(ben)[-1] == ("logged_out_everywhere", False, "")


# --- To read ---------------------------------------------------------------------------------------------------------


def test_the_list_says_who_has_which_roles_and_a_phone(desk, ben):
    page = desk.get(LIST).content.decode()
    assert "Ben Rossi" in page and "Administrator" in page


def test_the_page_says_what_each_role_is_for(desk, ben):
    page = desk.get(page_of(ben)).content.decode()
    assert "Reads applications and their documents, and assesses them." in page
    assert "Phone set up on" in page


def test_roles_are_there_to_read(desk):
    reader = Group.objects.get(name="Reader")
    page = desk.get(reverse("admin:accounts_role_change", args=[reader.pk])).content.decode()
    assert "Changes nothing, opens no document." in page
    assert "applications: read" in page
    assert "Can view" not in page
    assert desk.get(reverse("admin:accounts_role_add")).status_code == 403


def test_those_without_the_right_see_no_people(client, ben):
    client.force_login(ben)
    assert [client.get(page).status_code for page in (LIST, ADD, page_of(ben))] == [403] * 3


# --- The list --------------------------------------------------------------------------------------------------------


def test_the_list_tells_moments_and_roles_as_the_rest_of_the_desk_does(desk, administrator, ben):
    ben.groups.set(Group.objects.filter(name="Reviewer"))
    User.objects.filter(pk=ben.pk).update(last_login=datetime(2026, 3, 2, 8, 5, tzinfo=UTC))
    page = desk.get(LIST).content.decode()
    assert ">2 Mar 2026 09:05</time>" in page
    assert "By roles" in page and "By groups" not in page
    found = desk.get(LIST, {"groups__id__exact": Group.objects.get(name="Reviewer").pk})
    assert [user.name for user in found.context["cl"].result_list] == ["Ben Rossi"]


def test_the_list_names_roles_in_the_language_of_its_reader(desk, administrator):
    User.objects.filter(pk=administrator.pk).update(language="fr")
    page = html.document_fromstring(desk.get(LIST).content.decode())
    with translation.override("fr"):
        named = [str(admin.site.role(group.name).words) for group in Group.objects.order_by("pk")]
    shown = [" ".join(link.text_content().split()) for link in page.xpath("//*[@id='changelist-filter']//a")]
    assert [words for words in shown if words in named] == named
