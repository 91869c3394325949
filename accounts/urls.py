"""The owner's door: sign in, set the password, see that it works, read what to change in the mail program.

Beside it the contact's: a code, and the list he checks.
"""

from django.urls import path

from . import cases, contact, contact_list, guide, phone, views

app_name = "accounts"

urlpatterns = [
    path("", views.sign_in, name="sign_in"),
    path("s/<slug:locator>", views.link, name="link"),
    path("phone", phone.phone, name="phone"),
    path("again", views.again, name="again"),
    path("again/asked", views.asked, name="asked"),
    path("password", views.set_password, name="password"),
    path("done", views.done, name="done"),
    path("done/state", views.done_state, name="state"),
    path("say", cases.say, name="say"),
    path("say/thanks", cases.said, name="said"),
    path("guide", guide.guide, name="guide"),
    path("guide/sheet", guide.sheet, name="sheet"),
    path("guide/apple.mobileconfig", guide.apple_profile, name="apple_profile"),
    path("guide/<slug:program>", guide.guide, name="guide"),
    path("guide/<slug:program>/<slug:protocol>", guide.guide, name="guide"),
    path("help", guide.for_everybody, name="help"),
    path("help/sheet", guide.sheet_for_everybody, name="help_sheet"),
    path("help/<slug:program>", guide.for_everybody, name="help"),
    path("help/<slug:program>/<slug:protocol>", guide.for_everybody, name="help"),
    path("c/<slug:locator>", contact.enter, name="contact"),
    path("review", contact_list.overview, name="review"),
    path("review/<int:pk>", contact_list.lines, name="review_lines"),
    path("review/<int:pk>/keep", contact_list.keep_used, name="review_keep"),
    path("review/submit", contact_list.submit, name="review_submit"),
    path("review/reopen", contact_list.reopen, name="review_reopen"),
    path("review/progress", contact_list.progress, name="review_progress"),
    path("review/leave", contact.leave, name="review_leave"),
    path("sign-out", views.sign_out, name="sign_out"),
    path("theme.css", views.theme, name="theme"),
]
