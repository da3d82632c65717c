from finetune.models.tiny import build_tokenizer

REPORTS = ["左侧胸腔少量积液。", "右侧胸腔少量积液。", "左侧胸腔大量积液，12mm。"] * 50


def test_a_chinese_character_is_one_token_wherever_it_stands():
    tokenizer = build_tokenizer(REPORTS)
    assert [tokenizer.decode(token) for token in tokenizer.encode("右侧积液。")] == list("右侧积液。")
    left = tokenizer.encode("左")
    assert all(left[0] in tokenizer.encode(text) for text in ("左侧胸腔", "在左侧", "双侧，左侧"))


def test_text_that_was_never_seen_survives_the_tokenizer():
    tokenizer = build_tokenizer(REPORTS)
    for text in ("氣胸 2.7 cm\n（未除外）", "𠮷", "PICC管在位"):
        assert tokenizer.decode(tokenizer.encode(text)) == text
