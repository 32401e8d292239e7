"""A run as one page that needs nothing else: what matters first, charts, and every finding with the visit it belongs to."""
