"""MiniGPT-4: BLIP-2's vision half and Vicuna, joined by one linear layer."""
