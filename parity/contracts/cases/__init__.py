"""The inputs that a contract is tried on: specifications drawn by seed, and the arrays simulated from them."""
