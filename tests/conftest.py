"""Settings of all tests: a property test is judged by its outcome, not by how long one example took."""

import os

from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:  # workers share the cores: a torch that takes them all waits for the others
    os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("kit", deadline=None, print_blob=True)
settings.load_profile("kit")
