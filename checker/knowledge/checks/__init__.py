"""The checks of a knowledge base, small validators in groups, and the registry that runs them."""
