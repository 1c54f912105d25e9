"""The rules: each looks at reports as they are and says what contradicts what, and on what evidence."""
