"""Rows a second from topic to table, and what each costs."""
