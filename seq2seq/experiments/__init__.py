"""One claim about models a file, measured when asked."""
