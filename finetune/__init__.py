"""The training: base models, QLoRA, generation and runs. Imports xray; torch is imported only where it is used."""
