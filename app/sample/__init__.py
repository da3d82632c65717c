"""Invented readers and reviews for the runs of `finetune sample`, so that every page has content."""
