"""What the desk writes: who may be told what, in which words, as which bytes. Sends nothing."""
