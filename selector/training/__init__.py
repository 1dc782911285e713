"""What runs inside a worker: the only place beside plugins that imports Keras."""
