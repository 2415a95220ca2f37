"""Where ciphertext and sealed metadata lie. Nothing here can open any of it."""
