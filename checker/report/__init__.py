"""Results as people read them; nothing here judges."""
