"""What the harness catches, what it never flags, and how well it names the cause: the score of the catalogue."""
