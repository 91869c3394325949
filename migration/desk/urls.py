"""Addresses of the staff desk, below /staff/."""

from django.urls import path

from . import bans, cases, logins, plan, provisioning, reviews, views

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
    path("domains/<int:pk>/pause/", plan.pause, name="pause"),
    path("domains/<int:pk>/resume/", plan.resume, name="resume"),
    path("domains/<int:pk>/plan/", plan.show, name="plan"),
    path("domains/<int:pk>/plan/change/", plan.change, name="plan_change"),
    path("domains/<int:pk>/remind/", plan.remind, name="remind"),
    path("domains/<int:pk>/cut-over/", plan.cut_over, name="cut_over"),
    path("domains/<int:pk>/cut-over/undo/", plan.undo_cut_over, name="undo_cut_over"),
    path("domains/<int:pk>/finish/", plan.finish, name="finish"),
    path("pause/", plan.pause_all, name="pause_all"),
    path("resume/", plan.resume_all, name="resume_all"),
    path("domains/<int:pk>/provisioning/", provisioning.show, name="provisioning"),
    path("domains/<int:pk>/provisioning/progress/", provisioning.progress, name="provisioning_progress"),
    path("domains/<int:pk>/provisioning/check/", provisioning.check, name="provisioning_check"),
    path("domains/<int:pk>/provisioning/start/", provisioning.start, name="provisioning_start"),
    path("reviews/", reviews.reviews, name="reviews"),
    path("domains/<int:pk>/review/", reviews.review, name="review"),
    path("domains/<int:pk>/review/send/", reviews.send, name="review_send"),
    path("domains/<int:pk>/review/again/", reviews.again, name="review_again"),
    path("domains/<int:pk>/review/revoke/", reviews.revoke, name="review_revoke"),
    path("domains/<int:pk>/review/harmless/", reviews.apply_harmless, name="review_harmless"),
    path("answers/<int:pk>/apply/", reviews.apply, name="answer_apply"),
    path("answers/<int:pk>/leave/", reviews.leave, name="answer_leave"),
    path("mailboxes/<int:pk>/", views.mailbox, name="mailbox"),
    path("mailboxes/<int:pk>/invite/", views.invite_one, name="invite_one"),
    path("mailboxes/<int:pk>/remind/", plan.remind_one, name="remind_one"),
    path("mailboxes/<int:pk>/reopen/", views.reopen, name="reopen"),
    path("mailboxes/<int:pk>/revoke/", views.revoke, name="revoke"),
    path("mailboxes/<int:pk>/retry-push/", views.retry_push, name="retry_push"),
    path("mailboxes/<int:pk>/exclude/", views.exclude, name="exclude"),
    path("mailboxes/<int:pk>/include/", views.include, name="include"),
]
