"""Base models behind one door."""
