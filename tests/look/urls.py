"""A house with a front door and two windows, so that the look can be tried without the rooms."""

from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.urls import include, path

rooms = (
    [
        path("", HttpResponse, name="home"),
        path("about/", HttpResponse, name="about"),
        path("<int:number>/<iso2>/", HttpResponse, name="meeting"),
    ],
    "applications",
)
urlpatterns = [path("health/", HttpResponse), *i18n_patterns(path("", include(rooms)))]
