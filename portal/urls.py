"""All addresses of the portal. Owners live at the root, staff below /staff/ and /admin/."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from . import health

urlpatterns = [
    path("readyz", health.ready, name="readyz"),
    path("language", set_language, name="set_language"),
    path("staff/sign-in/", include("accounts.staff_urls")),
    path("staff/", include("accounts.desk_urls", namespace="staff")),
    path("staff/", include("migration.desk.urls", namespace="desk")),
    path("admin/", admin.site.urls),
    path("api/", include("migration.api.urls")),
    path("", include("accounts.urls", namespace="accounts")),
]

handler500 = health.failed
