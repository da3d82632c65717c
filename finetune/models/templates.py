"""Chat templates for model folders that hold none, by the model_type of their config.json.

A film stands where the processor of the family looks for it; it is widened to its image tokens there.
"""


def chatml(image: str) -> str:
    """Return the template of models trained on ChatML, with `image` (a text in Jinja) for each film."""
    return (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n"
        "{% if message.content is string %}{{ message.content }}"
        "{% else %}{% for part in message.content %}"
        "{% if part.type == 'image' %}" + image + "{% else %}{{ part.text }}{% endif %}"
        "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )


# The conversation of Vicuna v1.5, which LLaVA was trained on.
VICUNA = (
    "{% for message in messages %}"
    "{% if message.role == 'user' %}USER: {% elif message.role == 'assistant' %}ASSISTANT: {% endif %}"
    "{% for part in message.content %}"
    "{% if part.type == 'image' %}<image>\n{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% if message.role == 'assistant' %}</s>{% else %} {% endif %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
_QWEN_VL = chatml("<|vision_start|><|image_pad|><|vision_end|>")
DEFAULT_TEMPLATES = {
    "qwen2_vl": _QWEN_VL,
    "qwen2_5_vl": _QWEN_VL,
    "qwen3_vl": _QWEN_VL,
    "internvl": chatml("<IMG_CONTEXT>\n"),
    "llava": VICUNA,
    "llava_onevision": chatml("<image>"),
}
