"""Films: read, decode, render."""
