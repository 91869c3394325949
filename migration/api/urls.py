"""Addresses of the API for machines, below /api/."""

from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from .door import nothing_here
from .views import api

nothing = csrf_exempt(nothing_here)

urlpatterns = [
    path("v1/", nothing),
    path("v1/", api.urls),
    re_path(r"", nothing, name="api_nothing_here"),
]
