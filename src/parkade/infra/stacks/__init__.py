"""The stacks, one module each; every one is made of constructs that stand alone."""
