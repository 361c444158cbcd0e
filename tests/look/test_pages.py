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

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "static"
TEMPLATES = ROOT / "templates"
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
    assert not tree.xpath("//script[text()] | //style | //@style | //@*[starts-with(name(), 'on')]")
    assert not [
        link for link in tree.xpath("//link/@href | //@src") if not link.startswith(("/static/", "data:image/"))
    ]


def test_the_one_script_waits_for_the_page_and_brings_its_words_in_the_readers_language(rf, small_house):
    (script,) = page(rf).xpath("//script")
    assert (script.get("src"), "defer" in script.attrib) == ("/static/site.js", True)
    assert (script.get("data-here"), script.get("data-words")) == ("({1} where you are)", "Words:")


def test_the_script_is_small_and_keeps_nothing_of_what_somebody_types():
    text = (STATIC / "site.js").read_text()
    assert len(text.encode()) <= 3_000
    assert not re.search(r"localStorage|sessionStorage|indexedDB|cookie|caches|fetch\(|XMLHttpRequest|sendBeacon", text)


@pytest.mark.parametrize(("sheet", "limit"), [("site.css", 15_000), ("admin.css", 4_000), ("styleguide.css", 2_000)])
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


def test_no_rule_of_the_sheet_is_for_nothing():
    named = set(
        re.findall(r"\.([a-z][\w-]*)", re.sub(r"/\*.*?\*/|\{[^{}]*\}", "{}", (STATIC / "site.css").read_text()))
    )
    places = [*TEMPLATES.rglob("*.html"), *STATIC.glob("*.js"), *(ROOT / "applications").rglob("*.py")]
    used = " ".join(path.read_text() for path in [*places, *(ROOT / "missions").rglob("*.py")])
    assert {name for name in named if not re.search(rf"(?<![\w-]){name}(?![\w-])", used)} <= {
        "notice-error",  # of Django's messages, by their level
        "notice-success",
    }


def colours(which):
    """{name: luminance} of the light (0) or dark (1) colours, as WCAG 2 computes it."""
    text = (STATIC / "site.css").read_text()
    named = {}
    for block in re.findall(r"(?s):root \{(.*?)\}", text)[: which + 1]:  # dark ones outrank the light ones
        named |= dict(re.findall(r"--([\w-]+): #([0-9a-f]{3,6});", block))
    return {name: luminance(sign) for name, sign in named.items()}


def luminance(sign):
    sign = "".join(letter * 2 for letter in sign) if len(sign) == 3 else sign
    parts = (int(sign[place : place + 2], 16) / 255 for place in (0, 2, 4))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


GROUNDS = ("paper", "sheet", "blue-tint")
TEXTS = [(text, ground) for text in ("ink", "soft", "link", "red") for ground in GROUNDS] + [
    *(("on-band", "band"), ("gold", "band"), ("on-button", "button")),
    *((name, f"{name}-tint") for name in ("red", "green", "amber")),
    *(("ink", f"{name}-tint") for name in ("red", "green", "amber")),
    *(("link", f"{name}-tint") for name in ("red", "green", "amber")),
]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_borders_stand_out_from_what_is_behind_them(scheme):
    found = colours(scheme)
    pale = {pair: contrast(found[pair[0]], found[pair[1]]) for pair in TEXTS}
    assert {pair: ratio for pair, ratio in pale.items() if ratio < 4.5} == {}
    lines = [(line, ground) for line in ("edge", "focus", "button") for ground in ("paper", "sheet")]
    faint = {pair: contrast(found[pair[0]], found[pair[1]]) for pair in lines}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < 3} == {}


@pytest.mark.parametrize(
    ("language", "reviewed", "said"), [("en", ["en"], 0), ("ar", ["en"], 1), ("ar", ["en", "ar"], 0)]
)
def test_a_text_on_safety_says_that_its_translation_awaits_review(rf, settings, small_house, language, reviewed, said):
    settings.REVIEWED_LANGUAGES = reviewed
    request = rf.get(f"/{language}/about/")
    with translation.override(language):
        request.resolver_match = resolve(request.path)
        tree = html.fromstring(f"<div>{render_to_string('_not_reviewed.html', {}, request)}</div>")
    assert tree.xpath(".//a/@href") == ["/en/about/"] * said


@pytest.mark.parametrize(("shown", "status"), [(True, 200), (False, 404)])
@pytest.mark.django_db
def test_the_styleguide_is_shown_only_where_settings_say_so(client, settings, shown, status):
    settings.STYLEGUIDE = shown
    assert client.get("/en/styleguide/").status_code == status


@pytest.mark.django_db
def test_the_styleguide_shows_each_component_with_its_markup(client, settings):
    settings.STYLEGUIDE = True
    tree = html.document_fromstring(client.get("/ar/styleguide/?errors").content)
    assert tree.get("dir") == "rtl"
    markup = " ".join(pre.text_content() for pre in tree.iter("pre"))
    for name in ("button", "tag tag-late", "notice", "task-list", "summary-list", "steps", "states", "data", "field"):
        assert f'class="{name}"' in markup
    assert "<progress" in markup
    assert tree.xpath("//*[@class='error-summary']")
