"""What an operator sees when something happens to a channel, an account or a machine."""
