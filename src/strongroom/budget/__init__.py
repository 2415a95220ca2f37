"""How much may be disclosed: exact sliding windows over documents, bytes and distinct patients. Fails closed."""
