"""Chinese characters: which text holds any."""

import re

HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
"""One Han character: the unified ideographs with extensions A to H, and the compatibility ones (Unicode 15.1)."""
