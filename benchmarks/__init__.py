"""How fast, on this machine. What depends on the machine is a ratio to something plain, taken in the same run."""
