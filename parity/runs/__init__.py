"""Contracts in processes and shards, results as files, and a data set on its way through the whole pipeline."""
