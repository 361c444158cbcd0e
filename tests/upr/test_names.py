"""States under the UN's names: printed, sorted and found in six languages."""

import re

import pytest
from django.utils import translation

from presessions.upr.models import State
from presessions.upr.names import LANGUAGES, fold, printable
from tests.upr.factories import CODES, STATES, StateFactory


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Côte d'Ivoire", "cote divoire"),
        ("Côte d’Ivoire", "cote divoire"),
        ("Türkiye", "turkiye"),
        ("Éthiopie", "ethiopie"),
        ("the Gambia", "gambia"),
        ("Netherlands (Kingdom of the)", "netherlands kingdom of"),
        ("Guinea-Bissau", "guinea bissau"),
        ("Lesotho", "lesotho"),  # "the" only as a word of its own
        ("Российская Федерация", "россииская федерация"),
        ("  ", ""),
    ],
)
def test_names_are_folded_before_they_are_compared(name, folded):
    assert fold(name) == folded


@pytest.mark.parametrize(
    ("listed", "printed"),
    [
        ("هولندا (مملكة _)", "مملكة هولندا"),
        ("إيران (جمهورية - الإسلامية)", "جمهورية إيران الإسلامية"),
        ("بوليفيا (دولة - المتعددة القوميات)", "دولة بوليفيا المتعددة القوميات"),
        ("Netherlands (Kingdom of the)", "Netherlands (Kingdom of the)"),
        ("Guinea-Bissau", "Guinea-Bissau"),
    ],
)
def test_a_sorting_mark_gives_way_to_the_name(listed, printed):
    assert printable(listed) == printed


@pytest.mark.parametrize("iso2", CODES)
def test_no_name_is_printed_with_a_sorting_mark(iso2):
    state = State(**STATES[iso2])
    assert not any(re.search(r"_|[(][^)]*( -|- )", state.name_in(language)) for language in LANGUAGES)


def test_the_name_comes_in_the_active_language_and_else_in_english():
    state = State(name_en="Germany", name_fr="Allemagne")
    with translation.override("fr"):
        assert (state.name, str(state)) == ("Allemagne", "Allemagne")
    with translation.override("fr-ch"):
        assert state.name == "Allemagne"
    with translation.override("es"):
        assert state.name == "Germany"
    with translation.override(None):
        assert state.name == "Germany"


def test_the_formal_name_has_its_article_and_else_the_short_name_stands():
    gambia = State(**STATES["GM"])
    assert gambia.formal_name_in("en") == "the Republic of the Gambia"
    assert gambia.formal_name_in("fr") == "la République de Gambie"
    assert gambia.formal_name_in("ru") == gambia.name_ru


@pytest.mark.django_db
def test_e_with_an_accent_sorts_with_e_and_not_after_z():
    for iso2 in ("ZW", "ET", "EE", "FR", "CI", "TR"):
        StateFactory(iso2=iso2)
    french = [state.name_fr for state in State.objects.sorted_by_name("fr")]
    assert french == ["Côte d'Ivoire", "Estonie", "Éthiopie", "France", "Türkiye", "Zimbabwe"]
    by_database = State.objects.order_by("name_fr").values_list("name_fr", flat=True)
    assert by_database[5] == "Éthiopie", "the trap: the database compares bytes"


@pytest.mark.django_db
def test_states_come_in_english_order_when_nothing_else_is_said():
    for iso2 in ("NL", "TR", "CI", "TV", "CR"):
        StateFactory(iso2=iso2)
    assert [state.iso2 for state in State.objects.all()] == ["CR", "CI", "NL", "TR", "TV"]


@pytest.mark.django_db
def test_all_states_are_sorted_with_one_query(calendar, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert len(State.objects.sorted_by_name("ar")) == 193
