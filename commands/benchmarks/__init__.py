"""What `plaza bench` measures and how: an instance of its own, lanes that take turns, and the report."""
