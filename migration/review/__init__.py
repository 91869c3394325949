"""The list the customer's contact checks: the code that opens it, its lines, his answers, what staff do with them."""
