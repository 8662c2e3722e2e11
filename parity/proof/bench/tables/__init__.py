"""A benchmark for people: its tables, and its pictures."""
