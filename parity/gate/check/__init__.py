"""The pre-merge check: from what differs to a verdict that a reviewer can trust."""
