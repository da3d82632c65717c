"""Any vision tower and any language model, joined by a bridge of their own."""
