"""Hostile model files by the thousand, and the commands that must survive them.

bases        small whole models of every kind
archives     zip and .npy files that lie
headers      JSON that lies
contents     arrays that lie, in a file that is otherwise well made
flips        damage by bytes, as disks and networks do it
commands     everything that opens a model
running      forked workers: time, memory, exit codes, what must never happen
"""
