"""States under the UN's names: printed, sorted and found in six languages."""

import re

import pytest
from django.utils import translation

from presessions.upr.models import State
from presessions.upr.names import LANGUAGES, fold, initial, place, printable
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


@pytest.mark.parametrize(
    "language, names",
    [
        ("fr", ["Égypte", "Espagne", "États-Unis d’Amérique", "Zimbabwe"]),
        ("es", ["Ecuador", "Egipto", "España", "Estonia"]),
        ("ru", ["Израиль", "Иордания", "Италия", "Йемен", "Кабо-Верде", "Эквадор", "Япония"]),
        (
            "ar",
            ["الاتحاد الروسي", "إثيوبيا", "الأرجنتين", "ألبانيا", "ألمانيا", "بابوا غينيا الجديدة", "البحرين", "اليمن"],
        ),
        ("zh-hans", ["阿富汗", "埃及", "法国", "菲律宾", "斐济", "芬兰", "南苏丹", "瑙鲁", "尼泊尔", "中国"]),
    ],
)
def test_a_list_of_states_has_the_order_of_its_language(language, names):
    assert sorted(names, key=lambda name: place(name, language)) == names


@pytest.mark.parametrize(
    "name, language, letter",
    [
        ("Égypte", "fr", "E"),
        ("Йемен", "ru", "Й"),
        ("Эфиопия", "ru", "Э"),
        ("الأردن", "ar", "ا"),
        ("البحرين", "ar", "ب"),
        ("جمهورية كوريا", "ar", "ج"),
        ("إيران (جمهورية - الإسلامية)", "ar", "ج"),
        ("هولندا (مملكة _)", "ar", "م"),
        ("阿曼", "zh-hans", "A"),
        ("斐济", "zh", "F"),
        ("中国", "zh", "Z"),
    ],
)
def test_the_letter_above_a_part_of_the_list_is_that_under_which_people_look(name, language, letter):
    assert initial(name, language) == letter


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_letter_stands_above_one_part_of_the_list(language):
    names = sorted((state[f"name_{language}"] for state in STATES.values()), key=lambda name: place(name, language))
    letters = [initial(name, language) for name in names]
    changes = [letter for letter, before in zip(letters, [None, *letters], strict=False) if letter != before]
    assert len(changes) == len(set(letters)) > 12


def test_the_sound_of_every_sign_that_begins_a_name_is_known():
    for state in STATES.values():
        first = bytes.fromhex(place(state["name_zh"], "zh")[:4])
        assert 0xB0 <= first[0] <= 0xD7, f"{state['name_zh']} begins with a sign beyond the first level of GB 2312"
