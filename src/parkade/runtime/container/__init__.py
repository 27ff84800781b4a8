"""The program inside a worker: `python -m parkade.runtime.container --socket PATH --model-dir DIR`.

It runs under the name `parkade_container` in isolated environments as well, where nothing else
of Parkade is installed. So its modules import each other relatively and beside the standard
library only httptools and uvloop; NumPy where the model's environment has it.
"""
