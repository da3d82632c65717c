"""Chat templates for models that were published without one, by the `model_type` of their config.json.

A template gets turns whose content is a text or a list of texts and films, as every chat template does. A film stands
where the processor of the family looks for it; it is widened to its image tokens there.
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
# MiniGPT-4's own (v0): a turn ends where the next begins, at ###.
_MINIGPT4 = (
    "{% macro text(content) %}{% if content is string %}{{ content }}{% else %}{% for part in content %}"
    "{% if part.type == 'image' %}<Img><image></Img>{% if loop.last or loop.nextitem.type != 'image' %} {% endif %}"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}{% endif %}{% endmacro %}"
    "{% if messages[0].role != 'system' %}###{% endif %}"
    "{% for message in messages %}"
    "{% if message.role == 'user' %}Human: {% elif message.role == 'assistant' %}Assistant:{% endif %}"
    "{{ text(message.content) }}###"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
# The wording of BLIP-2's demonstrations; the films stand before everything.
_QUESTION_AND_ANSWER = (
    "{% macro text(content) %}{% if content is string %}{{ content }}{% else %}{% for part in content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endif %}{% endmacro %}"
    "{% for message in messages %}{% if message.content is not string %}{% for part in message.content %}"
    "{% if part.type == 'image' %}<image>{% endif %}{% endfor %}{% endif %}{% endfor %}"
    "{% for message in messages %}"
    "{% if message.role == 'user' %}Question: {{ text(message.content) }} Answer:"
    "{% elif message.role == 'assistant' %} {{ text(message.content) }} "
    "{% else %}{{ text(message.content) }} {% endif %}"
    "{% endfor %}"
)
# Writes each turn as one text, a film as its mark: the templates of language models read nothing else.
_AS_TEXT = (
    "{% set turns = namespace(all=[]) %}"
    "{% for message in messages %}{% set turn = namespace(text='') %}"
    "{% if message.content is string %}{% set turn.text = message.content %}"
    "{% else %}{% for part in message.content %}"
    "{% set turn.text = turn.text + ('MARK\n' if part.type == 'image' else part.text) %}"
    "{% endfor %}{% endif %}"
    "{% set turns.all = turns.all + [{'role': message.role, 'content': turn.text}] %}{% endfor %}"
    "{% set messages = turns.all %}"
)
_PLAIN_TURNS = (
    "{% for message in messages %}"
    "{% if message.role == 'user' %}Question: {{ message.content }} Answer:"
    "{% else %} {{ message.content }} {% endif %}"
    "{% endfor %}"
)
_QWEN_VL = chatml("<|vision_start|><|image_pad|><|vision_end|>")
DEFAULT_TEMPLATES = {
    "minigpt4": _MINIGPT4,
    "blip-2": _QUESTION_AND_ANSWER,
    "qwen2_vl": _QWEN_VL,
    "qwen2_5_vl": _QWEN_VL,
    "qwen3_vl": _QWEN_VL,
    "internvl": chatml("<IMG_CONTEXT>\n"),
    "llava": VICUNA,
    "llava_onevision": chatml("<image>"),
}


def with_films(template: str | None, *, mark: str) -> str:
    """Return a language model's chat template, or plain questions and answers, with `mark` and a new line per film."""
    return _AS_TEXT.replace("MARK", mark) + (template or _PLAIN_TURNS)
