"""Evidence of copying: runs of tokens that a text shares with a corpus."""
