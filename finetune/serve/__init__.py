"""A trained model in use: a dialogue in the terminal, and an HTTP server with the interface of OpenAI's."""
