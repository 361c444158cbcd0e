"""A house with a front door and two windows, so that the look can be tried without the rooms."""

from django.http import HttpResponse
from django.urls import include, path

from presessions.tongues import in_every_language

rooms = (
    [
        path("", HttpResponse, name="home"),
        path("about/", HttpResponse, name="about"),
        path("<int:number>/<iso2>/", HttpResponse, name="meeting"),
    ],
    "applications",
)
urlpatterns = [path("health/", HttpResponse), *in_every_language(path("", include(rooms)))]
