"""The commands of `xray`, one module each: options, and what is told on standard error."""
