"""What each arm would bring next, the warm start learnt from it, and the portfolio against its members."""
