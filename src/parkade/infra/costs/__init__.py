"""What the stacks cost: counted in their templates, and in what a sweep asks of AWS."""
