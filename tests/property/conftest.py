"""Properties are about results, not about time: a busy machine must not fail them."""

from hypothesis import settings

settings.register_profile("umzug", deadline=None)
settings.load_profile("umzug")
