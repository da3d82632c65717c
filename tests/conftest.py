"""Settings of all tests: a property test is judged by its outcome, not by how long one example took."""

from hypothesis import settings

settings.register_profile("kit", deadline=None, print_blob=True)
settings.load_profile("kit")
