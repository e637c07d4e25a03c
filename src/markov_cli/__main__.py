"""`python -m markov_cli`."""

from .cli.main import main

if __name__ == "__main__":
    main()
