"""Hostile model files by the thousand, and the commands that must survive them.

bases        small whole models of every kind
archives     a writer of zip archives and .npy members, any field of which can lie
zip_lies     archives that lie
npy_lies     headers of arrays that lie
headers      JSON that lies
contents     arrays that lie, in a file that is otherwise well made
meanings     header and arrays that lie together, and agree
pairs        two lies in one file
flips        damage by bytes, as disks and networks do it
commands     everything that opens a model
running      forked workers: time, memory, exit codes, what must never happen
"""
