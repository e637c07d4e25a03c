"""Whole-array steps that know nothing of text: sorting keys, runs of rows, hash tables, threads, memory.

`disk_array` keeps columns of any length in files; `run_folder` is the folder that holds them while a program runs.
May import: errors.
"""
