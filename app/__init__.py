"""The only place that knows Flask, click and the environment."""
