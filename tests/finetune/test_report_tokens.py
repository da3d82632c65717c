"""A head that is asked for the reports alone gives the loss that it gives for everything."""

import torch

from finetune.batch import IGNORED
from finetune.report_tokens import collate_for_loss, without_prompts


def row(prompt: int, report: int) -> dict[str, torch.Tensor]:
    ids = torch.arange(10, 10 + prompt + report)[None]
    labels = torch.cat([torch.full((1, prompt), IGNORED), ids[:, prompt:]], dim=1)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}


def test_scores_begin_one_token_before_the_first_report() -> None:
    batch = collate_for_loss([row(7, 3), row(4, 2)], pad_token_id=0, reports_only=True)
    assert batch["input_ids"].shape == (2, 10)
    assert batch["logits_to_keep"] == 7  # from the fourth token on, which foretells the second row's report
    assert batch["labels"].tolist() == [[IGNORED] * 4 + [17, 18, 19], [IGNORED, 14, 15] + [IGNORED] * 4]


def test_a_row_alone_is_asked_for_its_report() -> None:
    batch = collate_for_loss([row(7, 3)], pad_token_id=0, reports_only=True)
    assert batch["logits_to_keep"] == 4
    assert "logits_to_keep" not in collate_for_loss([row(7, 3)], pad_token_id=0, reports_only=False)


def test_labels_of_a_decoder_of_its_own_stay_whole() -> None:
    batch = {"input_ids": torch.ones(1, 9), "labels": torch.tensor([[5, 6, 7]])}
    assert without_prompts(batch) is batch
