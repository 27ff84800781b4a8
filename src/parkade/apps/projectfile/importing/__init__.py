"""Files of other tools for the same, turned into parkade.yaml; what is not carried over is told."""
