"""`python -m parity` is the `parity` command."""

from parity._ground.search import libraries_first

libraries_first()  # before anything that a file of the working folder could stand in for; in a spawned process, too

if __name__ == "__main__":  # a process that is spawned imports this file too, and needs no command
    from parity.cli import main

    main()
