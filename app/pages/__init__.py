"""The two pages, as functions that `main` gives to the navigation."""
