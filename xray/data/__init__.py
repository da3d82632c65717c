"""Data sets: read, split, prepare, store."""
