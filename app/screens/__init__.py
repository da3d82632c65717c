"""The pages, as functions that `main` gives to the navigation.

Not called `pages`: Streamlit runs the files of a folder with that name beside the script as pages of their own.
"""
