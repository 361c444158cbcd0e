"""A view that does nothing, as Django's first page has it."""

from django.http import HttpResponse
from django.urls import path


def bare(request):
    return HttpResponse("Hello, world.")


urlpatterns = [path("", bare), path("health/live", bare)]
