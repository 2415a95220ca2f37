"""What is done when something was taken: programs that act upon a finding, each with no more than it needs."""
