"""Whole chat templates, written in the styles that model families use, over conversations of every kind."""

TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather of a \"city\" <now> & später", "parameters": {
    "type": "object", "properties": {"city": {"type": "string", "description": "Name"}, "unit": {"type": "string", "enum": ["C", "F"]},
                                     "days": {"type": ["integer", "null"], "default": 1}}, "required": ["city"]}}}
CALL = {"id": "call00001", "type": "function", "function": {"name": "get_weather", "arguments": {"city": "Köln", "days": 2, "deep": {"x": [1, 2.5, None, True]}}}}
USER = {"role": "user", "content": "What's the weather in \"Köln\"?\n  2 < 3 & 4 > 1  "}
BASE = {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True}

CONVERSATIONS = {
    "user": [USER],
    "system": [{"role": "system", "content": "  Be terse. "}, USER],
    "turns": [{"role": "system", "content": "S"}, USER, {"role": "assistant", "content": "Sunny."}, {"role": "user", "content": "Sure?"}],
    "think": [USER, {"role": "assistant", "content": "<think>\nhm\n</think>\n\nSunny."}, {"role": "user", "content": "Why?"}],
    "reasoning": [USER, {"role": "assistant", "reasoning_content": "I think", "content": "Sunny."}, {"role": "user", "content": "Why?"}],
    "tools": [USER, {"role": "assistant", "content": None, "tool_calls": [CALL, CALL]}, {"role": "tool", "tool_call_id": "call00001", "name": "get_weather", "content": "{\"t\": 21}"},
              {"role": "tool", "tool_call_id": "call00001", "name": "get_weather", "content": "{\"t\": 22}"}],
    "parts": [{"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}],
    "wrong": [{"role": "assistant", "content": "first"}, USER],
    "odd role": [{"role": "critic", "content": "no"}],
    "empty": [],
}

TEMPLATES = {
    "chatml": "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
              "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "chatml default system": """\
{%- if messages and messages[0].role == 'system' -%}
    {%- set system = messages[0].content | trim -%}
    {%- set rest = messages[1:] -%}
{%- else -%}
    {%- set system = 'You are a helpful assistant.' -%}
    {%- set rest = messages -%}
{%- endif -%}
<|im_start|>system
{{ system }}<|im_end|>
{% for m in rest %}
<|im_start|>{{ m.role }}
{% if m.content is string %}
{{ m.content }}
{%- else %}
    {%- for part in m.content or [] if part.type == 'text' %}
        {{- part.text }}
        {%- if not loop.last %}{{ '\\n' }}{% endif %}
    {%- endfor %}
{%- endif %}<|im_end|>
{% endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}""",
    "alternating": """\
{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}\
{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\
{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}\
{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}\
{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}\
{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}""",
    "headers": """\
{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if messages and messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\nToday Date: " + date_string + "\\n\\n" }}
{%- if tools is defined and tools is not none %}
    {{- "Tools:\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- for call in message.tool_calls %}
            {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n{"name": "' + call.function.name + '", "parameters": ' }}
            {{- call.function.arguments | tojson }}
            {{- "}<|eot_id|>" }}
        {%- endfor %}
    {%- else %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if message.content is mapping or message.content is iterable and message.content is not string %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}""",
    "reverse search": """\
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index and (loop.last or (not loop.last and reasoning_content)) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}{{- '\\n' }}{%- endif %}
                {%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
                {{- '<tool_call>\\n{"name": "' }}{{- tool_call.name }}{{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}{{- tool_call.arguments }}{%- else %}{{- tool_call.arguments | tojson }}{%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{%- endif %}
        {{- '\\n<tool_response>\\n' }}{{- content }}{{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|im_end|>\\n' }}{%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}""",
    "inst": """\
{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}{%- set tools = none %}{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS][" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}{{- '"' + key + '": "' + val + '"' }}{%- else %}{{- '"' + key + '": ' + val|tojson }}{%- endif %}
                    {%- if not loop.last %}{{- ", " }}{%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" }}{%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST]" + system_message + "\\n\\n" + message["content"] + "[/INST]" }}
        {%- else %}
            {{- "[INST]" + message["content"] + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS][" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}{{- raise_exception("Tool call IDs should be alphanumeric strings with length 9!") }}{%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" + eos_token }}{%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- message["content"] + eos_token }}
    {%- elif message["role"] == "tool_results" or message["role"] == "tool" %}
        {%- if message.content is defined and message.content.content is defined %}{%- set content = message.content.content %}{%- else %}{%- set content = message.content %}{%- endif %}
        {{- '[TOOL_RESULTS]{"content": ' + content|string + ", " }}
        {{- '"call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}""",
    "typescript": """\
{%- macro render_type(spec, required=false) -%}
    {%- if spec.type is string -%}
        {%- if spec.enum is defined -%}
            {%- for v in spec.enum -%}"{{ v }}"{{ ' | ' if not loop.last }}{%- endfor -%}
        {%- elif spec.type in ['integer', 'number'] -%}number
        {%- elif spec.type == 'array' -%}{{ render_type(spec['items']) }}[]
        {%- else -%}{{ spec.type }}{%- endif -%}
    {%- elif spec.type is iterable -%}
        {%- for t in spec.type -%}{{ render_type({'type': t}) }}{{ ' | ' if not loop.last }}{%- endfor -%}
    {%- else -%}any{%- endif -%}
{%- endmacro -%}
{%- macro render_tool(f) -%}
// {{ f.description }}
type {{ f.name }} = (_: {
{%- for name, spec in f.parameters.properties | dictsort %}

  {{ '// ' ~ spec.description if spec.description }}
  {{ name }}{{ '?' if name not in f.parameters.required }}: {{ render_type(spec) }},
    {%- if spec.default is defined %} // default: {{ spec.default | tojson }}{% endif %}
{%- endfor %}

}) => any;
{%- endmacro -%}
<|start|>system<|message|>
{%- if tools %}
namespace functions {
{% for tool in tools %}
{{ render_tool(tool.function) }}
{% endfor %}
} // namespace functions
{%- endif -%}
<|end|>
{%- for m in messages -%}
    {%- if m.role == 'assistant' and m.tool_calls -%}
        {%- for c in m.tool_calls -%}<|start|>assistant to=functions.{{ c.function.name }}<|message|>{{ c.function.arguments | tojson }}<|call|>{%- endfor -%}
    {%- elif m.role == 'tool' -%}<|start|>functions.{{ m.name }}<|message|>{{ m.content | tojson }}<|end|>
    {%- else -%}<|start|>{{ m.role }}<|message|>{{ m.content if m.content is string else (m.content | map(attribute='text') | join('')) }}<|end|>
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|start|>assistant{%- endif -%}""",
    "xml": """\
{% set extra = ['type', 'description'] %}
{% macro dump(d, skip) %}
{% for k in d if k not in skip %}
{% if d[k] is mapping or (d[k] is sequence and d[k] is not string) %}
<{{ k }}>{{ d[k] | tojson | safe }}</{{ k }}>
{% else %}
<{{ k }}>{{ d[k] | string }}</{{ k }}>
{% endif %}
{% endfor %}
{% endmacro %}
{% for tool in tools or [] %}
{% set f = tool.function %}
<function name="{{ f.name | e }}">
{% for name, p in f.parameters.properties.items() %}
<parameter>
<name>{{ name }}</name>
{% if p.type is defined %}<type>{{ p.type }}</type>
{% endif %}
{{ dump(p, extra) }}</parameter>
{% endfor %}
</function>
{% endfor %}
{% for m in messages %}
[{{ m.role | upper }}] {% generation %}{{ m.content | default('(none)', true) | string | trim }}{% endgeneration %}

{% for call in m.tool_calls | default([]) %}
{% for k, v in call.function.arguments | items %}
  {{ k }} = {{ v if v is string else v | tojson }}
{% endfor %}
{% endfor %}
{% endfor %}
{{ '[ASSISTANT]' if add_generation_prompt }}""",
    "simple roles": "{% for m in messages %}{% if m.role == 'user' %}<|user|>\n{{ m.content }}{{ eos_token }}\n{% elif m.role == 'system' %}<|system|>\n{{ m.content }}{{ eos_token }}\n"
                    "{% elif m.role == 'assistant' %}<|assistant|>\n{{ m.content }}{{ eos_token }}\n{% else %}{{ raise_exception('Unknown role: ' ~ m.role) }}{% endif %}"
                    "{% if loop.last and add_generation_prompt %}<|assistant|>{% endif %}{% endfor %}",
}


def cases():
    for template_name, template in TEMPLATES.items():
        for name, messages in CONVERSATIONS.items():
            context = dict(BASE, messages=messages)
            if name in ("tools", "system"):
                context["tools"] = [TOOL]
            if name == "turns":
                context["add_generation_prompt"] = False
            if name == "think":
                context["enable_thinking"] = False
            yield f"chat {template_name}, {name}", template, context
