"""Who may do what: six groups that `migrate` makes, with no right that the role does not need."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from presessions import roles
from presessions.accounts.models import User
from tests.accounts.factories import StaffFactory

pytestmark = pytest.mark.django_db


def somebody(*names):
    user = StaffFactory(is_superuser=False)
    user.groups.set(Group.objects.filter(name__in=names))
    return User.objects.get(pk=user.pk)


def test_migrate_makes_the_six_roles():
    assert set(Group.objects.values_list("name", flat=True)) == {role.name for role in roles.ROLES}
    assert len(roles.ROLES) == 6


def test_every_right_that_a_role_names_exists():
    assert roles.missing() == set()


def test_a_group_changed_by_hand_is_given_its_rights_back():
    reader = Group.objects.get(name="Reader")
    reader.permissions.set(Permission.objects.filter(codename="reveal"))
    call_command("migrate", verbosity=0)
    assert somebody("Reader").get_all_permissions() == roles.called("Reader").rights


@pytest.mark.parametrize(
    ("right", "who"),
    [
        ("applications.view_application", {"Reader", "Reviewer", "Series lead", "Safety officer", "Administrator"}),
        ("applications.read_document", {"Reviewer", "Series lead", "Safety officer", "Administrator"}),
        ("applications.assess", {"Reviewer", "Series lead", "Safety officer", "Administrator"}),
        ("applications.decide", {"Series lead", "Administrator"}),
        ("applications.compose", {"Series lead", "Administrator"}),
        ("applications.enter", {"Series lead", "Administrator"}),
        ("applications.export", {"Series lead", "Administrator"}),
        ("applications.reveal", {"Safety officer"}),
        ("applications.view_contact", {"Series lead", "Administrator"}),
        ("missions.change_permanentmission", {"Mission desk", "Administrator"}),
        ("mail.change_mailing", {"Series lead", "Mission desk", "Administrator"}),
        ("mail.view_letter", {"Series lead", "Administrator"}),
        ("trail.view_event", {"Safety officer", "Administrator"}),
        ("accounts.change_user", {"Administrator"}),
        ("accounts.delete_user", set()),  # people are made inactive: the trail needs their number
        ("auth.change_group", set()),  # rights stand in the source
        ("applications.delete_application", set()),  # erased, with a reason, by a step of its own
    ],
)
def test_a_right_is_held_by_those_whose_work_needs_it(right, who):
    assert {role.name for role in roles.ROLES if somebody(role.name).has_perm(right)} == who


def test_a_reader_changes_nothing():
    assert {right.split(".")[1].split("_")[0] for right in roles.called("Reader").rights} == {"view"}


def test_the_mission_desk_sees_no_application():
    assert not {right for right in roles.called("Mission desk").rights if right.startswith("applications.")}


def test_two_roles_of_one_person_add_up():
    both = roles.called("Reviewer").rights | roles.called("Mission desk").rights
    assert somebody("Reviewer", "Mission desk").get_all_permissions() == both
