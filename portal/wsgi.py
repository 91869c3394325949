"""The WSGI application that gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

# What is loaded now stays: looking through it again and again was a twelfth of a request. A page makes some thousands
# of objects, which are mostly gone without the collector; it still looks, only less often.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
