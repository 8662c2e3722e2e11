"""Runs contracts in processes and shards, stores results, and takes a data set through the whole pipeline."""
