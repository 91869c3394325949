"""Several at once, each on a database connection of its own."""

import threading
from collections.abc import Callable

from django.db import connection


def at_once(*errands: Callable[[], object]) -> None:
    """Run all from a common start; the first error of any of them is raised here."""
    errors: list[BaseException] = []
    start = threading.Barrier(len(errands))

    def run(errand: Callable[[], object]) -> None:
        try:
            start.wait()
            errand()
        except BaseException as error:  # noqa: BLE001 - it is raised again below, in the test's thread
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(errand,)) for errand in errands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
