"""The course: its contents, and a page for each lesson."""
