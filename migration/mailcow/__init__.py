"""The target: mailcow's API, read strictly and used with care. No ORM, no Django."""
