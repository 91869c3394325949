"""Tags of the owner's pages."""
