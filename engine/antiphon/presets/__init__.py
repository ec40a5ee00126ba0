"""A TOML file becomes a plan, or an error with its line."""
