"""The contract checks that plugin authors run."""
