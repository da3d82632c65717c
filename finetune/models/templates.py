"""Chat templates for models that were published without one, by `model_type`.

A template gets turns whose content is a text or a list of texts and films, as every chat template does.
"""

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
DEFAULT_TEMPLATES: dict[str, str] = {
    "minigpt4": _MINIGPT4,
    "blip-2": _QUESTION_AND_ANSWER,
}
