"""`parkade replay`: captured requests sent once more, and what has become of the answers.

`files` reads what was captured, `sending` sends it, `report` puts together what came of it, `page` and
`views` show that, `command` is the command.
"""
