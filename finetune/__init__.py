"""The training: base models, QLoRA, generation and runs. Imports xray; torch is imported only where it is used."""

import logging

# On CPUs with AVX512-BF16 bitsandbytes looks for a kernel on a hub as soon as it is imported, by whichever library, and
# warns where the packages for that are not installed. It works without.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
