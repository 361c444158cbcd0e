"""One test leaves nothing behind for the next."""

from django.utils import translation


def test_a_test_may_speak_french():
    translation.activate("fr")


def test_and_the_next_one_meets_english():
    assert translation.get_language() == "en"
