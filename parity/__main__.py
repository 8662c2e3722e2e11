"""`python -m parity` is the `parity` command."""

if __name__ == "__main__":  # a process that is spawned imports this file too, and needs no command
    from parity.cli import main

    main()
