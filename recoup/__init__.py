"""The front door: command line, settings, local stack, simulator, replay. Open `cli/__init__.py` first."""
