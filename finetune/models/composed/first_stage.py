"""BLIP-2's first stage (arXiv 2301.12597, section 3.2): a Q-Former learns from films and reports alone.

Three tasks share one network. Contrast: the best of a film's queries lies nearest its own report. Matching: a film and
a report are told to belong together or not, against the most similar wrong ones. Writing: the report from the queries,
word by word. Studies that cannot be told apart, of one patient or with one text, are never each other's wrong answer.

Shapes: B studies, P vectors of a film, Q queries, T tokens, D the Q-Former's width.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from transformers import BertModel, Blip2QFormerConfig, Blip2QFormerModel
from transformers.models.blip_2.modeling_blip_2 import Blip2TextEmbeddings

SHARED_WIDTH = 256
_FIRST_TEMPERATURE = 0.07
IGNORED = -100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Texts of a batch: `ids` and `mask` int64 [B, T], the first token the tokenizer's own; `writer` replaces it."""

    ids: torch.Tensor
    mask: torch.Tensor
    writer: int

    def take(self, rows: torch.Tensor) -> "Reports":
        """Return the texts `rows`."""
        return Reports(ids=self.ids[rows], mask=self.mask[rows], writer=self.writer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The three losses, in nats; `matching` is 0 where a batch has no wrong answer to offer."""

    contrast: torch.Tensor
    matching: torch.Tensor
    writing: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """Their sum, which is what learns."""
        return self.contrast + self.matching + self.writing


class FirstStage(nn.Module):
    """A Q-Former with a text branch and the three heads. The vision tower is frozen and outside."""

    def __init__(self, bert: BertModel, *, encoder_width: int, num_query_tokens: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        config = _qformer_config(bert, encoder_width=encoder_width)
        width = config.hidden_size
        self.config = config
        self.query_tokens = nn.Parameter(torch.randn(1, num_query_tokens, width) * config.initializer_range)
        self.embeddings = Blip2TextEmbeddings(config)
        self.qformer = Blip2QFormerModel(config)
        self.film_projection = nn.Linear(width, SHARED_WIDTH)
        self.text_projection = nn.Linear(width, SHARED_WIDTH)
        self.matching_head = nn.Linear(width, 2)
        self.writing_head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.temperature = nn.Parameter(torch.tensor(_FIRST_TEMPERATURE))
        self.load_state_dict(_from_bert(bert), strict=False)

    def losses(
        self, seen: torch.Tensor, reports: Reports, *, rivals: torch.Tensor, generator: torch.Generator
    ) -> Losses:
        """Return the losses of a batch. `seen` [B, P, D_vision]: the tower's; `rivals` bool [B, B]: wrong answers.

        `generator` (on the CPU) draws the wrong answers of the matching, the more similar the likelier.
        """
        similarity = self.similarity(seen, reports)
        allowed = rivals | torch.eye(len(rivals), dtype=torch.bool, device=rivals.device)
        scores = similarity.masked_fill(~allowed, -torch.inf)
        own = torch.arange(len(seen), device=seen.device)
        contrast = (functional.cross_entropy(scores, own) + functional.cross_entropy(scores.T, own)) / 2
        wrong_text = draw_rivals(similarity, rivals=rivals, generator=generator)
        wrong_film = draw_rivals(similarity.T, rivals=rivals.T, generator=generator)
        return Losses(
            contrast=contrast,
            matching=self._matching(seen, reports, wrong_text=wrong_text, wrong_film=wrong_film),
            writing=self._writing(seen, reports),
        )

    def similarity(self, seen: torch.Tensor, reports: Reports) -> torch.Tensor:
        """Return how near each film (rows) is to each report (columns), float [B, B], divided by the temperature."""
        queries = self.qformer(query_embeds=self._queries(len(seen)), encoder_hidden_states=seen).last_hidden_state
        words = self.qformer(
            query_embeds=self.embeddings(input_ids=reports.ids), query_length=0, attention_mask=reports.mask
        ).last_hidden_state
        films, texts = self.film_projection(queries), self.text_projection(words[:, 0])
        with torch.autocast(seen.device.type, enabled=False):  # in bfloat16 near films would be equally near
            films = functional.normalize(films.float(), dim=-1)
            texts = functional.normalize(texts.float(), dim=-1)
            nearest = torch.einsum("bqd,cd->bcq", films, texts).amax(dim=-1)
            return nearest / self.temperature.clamp(min=0.01)

    def match_logits(self, seen: torch.Tensor, reports: Reports) -> torch.Tensor:
        """Return the logits of (wrong, right) of each film with the report in its row. float [B, 2]."""
        queries = self._queries(len(seen))
        ones = reports.mask.new_ones(queries.shape[:2])
        joined = self.qformer(
            query_embeds=self.embeddings(input_ids=reports.ids, query_embeds=queries),
            query_length=queries.shape[1],
            attention_mask=torch.cat([ones, reports.mask], dim=1),
            encoder_hidden_states=seen,
        ).last_hidden_state
        logits: torch.Tensor = self.matching_head(joined[:, : queries.shape[1]]).mean(dim=1)
        return logits

    def _matching(
        self, seen: torch.Tensor, reports: Reports, *, wrong_text: torch.Tensor, wrong_film: torch.Tensor
    ) -> torch.Tensor:
        """Tell right pairs from those with a wrong report and those with a wrong film; -1: there was none to draw."""
        rows = torch.arange(len(seen), device=seen.device)
        with_text, with_film = wrong_text >= 0, wrong_film >= 0
        films = torch.cat([rows, rows[with_text], wrong_film[with_film]])
        texts = torch.cat([rows, wrong_text[with_text], rows[with_film]])
        if len(films) == len(rows):
            return seen.new_zeros(())
        right = (films == texts).long()
        return functional.cross_entropy(self.match_logits(seen[films], reports.take(texts)), right)

    def _writing(self, seen: torch.Tensor, reports: Reports) -> torch.Tensor:
        queries = self._queries(len(seen))
        begun = reports.ids.clone()
        begun[:, 0] = reports.writer
        written = self.qformer(
            query_embeds=self.embeddings(input_ids=begun, query_embeds=queries),
            query_length=queries.shape[1],
            attention_mask=_word_by_word(reports.mask, num_queries=queries.shape[1]),
            encoder_hidden_states=seen,
        ).last_hidden_state[:, queries.shape[1] :]
        logits = self.writing_head(written) @ self.embeddings.word_embeddings.weight.T
        labels = reports.ids.masked_fill(reports.mask == 0, IGNORED)
        return functional.cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten())

    def _queries(self, number: int) -> torch.Tensor:
        return self.query_tokens.expand(number, -1, -1)


def draw_rivals(similarity: torch.Tensor, *, rivals: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw for each row one of its `rivals`, the more similar the likelier. int64 [B]; -1 where a row has none."""
    possible = rivals.any(dim=1)
    weights = similarity.detach().float().masked_fill(~rivals, -torch.inf)
    weights = torch.where(possible[:, None], weights, 0.0).softmax(dim=1).cpu()
    drawn = torch.multinomial(weights, 1, generator=generator)[:, 0].to(similarity.device)
    return torch.where(possible, drawn, -1)


def _word_by_word(mask: torch.Tensor, *, num_queries: int) -> torch.Tensor:
    """Return who may look at whom, bool [B, 1, Q + T, Q + T]: queries at queries, words at queries and words before."""
    batch, words = mask.shape
    total = num_queries + words
    place = torch.arange(total, device=mask.device)
    is_query = place < num_queries
    looks = is_query[None, :] | (~is_query[:, None] & (place[None, :] <= place[:, None]))
    real = torch.cat([mask.new_ones(batch, num_queries), mask], dim=1).bool()
    return (looks[None] & real[:, None, :])[:, None]


def _qformer_config(bert: BertModel, *, encoder_width: int) -> Blip2QFormerConfig:
    """Return BERT's shape with cross-attention in every other layer, and one token more: the one that writes."""
    return Blip2QFormerConfig(
        vocab_size=bert.config.vocab_size + 1,
        hidden_size=bert.config.hidden_size,
        num_hidden_layers=bert.config.num_hidden_layers,
        num_attention_heads=bert.config.num_attention_heads,
        intermediate_size=bert.config.intermediate_size,
        max_position_embeddings=bert.config.max_position_embeddings,
        initializer_range=bert.config.initializer_range,
        layer_norm_eps=bert.config.layer_norm_eps,
        pad_token_id=bert.config.pad_token_id,
        encoder_hidden_size=encoder_width,
        use_qformer_text_input=True,
    )


def _from_bert(bert: BertModel) -> dict[str, torch.Tensor]:
    """Return BERT's weights under the Q-Former's names; the queries' own layers begin as copies of the words'."""
    state = bert.state_dict()
    words = state["embeddings.word_embeddings.weight"]
    weights = {
        "embeddings.word_embeddings.weight": torch.cat([words, words.mean(dim=0, keepdim=True)]),
        "embeddings.position_embeddings.weight": state["embeddings.position_embeddings.weight"]
        + state["embeddings.token_type_embeddings.weight"][0],  # every token is of the first kind
        "qformer.layernorm.weight": state["embeddings.LayerNorm.weight"],
        "qformer.layernorm.bias": state["embeddings.LayerNorm.bias"],
    }
    for name, tensor in state.items():
        if name.startswith("encoder.layer."):
            native = "qformer." + name.replace("attention.self.", "attention.attention.")
            weights[native] = tensor
            for part in (".intermediate.", ".output."):
                if part in native and "attention.output" not in native:
                    weights[native.replace(part, f"{part[:-1]}_query.")] = tensor.clone()
    return weights
