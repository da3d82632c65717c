"""Reader-study protocols: what a reader sees and is asked, as YAML presets; and how cases are dealt out."""
