"""What all reports share: tables, messages, pictures and the written forms of a run."""
