"""What people read: the table of a run and the message of a failure."""
