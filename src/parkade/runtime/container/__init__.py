"""The programs inside a worker.

`python -m parkade.runtime.container --socket PATH --model-dir DIR` serves one model;
`python -m parkade.runtime.container.multi --socket PATH --models-dir DIR` serves those that it is
told to load.

They run under the name `parkade_container` in isolated environments as well, where nothing else
of Parkade is installed. So their modules import each other relatively and beside the standard
library only httptools and uvloop; NumPy where the model's environment has it, and psutil where
there is no /proc.
"""
