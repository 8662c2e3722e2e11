"""What people read of a run: tables, messages, pictures and the written forms of a report."""
