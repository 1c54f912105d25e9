"""The daemon: what its processes are made of, and who watches over them."""
