"""Random programs with a known truth: what nanlint says about each is held against torch.

A program is a graph of `Node`s. It is written as Python source, which nanlint reads and torch runs, and it is run node
by node, where the dropped elements of each selector can be kept out of the backward pass.
"""
