"""BLIP-2 and what is built like it: query tokens between a vision tower and a language model."""
