"""The forms of this API: what is asked and what is answered, one module for each noun."""
