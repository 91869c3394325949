"""The owner's door: sign in, set the password, see that it works, read what to change in the mail program."""

from django.urls import path

from . import views

app_name = "accounts"

urlpatterns = [
    path("", views.sign_in, name="sign_in"),
    path("s/<slug:locator>", views.link, name="link"),
    path("again", views.again, name="again"),
    path("again/asked", views.asked, name="asked"),
    path("password", views.set_password, name="password"),
    path("done", views.done, name="done"),
    path("done/state", views.done_state, name="state"),
    path("guide", views.guide, name="guide"),
    path("sign-out", views.sign_out, name="sign_out"),
    path("theme.css", views.theme, name="theme"),
]
