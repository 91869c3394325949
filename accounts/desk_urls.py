"""Pages of the staff desk that are about the staff and the portal itself, below /staff/."""

from django.urls import path

from . import operation, session_pages

app_name = "staff"

urlpatterns = [
    path("sessions/", session_pages.sessions, name="sessions"),
    path("sessions/<int:pk>/end/", session_pages.end, name="session_end"),
    path("sessions/others/end/", session_pages.end_others, name="sessions_end_others"),
    path("members/<int:pk>/sessions/end/", session_pages.end_all_of, name="sessions_end_all_of"),
    path("operation/", operation.operation, name="operation"),
    path("operation/breaker/close/", operation.close_breaker, name="breaker_close"),
    path("operation/restore/confirm/", operation.confirm_restore, name="restore_confirm"),
    path("operation/keys/", operation.keys_in_use, name="keys"),
    path("operation/retention/", operation.retention_due, name="retention"),
]
