"""Pages and sheets: the frame stands in every language and when a room is missing; the sheet stays small and plain."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils import translation
from lxml import html

from .forms import EveryField

STATIC = Path(__file__).parents[2] / "static"
TEMPLATES = Path(__file__).parents[2] / "templates"
PHYSICAL = re.compile(
    r"(?<![\w-])((margin|padding|border)-(left|right|top|bottom)|left|right|top|bottom|float|width|height)\s*:"
)


def page(rf, address="/en/about/", template="base.html", **context):
    request = rf.get(address)
    with translation.override(address[1:3]):
        with suppress(Resolver404):
            request.resolver_match = resolve(address)
        return html.document_fromstring(render_to_string(template, context, request))


@pytest.fixture
def small_house(settings):
    settings.ROOT_URLCONF = "tests.look.urls"


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("fr", "ltr"), ("ar", "rtl")])
def test_the_frame_says_its_language_and_direction(rf, small_house, language, direction):
    tree = page(rf, f"/{language}/")
    assert (tree.get("lang"), tree.get("dir")) == (language, direction)


def test_the_skip_link_leads_to_the_content(rf, small_house):
    tree = page(rf)
    assert tree.xpath("//body/a[1]/@href") == ["#main"]
    assert tree.xpath("//*[@id='main']")[0].tag == "main"


def test_the_language_switch_keeps_the_page(rf, small_house):
    links = page(rf, "/en/54/KE/").xpath("//*[@class='languages']//a")
    assert [(link.get("lang"), link.get("href")) for link in links] == [
        ("en", "/en/54/KE/"),
        ("fr", "/fr/54/KE/"),
        ("es", "/es/54/KE/"),
        ("ar", "/ar/54/KE/"),
        ("ru", "/ru/54/KE/"),
        ("zh-Hans", "/zh/54/KE/"),
    ]
    assert [link.get("lang") for link in links if link.get("aria-current")] == ["en"]


def test_a_page_without_languages_offers_the_home_of_each(rf, small_house):
    tree = page(rf, "/en/nowhere/", "404.html")
    homes = ["/en/", "/fr/", "/es/", "/ar/", "/ru/", "/zh/"]
    assert tree.xpath("//*[@class='languages']//a/@href") == homes


def test_an_error_comes_before_the_title(rf, small_house):
    assert page(rf, form=EveryField({})).findtext(".//title").startswith("Error: ")
    assert not page(rf, form=EveryField()).findtext(".//title").startswith("Error: ")


@pytest.mark.parametrize("template", sorted(path.name for path in TEMPLATES.glob("[45]*.html")))
@pytest.mark.parametrize("language", ["en", "fr"])
def test_error_pages_need_no_request_no_room_and_no_context(settings, template, language):
    settings.ROOT_URLCONF = "tests.look.no_urls"
    with translation.override(language):
        tree = html.document_fromstring(render_to_string(template))
    assert tree.get("lang") == language
    assert tree.findtext(".//h1")


def test_nothing_on_a_page_breaks_the_content_security_policy(rf, small_house):
    tree = page(rf, form=EveryField({}))
    assert not tree.xpath("//script | //style | //@style | //@*[starts-with(name(), 'on')]")
    assert not [link for link in tree.xpath("//link/@href | //img/@src") if not link.startswith("/static/")]


@pytest.mark.parametrize(("sheet", "limit"), [("site.css", 12_000), ("admin.css", 4_000)])
def test_a_sheet_is_small_mirrors_by_itself_and_fetches_nothing(sheet, limit):
    text = (STATIC / sheet).read_text()
    assert len(text.encode()) <= limit
    assert not PHYSICAL.search(text)
    assert "url(" not in text
    assert "@import" not in text


def test_every_colour_is_named_once_for_light_and_once_for_dark():
    text = (STATIC / "site.css").read_text()
    light, dark = re.findall(r"(?s):root \{(.*?)\}", text)
    used = set(re.findall(r"var\(--([\w-]+)\)", text))
    assert used <= set(re.findall(r"--([\w-]+):", light))
    assert set(re.findall(r"--([\w-]+):", dark)) <= set(re.findall(r"--([\w-]+):", light))
