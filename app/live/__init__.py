"""Live generation: a film and a question to the server of a model, and its answer as it is written.

film.py     an uploaded film, rendered as the model's own
client.py   OpenAI's chat completions over HTTP, streamed       job.py   one answer, watched and stopped from a page
"""
