"""The command line: the only room that knows Click, prints and exits."""
