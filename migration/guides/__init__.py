"""What an owner changes in the mail program, once the new password works."""
