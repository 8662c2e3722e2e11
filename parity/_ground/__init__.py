"""What every room stands on: errors, exit codes, git, documents, this repository, what is set before a framework."""
