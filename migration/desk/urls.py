"""Addresses of the staff desk, below /staff/."""

from django.urls import path

from . import bans, cases, logins, provisioning, views

app_name = "desk"

urlpatterns = [
    path("", views.domains, name="domains"),
    path("search/", views.search, name="search"),
    path("cases/", cases.cases, name="cases"),
    path("cases/<int:pk>/", cases.case, name="case"),
    path("cases/<int:pk>/close/", cases.close, name="case_close"),
    path("logins/", logins.still_on_source, name="logins"),
    path("logins/csv/", logins.still_on_source_csv, name="logins_csv"),
    path("bans/", bans.banned, name="bans"),
    path("bans/lift/", bans.lift, name="lift_ban"),
    path("domains/<int:pk>/", views.domain, name="domain"),
    path("domains/<int:pk>/announce/", views.announce, name="announce"),
    path("domains/<int:pk>/invite/", views.invite, name="invite"),
    path("domains/<int:pk>/pause/", views.pause, name="pause"),
    path("domains/<int:pk>/resume/", views.resume, name="resume"),
    path("domains/<int:pk>/provisioning/", provisioning.show, name="provisioning"),
    path("domains/<int:pk>/provisioning/progress/", provisioning.progress, name="provisioning_progress"),
    path("domains/<int:pk>/provisioning/check/", provisioning.check, name="provisioning_check"),
    path("domains/<int:pk>/provisioning/start/", provisioning.start, name="provisioning_start"),
    path("mailboxes/<int:pk>/", views.mailbox, name="mailbox"),
    path("mailboxes/<int:pk>/invite/", views.invite_one, name="invite_one"),
    path("mailboxes/<int:pk>/reopen/", views.reopen, name="reopen"),
    path("mailboxes/<int:pk>/revoke/", views.revoke, name="revoke"),
    path("mailboxes/<int:pk>/retry-push/", views.retry_push, name="retry_push"),
    path("mailboxes/<int:pk>/exclude/", views.exclude, name="exclude"),
    path("mailboxes/<int:pk>/include/", views.include, name="include"),
]
