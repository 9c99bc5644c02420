"""What happened before the demo began, made with the real core and told to the topics. Open `make.py` first."""
