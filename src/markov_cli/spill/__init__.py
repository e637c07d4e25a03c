"""Arrays that are larger than memory: files in a folder of their own."""
