"""The course: what a lesson says and asks, in one object from which its page is made."""
