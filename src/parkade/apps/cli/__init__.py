"""The `parkade` command."""
