"""Budget, strategy, study and the workers that run trials."""
