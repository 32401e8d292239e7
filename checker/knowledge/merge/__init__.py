"""How published lists become points of an edition: what begins, goes on, ends, or goes on at notice."""
