"""VisualGLM-6B as a native model: it loads the published files, trains, and generates with a cache."""

from typing import Any

import torch
from torch import nn
from transformers import Blip2QFormerModel, Blip2VisionModel, Cache, DynamicCache, GenerationMixin, PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutputWithPooling, CausalLMOutputWithPast

from finetune.models.visualglm.configuration import VisualGLMConfig
from finetune.models.visualglm.text import ChatGLMModel, Places, place_answer, place_prompt

# The original's last norm of the tower is built with torch's default, whatever `eva_config` says of the others.
_LAST_NORM_EPS = 1e-5


class VisualGLMForConditionalGeneration(PreTrainedModel, GenerationMixin):
    """Films and a conversation in, the answer's logits out.

    A film fills `image_length` places of the prompt. The places hold the unknown token, as in the original; only a run
    of that many is taken for a film, so that unknown characters in a text stay text.
    """

    config_class = VisualGLMConfig
    base_model_prefix = "model"
    main_input_name = "input_ids"
    input_modalities = ("image", "text")
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_attention_backend = True
    _no_split_modules = ("ChatGLMBlock", "Blip2EncoderLayer", "Blip2QFormerLayer")
    _skip_keys_device_placement = ("past_key_values",)
    _keys_to_ignore_on_load_unexpected = (r"rotary_emb\.inv_freq",)

    def __init__(self, config: VisualGLMConfig) -> None:
        super().__init__(config)
        attention = config._attn_implementation
        vision, qformer = config.vision_config(), config.native_qformer_config()
        vision._attn_implementation = qformer._attn_implementation = attention
        self.vision_model = Blip2VisionModel(vision)
        self.vision_model.post_layernorm.eps = _LAST_NORM_EPS
        self.query_tokens = nn.Parameter(torch.zeros(config.num_queries, qformer.hidden_size))
        self.qformer = Blip2QFormerModel(qformer)
        # The original norms each layer's output where the next layer begins. The norm after the last one is its own.
        self.qformer.encoder.layer[-1].output_query.LayerNorm = nn.Identity()
        self.qformer_layernorm = nn.LayerNorm(qformer.hidden_size, eps=qformer.layer_norm_eps)
        self.projector = nn.Linear(qformer.hidden_size, config.hidden_size)
        self.transformer = ChatGLMModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            init.normal_(self.query_tokens, mean=0.0, std=self.config.initializer_range)

    def get_input_embeddings(self) -> nn.Module:
        """Return the embeddings of the text model."""
        return self.transformer.word_embeddings

    def set_input_embeddings(self, value: nn.Embedding) -> None:
        """Replace the embeddings of the text model."""
        self.transformer.word_embeddings = value

    def get_decoder(self) -> nn.Module:
        """Return the text model."""
        return self.transformer

    def get_encoder(self, modality: str | None = None) -> nn.Module:
        """Return the vision tower, the one encoder there is."""
        encoder: nn.Module = self.vision_model
        return encoder

    def get_image_features(self, pixel_values: torch.Tensor, **_: Any) -> BaseModelOutputWithPooling:
        """Return what the tower sees, [N, patches + 1, width], and as `pooler_output` the text model's view of it.

        That view is [N, image_length, text width]. `pixel_values`: [N, 3, size, size], CLIP statistics.
        """
        seen = self.vision_model(pixel_values).last_hidden_state
        queries = self.query_tokens.expand(len(seen), -1, -1)
        answers = self.qformer(query_embeds=queries, encoder_hidden_states=seen).last_hidden_state
        shown = self.projector(self.qformer_layernorm(answers))
        return BaseModelOutputWithPooling(last_hidden_state=seen, pooler_output=shown)

    def _expand_inputs_for_generation(
        self,
        expand_size: int = 1,
        is_encoder_decoder: bool = False,
        input_ids: torch.Tensor | None = None,
        **model_kwargs: Any,
    ) -> tuple[torch.Tensor | None, dict[str, Any]]:
        """Repeat each row's films as a group for its beams: two films of one row must keep their order."""
        pixels = model_kwargs.pop("pixel_values", None)
        if expand_size > 1 and pixels is not None and input_ids is not None:
            length = self.config.image_length
            places = image_places(input_ids, token_id=self.config.unk_token_id, length=length)
            counts = (places.sum(dim=1) // length).tolist()
            pixels = torch.cat([group.repeat(expand_size, 1, 1, 1) for group in pixels.split(counts)])
        input_ids, model_kwargs = super()._expand_inputs_for_generation(
            expand_size, is_encoder_decoder, input_ids, **model_kwargs
        )
        return input_ids, {**model_kwargs, "pixel_values": pixels}

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        past_key_values: Cache | None = None,
        pixel_values: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | torch.Tensor = 0,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Return logits [B, L, vocabulary], and with `labels` [B, L] the loss.

        Raises ValueError when films and image places do not match, and for a prompt without [gMASK] <sop>.
        """
        caches = self.config.use_cache and not self.training if use_cache is None else use_cache
        if past_key_values is None and caches:
            past_key_values = DynamicCache(config=self.config)
        embeddings = self.transformer.word_embeddings(input_ids)
        if pixel_values is not None:
            embeddings = self._show_films(embeddings, input_ids=input_ids, pixel_values=pixel_values)
        states = self.transformer(
            embeddings,
            places=self._places(input_ids, attention_mask=attention_mask, past_key_values=past_key_values),
            attention_mask=attention_mask,
            past_key_values=past_key_values,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(states[:, kept])
        loss = None
        if labels is not None:
            loss = self.loss_function(logits, labels, vocab_size=self.config.vocab_size, **kwargs)
        return CausalLMOutputWithPast(loss=loss, logits=logits, past_key_values=past_key_values)

    def _places(
        self, input_ids: torch.Tensor, *, attention_mask: torch.Tensor | None, past_key_values: Cache | None
    ) -> Places:
        """Place the tokens. Where the prompt ended travels with the cache, as what was seen of it does."""
        past = 0 if past_key_values is None else int(past_key_values.get_seq_length())
        prompt = getattr(past_key_values, "visualglm_prompt", None)
        if prompt is not None and past > 0:
            return place_answer(prompt, past=past, length=input_ids.shape[1])
        places = place_prompt(input_ids, attention_mask=attention_mask, config=self.config, past=past)
        if past_key_values is not None:
            past_key_values.visualglm_prompt = places.prompt
        return places

    def _show_films(
        self, embeddings: torch.Tensor, *, input_ids: torch.Tensor, pixel_values: torch.Tensor
    ) -> torch.Tensor:
        films = self.get_image_features(pixel_values).pooler_output.to(embeddings)
        places = image_places(input_ids, token_id=self.config.unk_token_id, length=self.config.image_length)
        if int(places.sum()) != films.shape[0] * films.shape[1]:
            raise ValueError(
                f"the prompts hold {int(places.sum())} image places, but {len(films)} films need "
                f"{films.shape[0] * films.shape[1]}"
            )
        return embeddings.masked_scatter(places[..., None], films)

    @staticmethod
    def create_masks_for_generate(attention_mask: torch.Tensor | None, **_: Any) -> torch.Tensor | None:
        """Leave the mask to `forward`, which knows where the prompt ends."""
        return attention_mask


def image_places(input_ids: torch.Tensor, *, token_id: int, length: int) -> torch.Tensor:
    """Return where films stand, bool [B, L]: the runs of at least `length` places that hold `token_id`."""
    held = input_ids == token_id
    if input_ids.shape[1] < length:
        return torch.zeros_like(held)
    starts = held.unfold(1, length, 1).all(-1)  # (B, L - length + 1)
    reach = nn.functional.pad(starts, (length - 1, length - 1)).unfold(1, length, 1)
    return reach.any(-1)
