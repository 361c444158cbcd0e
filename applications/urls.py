"""Addresses of the public pages. Room: applications; stands under the language's prefix."""

urlpatterns = []
