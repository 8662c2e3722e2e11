"""What every room stands on: errors, exit codes, git, where this repository lies, what is set before a framework."""
