"""The door: the one process that holds keys. Everything that leaves, leaves through `door.Door`."""
