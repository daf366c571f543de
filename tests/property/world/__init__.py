"""The parts of the world machine: a trusted model, users who change tables, the product among faults."""
