"""HTTP towards others, where every microsecond of it is measured."""
