"""Pages for rules, disputes and reviews, of customers and of the staff."""
