"""Chinese report text: normalise, find findings, label."""
