"""Answers of the warehouse as files that other programs open: whole or not at all."""
