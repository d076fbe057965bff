"""The demo: the whole monitor on an embedded broker, watching a simulated shop."""
