"""Whole chat templates again: what the families of 2024 to 2026 do with the language, each over conversations of every kind and the
switches that it knows. Written for this test in their manner; they are nobody's own templates."""
from template_cases_chat import BASE, CALL, CONVERSATIONS, TOOL, USER

SEARCH = {"type": "function", "function": {"name": "search", "description": "Finds documents.\nSlow.", "parameters": {
    "type": "object", "properties": {
        "queries": {"type": "array", "items": {"type": "string"}, "minItems": 1, "description": "What to look for"},
        "filter": {"type": "object", "properties": {"year": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}}}}},
                   "required": ["year"], "additionalProperties": False},
        "mode": {"type": "string", "enum": ["fast", "deep"], "default": "fast"}, "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
        "exact": {"type": "boolean", "default": False}, "score": {"type": "number", "nullable": True}},
    "required": ["queries", "filter"]}, "return": {"type": "array", "items": {"type": "number"}}}}
EMPTY = {"type": "function", "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}}}
TOOLS = [TOOL, SEARCH, EMPTY]
CALLS = [CALL, {"id": "call00002", "type": "function", "function": {"name": "search", "arguments": {
    "queries": ["a \"b\"", "<c>"], "filter": {"year": 2024, "tags": []}, "exact": True, "score": 1e-07, "limit": None}}}]
DOCUMENTS = [{"title": "Köln", "text": "A city.\nOn the Rhine."}, {"title": "Wetter", "text": "Sun & rain", "url": "http://x/?a=b"}]
MORE = {
    "two tools": [{"role": "system", "content": "Use tools."}, USER, {"role": "assistant", "content": "Let me see.", "reasoning_content": "Both.\n", "thinking": "Both.", "tool_calls": CALLS},
                  {"role": "tool", "tool_call_id": "call00001", "name": "get_weather", "content": {"t": 21, "ok": True}},
                  {"role": "tool", "tool_call_id": "call00002", "name": "search", "content": [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]},
                  {"role": "assistant", "content": "21 degrees."}, {"role": "user", "content": "And /no_think tomorrow?"}],
    "pictures": [{"role": "system", "content": [{"type": "text", "text": "S1"}, {"type": "text", "text": "S2"}]},
                 {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " what is it? "}, {"type": "video"}]},
                 {"role": "assistant", "content": [{"type": "text", "text": "A cat"}]}, USER],
    "prefill": [USER, {"role": "assistant", "content": "Sunny, ", "prefix": True}],
    "thoughts": [USER, {"role": "assistant", "content": "<think>one</think>two<think>three</think> four "}, {"role": "user", "content": "<tool_response>no</tool_response>"},
                 {"role": "assistant", "content": "\n\n</think>\n\nfive", "reasoning_content": ""}, {"role": "user", "content": ""}],
}
SWITCHES = {
    "plain": {}, "tools": {"tools": TOOLS}, "no prompt": {"add_generation_prompt": False, "tools": None},
    "thinking": {"enable_thinking": True, "thinking": True, "reasoning_effort": "high", "tools": TOOLS[1:], "xml_tools": [SEARCH], "documents": DOCUMENTS},
    "not thinking": {"enable_thinking": False, "thinking": False, "documents": DOCUMENTS[:1], "date_string": "1 Jan 2025", "builtin_tools": ["browser", "python"], "model_identity": "You are X."},
}

TEMPLATES = {
    # Macros that write a JSON schema as types, recursively, with loop.first and indentation.
    "harmony": """\
{%- macro type_of(spec, required, ind='') -%}
    {%- if spec.type == "array" -%}
        {%- if spec['items'] -%}
            {%- if spec['items']['type'] == "string" -%}{{- "string[]" }}
            {%- elif spec['items']['type'] in ("number", "integer") -%}{{- "number[]" }}
            {%- else -%}
                {%- set inner = type_of(spec['items'], required, ind) -%}
                {%- if inner == "object | object" or inner|length > 50 -%}{{- "any[]" }}{%- else -%}{{- inner + "[]" }}{%- endif -%}
            {%- endif -%}
            {%- if spec.nullable -%}{{- " | null" }}{%- endif -%}
        {%- else -%}{{- "any[]" }}{%- endif -%}
    {%- elif spec.type is defined and spec.type is iterable and spec.type is not string and spec.type is not mapping and spec.type[0] is defined -%}
        {{- spec.type | join(" | ") -}}
    {%- elif spec.anyOf or spec.oneOf -%}
        {%- for v in (spec.anyOf or spec.oneOf) -%}
            {{- type_of(v, required) -}}{%- if not loop.last -%}{{- " | " }}{%- endif -%}
        {%- endfor -%}
    {%- elif spec.type == "string" -%}
        {%- if spec.enum -%}{{- '"' + spec.enum|join('" | "') + '"' -}}{%- else -%}{{- "string" }}{%- if spec.nullable %}{{- " | null" }}{%- endif -%}{%- endif -%}
    {%- elif spec.type in ["number", "integer"] -%}{{- "number" }}
    {%- elif spec.type == "object" -%}
        {%- if spec.properties -%}
            {{- "{\\n" }}
            {%- for name, p in spec.properties.items() -%}
                {{- ind ~ "  " ~ name -}}
                {%- if name not in (spec.required or []) -%}{{- "?" }}{%- endif -%}
                {{- ": " }}{{- type_of(p, spec.required or [], ind ~ "  ") }}
                {%- if not loop.last -%}{{- "," }}{%- endif -%}{{- "\\n" }}
            {%- endfor -%}
            {{- ind ~ "}" }}
        {%- else -%}{{- "object" }}{%- endif -%}
    {%- else -%}{{- spec.type if spec.type else "any" }}{%- endif -%}
{%- endmacro -%}
{%- macro namespace_of(name, tools) -%}
    {{- "## " + name + "\\n\\nnamespace " + name + " {\\n\\n" }}
    {%- for tool in tools %}
        {%- set tool = tool.function %}
        {{- "// " + tool.description + "\\ntype " + tool.name + " = " }}
        {%- if tool.parameters and tool.parameters.properties %}
            {{- "(_: {\\n" }}
            {%- for n, p in tool.parameters.properties.items() %}
                {%- if p.description %}{{- "// " + p.description + "\\n" }}{%- endif %}
                {{- n }}
                {%- if n not in (tool.parameters.required or []) %}{{- "?" }}{%- endif %}
                {{- ": " }}{{- type_of(p, tool.parameters.required or []) }}
                {%- if p.default is defined %}
                    {%- if p.enum %}{{- ", // default: " + p.default }}{%- elif p.oneOf %}{{- "// default: " + p.default }}{%- else %}{{- ", // default: " + p.default|tojson }}{%- endif %}
                {%- endif %}
                {%- if not loop.last %}{{- ",\\n" }}{%- else %}{{- "\\n" }}{%- endif %}
            {%- endfor %}
            {{- "}) => any;\\n\\n" }}
        {%- else %}{{- "() => any;\\n\\n" }}{%- endif %}
    {%- endfor %}
    {{- "} // namespace " + name }}
{%- endmacro -%}
{%- if model_identity is not defined %}{%- set model_identity = "You are a model." %}{%- endif %}
{%- if reasoning_effort is not defined %}{%- set reasoning_effort = "medium" %}{%- endif %}
{{- "<|start|>system<|message|>" + model_identity + "\\nCurrent date: " + strftime_now("%Y-%m-%d") + "\\n\\nReasoning: " + reasoning_effort }}
{%- if builtin_tools is defined and builtin_tools|length %}
    {{- "\\n\\n# Tools\\n" }}
    {%- set available = namespace(browser=false, python=false) %}
    {%- for t in builtin_tools %}
        {%- if t == "browser" %}{%- set available.browser = true %}{%- elif t == "python" %}{%- set available.python = true %}{%- endif %}
    {%- endfor %}
    {{- available.browser ~ available.python }}
{%- endif %}
{{- "<|end|>" }}
{%- if messages[0].role == "developer" or messages[0].role == "system" %}
    {%- set developer = messages[0].content %}{%- set loop_messages = messages[1:] %}
{%- else %}{%- set developer = "" %}{%- set loop_messages = messages %}{%- endif %}
{%- if developer or tools %}
    {{- "<|start|>developer<|message|>" }}
    {%- if developer %}{{- "# Instructions\\n\\n" ~ developer ~ "\\n\\n" }}{%- endif %}
    {%- if tools -%}{{- "# Tools\\n\\n" }}{{- namespace_of("functions", tools) }}{%- endif -%}
    {{- "<|end|>" }}
{%- endif %}
{%- set last_call = namespace(name=none) %}
{%- for message in loop_messages -%}
    {%- if message.role == 'assistant' -%}
        {%- if message.content is string and ("<|channel|>analysis<|message|>" in message.content or "<|channel|>final<|message|>" in message.content) %}
            {{- raise_exception("channel tags in content") }}
        {%- endif %}
        {%- if "tool_calls" in message %}
            {%- set future = namespace(found=false) %}
            {%- for later in loop_messages[loop.index:] %}
                {%- if later.role == 'assistant' and "tool_calls" not in later %}{%- set future.found = true %}{%- endif %}
            {%- endfor %}
            {%- set call = message.tool_calls[0] %}
            {%- if call.function %}{%- set call = call.function %}{%- endif %}
            {%- if message.thinking and not future.found %}{{- "<|start|>assistant<|channel|>analysis<|message|>" + message.thinking + "<|end|>" }}{%- endif %}
            {{- "<|start|>assistant to=functions." ~ call.name ~ "<|channel|>commentary " }}
            {{- (call.content_type if call.content_type else "json") + "<|message|>" }}{{- call.arguments|tojson }}{{- "<|call|>" }}
            {%- set last_call.name = call.name %}
        {%- elif loop.last and not add_generation_prompt %}
            {{- "<|start|>assistant<|channel|>final<|message|>" ~ message.content ~ "<|return|>" }}
        {%- else %}
            {{- "<|start|>assistant<|channel|>final<|message|>" ~ message.content ~ "<|end|>" }}{%- set last_call.name = none %}
        {%- endif %}
    {%- elif message.role == 'tool' -%}
        {%- if last_call.name is none %}{{- raise_exception("a tool without a call") }}{%- endif %}
        {{- "<|start|>functions." + last_call.name }}{{- " to=assistant<|channel|>commentary<|message|>" + message.content|tojson + "<|end|>" }}
    {%- elif message.role == 'user' -%}
        {{- "<|start|>user<|message|>" ~ message.content ~ "<|end|>" }}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|start|>assistant{%- endif -%}""",
    # Python types from JSON schemas, a macro that is called with keywords and calls itself.
    "hermes": """\
{%- macro json_to_python(spec) %}
{%- set basic = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
{%- if spec.type is not defined and spec.anyOf %}{{- "Union[" }}{%- for o in spec.anyOf %}{{- json_to_python(o) }}{{- "," if not loop.last }}{%- endfor %}{{- "]" }}
{%- elif basic[spec.type] is defined %}
    {{- basic[spec.type] }}
{%- elif spec.type == "array" %}
    {{- "list[" + json_to_python(spec|items|selectattr(0, "equalto", "items")|map(attribute=1)|first) + "]" }}
{%- elif spec.type == "object" %}
    {%- if spec.additionalProperties is defined and spec.additionalProperties %}
        {{- "dict[str, " + json_to_python(spec.additionalProperties) + "]" }}
    {%- else %}{{- "dict" }}{%- endif %}
{%- elif spec.type is iterable and spec.type is not string %}
    {{- "Union[" }}{%- for t in spec.type %}{{- json_to_python({"type": t}) }}{%- if not loop.last %}{{- "," }}{%- endif %}{%- endfor %}{{- "]" }}
{%- else %}{{- "Any" }}{%- endif %}
{%- endmacro %}
{{- bos_token }}{{- "<|im_start|>system\\nTools: <tools> " }}
{%- for tool in tools or [] %}
    {%- if tool.function is defined %}{%- set tool = tool.function %}{%- endif %}
    {{- '{"type": "function", "function": ' }}
    {{- '{"name": "' + tool.name + '", "description": "' + tool.name + '(' }}
    {%- for name, p in tool.parameters.properties|items %}
        {{- name + ": " + json_to_python(p) }}{%- if not loop.last %}{{- ", " }}{%- endif %}
    {%- endfor %}
    {{- ")" }}
    {%- if tool.return is defined %}{{- " -> " + json_to_python(tool.return) }}{%- endif %}
    {{- " - " + tool.description + "\\n\\n" }}
    {%- for name, p in tool.parameters.properties|items %}
        {%- if loop.first %}{{- "    Args:\\n" }}{%- endif %}
        {{- "        " + name + "(" + json_to_python(p) + "): " + p.description|default('')|trim }}
    {%- endfor %}
    {%- if tool.return is defined and tool.return.description is defined %}{{- "\\n    Returns:\\n        " + tool.return.description }}{%- endif %}
    {{- '"' }}{{- ', "parameters": ' }}
    {%- if tool.parameters.properties | length == 0 %}{{- "{}" }}{%- else %}{{- tool.parameters|tojson }}{%- endif %}
    {{- "}}" }}{%- if not loop.last %}{{- "\\n" }}{%- endif %}
{%- endfor %}
{{- " </tools><|im_end|>\\n" }}
{%- for message in messages %}
    {%- if message.role == "user" or message.role == "system" or (message.role == "assistant" and message.tool_calls is not defined) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- for tool_call in message.tool_calls %}
            {{- '\\n<tool_call>\\n' }}
            {%- if tool_call.function is defined %}{%- set tool_call = tool_call.function %}{%- endif %}
            {{- '{' }}{{- '"name": "' + tool_call.name + '"' }}
            {%- if tool_call.arguments is defined %}{{- ', ' }}{{- '"arguments": ' }}{{- tool_call.arguments|tojson }}{%- endif %}
            {{- '}' }}{{- '\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.previtem and loop.previtem.role != "tool" %}{{- '<|im_start|>tool\\n' }}{%- endif %}
        {{- '<tool_response>\\n' }}{{- message.content }}{%- if not loop.last %}{{- '\\n</tool_response>\\n' }}{%- else %}{{- '\\n</tool_response>' }}{%- endif %}
        {%- if not loop.last and loop.nextitem.role != "tool" %}{{- '<|im_end|>' }}{%- elif loop.last %}{{- '<|im_end|>' }}{%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}""",
    # Macros before everything, defaults by tests, format() and enumeration of documents.
    "command": """\
{{ bos_token }}{%- macro document_turn(documents) -%}
<|CHATBOT|><|START_ACTION|>[
    {"tool_call_id": "0", "tool_name": "direct-injected-document", "parameters": {}}
]<|END_ACTION|>
<|SYSTEM|><|START_TOOL_RESULT|>[
    {
        "tool_call_id": "0",
        "results": {
{% for doc in documents %}
            "{{ loop.index0 }}": {{ doc|tojson }}{% if not loop.last %},
            {% endif %}
{% endfor %}

        },
        "is_error": null
    }
]<|END_TOOL_RESULT|>{%- endmacro %}
{%- macro tool_call_id_to_int(messages, tool_call_id) %}
{%- set counter = namespace(value=0) %}
{%- set seen = namespace(value=false) %}
{%- for msg in messages %}
    {%- if msg.tool_calls %}
        {%- for tool_call in msg.tool_calls %}
            {%- if tool_call.id == tool_call_id and not seen.value -%}{{ counter.value }}{%- set seen.value = true %}{%- endif %}
            {%- set counter.value = counter.value + 1 %}
        {%- endfor %}
    {%- endif %}
{%- endfor %}
{%- endmacro %}
{%- macro format_tool_message(messages, tool_msg) -%}
{   "tool_call_id": "{{ tool_call_id_to_int(messages, tool_msg.tool_call_id) }}",
    "results": {
        "0": {{ tool_msg.content|tojson }}
    },
    "is_error": null
}{%- endmacro -%}
{%- if messages and messages[0]['role']|lower == 'system' %}{%- set developer_preamble = messages[0]['content'] %}{% endif %}
{%- set tool_idx = namespace(value=0) %}
{%- set tool_ids_seen = namespace(value=[]) %}
<|SYSTEM|># Preamble
{% if tools or documents %}
You have {{ (tools or []) | length }} tools{{ ' and %d documents' % (documents | length) if documents }}.

## Available
```json
[
{% if documents %}
    {"name": "direct-injected-document", "parameters": {"type": "object"}, "responses": {"200": {"description": "{{ documents | map(attribute='title') | join('; ') }}"}}}{%- if tools %},{% endif %}

{% endif %}
{% for tool in tools %}
    {"name": "{{ tool['function']['name'] }}", "description": "{{ tool['function']['description']|replace('\\n', ' ') }}", "parameters": {{ tool['function']['parameters']|tojson }}, "responses": null}{%- if not loop.last %},{% endif %}

{% endfor %}
]
```
{% endif %}
{% if developer_preamble %}

{{ developer_preamble }}
{%- endif -%}
<|END|>
{%- set first_user = namespace(seen=false) %}
{%- for message in messages %}
    {%- if message.role|lower == 'system' and not (loop.first and developer_preamble) %}<|SYSTEM|>{{ message.content }}<|END|>
    {%- elif message.role|lower == 'user' %}<|USER|>{{ message.content }}<|END|>{%- if documents and not first_user.seen %}{{ document_turn(documents) }}{%- set first_user.seen = true %}{% endif %}
    {%- elif message.role|lower in ['assistant', 'chatbot'] %}<|CHATBOT|>{% if message.tool_calls %}<|START_THINKING|>{{ message.thinking or message.tool_plan }}<|END_THINKING|><|START_ACTION|>[
    {% for tc in message.tool_calls %}
    {"tool_call_id": "{{ tool_idx.value }}", "tool_name": "{{ tc['function']['name'] }}", "parameters": {{ tc['function']['arguments']|tojson }}}{% if not loop.last %},{% endif %}

    {% set tool_idx.value = tool_idx.value + 1 %}
    {% endfor %}
]<|END_ACTION|><|END|>{% else %}<|START_RESPONSE|>{{ message.content }}<|END_RESPONSE|><|END|>{% endif %}
    {%- elif message.role|lower == 'tool' and message.tool_call_id not in tool_ids_seen.value %}<|SYSTEM|><|START_TOOL_RESULT|>[
{{ format_tool_message(messages, message) }}
        {%- for msg in messages[loop.index0 + 1:] %}
            {%- if msg.role|lower == 'tool' %},
{{ format_tool_message(messages, msg) }}{%- set tool_ids_seen.value = tool_ids_seen.value + [msg.tool_call_id] %}
            {%- else %}{%- break %}{%- endif %}
        {%- endfor %}

]<|END_TOOL_RESULT|><|END|>
    {%- endif %}
{%- endfor %}{% if add_generation_prompt %}<|CHATBOT|>{% endif %}""",
    # A namespace with many switches that one pass sets and the next one reads.
    "deep": """\
{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% if not thinking is defined %}{% set thinking = false %}{% endif %}\
{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='', is_first_sp=true, is_last_user=false) %}\
{%- for message in messages %}{%- if message['role'] == 'system' %}{%- if ns.is_first_sp %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}\
{%- else %}{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + message['content'] %}{%- endif %}{%- endif %}{%- endfor %}\
{% if tools is defined and tools is not none %}{% set tool_ns = namespace(text='## Tools\\n') %}{% for tool in tools %}\
{% set tool_ns.text = tool_ns.text + '\\n### ' + tool.function.name + '\\nDescription: ' + tool.function.description + '\\n\\nParameters: ' + (tool.function.parameters | tojson) + '\\n' %}{% endfor %}\
{% set tool_ns.text = tool_ns.text + "\\nFormat: <|tool_call_begin|>{tool_call_name}<|tool_sep|>{tool_call_arguments}<|tool_call_end|>" %}{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + tool_ns.text %}{% endif %}\
{{ bos_token }}{{ ns.system_prompt }}\
{%- for message in messages %}{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{%- set ns.is_first = false -%}{%- set ns.is_last_user = true -%}{{'<|User|>' + message['content']}}{%- endif %}\
{%- if message['role'] == 'assistant' and message['tool_calls'] is defined and message['tool_calls'] is not none %}{%- if ns.is_last_user %}{{'<|Assistant|></think>'}}{%- endif %}{%- set ns.is_last_user = false -%}{%- set ns.is_first = false %}{%- set ns.is_tool = false -%}\
{%- for tool in message['tool_calls'] %}{%- set arguments = tool['function']['arguments'] if tool['function']['arguments'] is string else tool['function']['arguments']|tojson %}{%- if not ns.is_first %}{%- if message['content'] is none %}\
{{'<|calls|><|call|>'+ tool['function']['name'] + '<|sep|>' + arguments + '<|end|>'}}{%- else %}{{message['content'] + '<|calls|><|call|>' + tool['function']['name'] + '<|sep|>' + arguments + '<|end|>'}}{%- endif %}{%- set ns.is_first = true -%}\
{%- else %}{{'<|call|>'+ tool['function']['name'] + '<|sep|>' + arguments + '<|end|>'}}{%- endif %}{%- endfor %}{{'<|calls end|>' + eos_token}}{%- endif %}\
{%- if message['role'] == 'assistant' and (message['tool_calls'] is not defined or message['tool_calls'] is none) %}{%- if ns.is_last_user %}{{'<|Assistant|>'}}{%- if message['prefix'] is defined and message['prefix'] and thinking %}{{'<think>'}}{%- else %}{{'</think>'}}{%- endif %}{%- endif %}\
{%- set ns.is_last_user = false -%}{%- if ns.is_tool %}{{message['content'] + eos_token}}{%- set ns.is_tool = false -%}{%- else %}{%- set content = message['content'] -%}{%- if '</think>' in content %}{%- set content = content.split('</think>', 1)[1] -%}{%- endif %}{{content + eos_token}}{%- endif %}{%- endif %}\
{%- if message['role'] == 'tool' %}{%- set ns.is_last_user = false -%}{%- set ns.is_tool = true -%}{{'<|output|>' ~ message['content'] ~ '<|output end|>'}}{%- endif %}{%- endfor -%}\
{%- if add_generation_prompt and ns.is_last_user and not ns.is_tool %}{{'<|Assistant|>'}}{%- if not thinking %}{{'</think>'}}{%- else %}{{'<think>'}}{%- endif %}{% endif %}""",
    # System text cut at marks, /think switches, two kinds of tools, joined lists.
    "smol": """\
{%- if enable_thinking is not defined -%}{%- set enable_thinking = true -%}{%- endif -%}
{%- if enable_thinking -%}{%- set reasoning_mode = "/think" -%}{%- else -%}{%- set reasoning_mode = "/no_think" -%}{%- endif -%}
{{- "<|im_start|>system\\n" -}}
{%- if messages and messages[0].role == "system" -%}
    {%- set system_message = messages[0].content -%}
    {%- if "/no_think" in system_message -%}{%- set reasoning_mode = "/no_think" -%}{%- elif "/think" in system_message -%}{%- set reasoning_mode = "/think" -%}{%- endif -%}
    {%- set custom = system_message.replace("/no_think", "").replace("/think", "").rstrip() -%}
{%- endif -%}
{%- if "/system_override" in (system_message or "") -%}{{- custom.replace("/system_override", "").rstrip() -}}
{%- else -%}
    {{- "## Metadata\\n\\n" -}}
    {%- set today = strftime_now("%d %B %Y") -%}
    {{- "Today Date: " ~ today ~ "\\nReasoning Mode: " + reasoning_mode + "\\n\\n" -}}
    {%- if custom -%}{{- custom + "\\n\\n" -}}{%- elif reasoning_mode == "/think" -%}{{- "Think.\\n\\n" -}}{%- else -%}{{- "Answer.\\n\\n" -}}{%- endif -%}
    {%- if xml_tools or python_tools or tools -%}
        {{- "### Tools\\n\\n" -}}
        {%- if xml_tools or tools -%}
            {%- if tools -%}{%- set xml_tools = tools -%}{%- endif -%}
            {%- set ns = namespace(xml_tool_string="<tools>\\n") -%}
            {%- for tool in xml_tools[:] -%}{%- set ns.xml_tool_string = ns.xml_tool_string ~ (tool | string) ~ "\\n" -%}{%- endfor -%}
            {{- ns.xml_tool_string ~ "</tools>\\n\\n" -}}
        {%- endif -%}
        {%- if python_tools -%}{{- python_tools | join("\\n") -}}{%- endif -%}
    {%- endif -%}
{%- endif -%}
{{- "<|im_end|>\\n" -}}
{%- for message in messages -%}
    {%- set content = message.content if message.content is string else "" -%}
    {%- if message.role == "user" -%}{{ "<|im_start|>" + message.role + "\\n" + content + "<|im_end|>\\n" }}
    {%- elif message.role == "assistant" -%}
        {% generation %}
        {%- if reasoning_mode == "/think" -%}{{ "<|im_start|>assistant\\n" + content.lstrip("\\n") + "<|im_end|>\\n" }}
        {%- else -%}{{ "<|im_start|>assistant\\n" + "<think>\\n\\n</think>\\n" + content.lstrip("\\n") + "<|im_end|>\\n" }}{%- endif -%}
        {% endgeneration %}
    {%- elif message.role == "tool" -%}{{ "<|im_start|>" + "user\\n" + content + "<|im_end|>\\n" }}{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {%- if reasoning_mode == "/think" -%}{{ "<|im_start|>assistant\\n" }}{%- else -%}{{ "<|im_start|>assistant\\n" + "<think>\\n\\n</think>\\n" }}{%- endif -%}
{%- endif -%}""",
    # Tags on lines of their own, text between them, a macro for visible text, separators in tojson.
    "glm": """\
[gMASK]<sop>
{%- if tools -%}
<|system|>
# Tools
<tools>
{% for tool in tools %}
{{ tool | tojson(ensure_ascii=False) }}
{% endfor %}
</tools>{%- endif -%}
{%- macro visible_text(content) -%}
    {%- if content is string -%}
        {{- content }}
    {%- elif content is iterable and content is not mapping -%}
        {%- for item in content -%}
            {%- if item is mapping and item.type == 'text' -%}{{- item.text }}
            {%- elif item is string -%}{{- item }}{%- endif -%}
        {%- endfor -%}
    {%- else -%}{{- content }}{%- endif -%}
{%- endmacro -%}
{%- set ns = namespace(last_user_index=-1) %}
{%- for m in messages %}{%- if m.role == 'user' %}{% set ns.last_user_index = loop.index0 -%}{%- endif %}{%- endfor %}
{% for m in messages %}
{%- if m.role == 'user' -%}<|user|>
{{ visible_text(m.content) }}
{{- '/nothink' if (enable_thinking is defined and not enable_thinking and not visible_text(m.content).endswith("/nothink")) else '' -}}
{%- elif m.role == 'assistant' -%}
<|assistant|>
{%- set reasoning_content = '' %}
{%- set content = visible_text(m.content) %}
{%- if m.reasoning_content is string %}{%- set reasoning_content = m.reasoning_content %}
{%- else %}
    {%- if '</think>' in content %}
        {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
{%- endif %}
{%- if loop.index0 > ns.last_user_index and reasoning_content -%}{{ '\\n<think>' + reasoning_content.strip() + '</think>'}}{%- else -%}{{ '\\n<think></think>' }}{%- endif -%}
{%- if content.strip() -%}{{ '\\n' + content.strip() }}{%- endif -%}
{% if m.tool_calls %}
{% for tc in m.tool_calls %}
{%- if tc.function %}{%- set tc = tc.function %}{%- endif %}
{{ '\\n<tool_call>' + tc.name }}
{% set _args = tc.arguments %}
{% for k, v in _args.items() %}
<arg_key>{{ k }}</arg_key>
<arg_value>{{ v | tojson(ensure_ascii=False) if v is not string else v }}</arg_value>
{% endfor %}
</tool_call>{% endfor %}
{% endif %}
{%- elif m.role == 'tool' -%}
{%- if m.content is string -%}
{%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|observation|>' }}{%- endif %}
{{- '\\n<tool_response>\\n' }}{{- m.content }}{{- '\\n</tool_response>' }}
{%- else -%}
<|observation|>{% for tr in m.content %}

<tool_response>
{{ tr.output if tr.output is defined else tr }}
</tool_response>{% endfor -%}
{% endif -%}
{%- elif m.role == 'system' -%}
<|system|>
{{ visible_text(m.content) }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{{- '\\n<think></think>' if (enable_thinking is defined and not enable_thinking) else '' -}}{%- endif -%}""",
    # XML of a schema: keys that were not handled, join of lists, safe.
    "coder": """\
{% macro render_extra_keys(json_dict, handled_keys) %}
    {%- if json_dict is mapping %}
        {%- for json_key in json_dict if json_key not in handled_keys %}
            {%- if json_dict[json_key] is mapping or (json_dict[json_key] is sequence and json_dict[json_key] is not string) %}
                {{- '\\n<' ~ json_key ~ '>' ~ (json_dict[json_key] | tojson | safe) ~ '</' ~ json_key ~ '>' }}
            {%- else %}
                {{-'\\n<' ~ json_key ~ '>' ~ (json_dict[json_key] | string) ~ '</' ~ json_key ~ '>' }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
{% endmacro %}
{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = [] %}
{%- endif %}
{%- if tools is iterable and tools | length > 0 %}
    {{- "<|im_start|>system\\n" ~ (system_message | default('S', true)) ~ "\\n<tools>" }}
    {%- for tool in tools %}
        {%- if tool.function is defined %}
            {%- set tool = tool.function %}
        {%- endif %}
        {{- "\\n<function>\\n<name>" ~ tool.name ~ "</name>" }}
        {%- if tool.description is defined %}
            {{- '\\n<description>' ~ (tool.description | trim) ~ '</description>' }}
        {%- endif %}
        {{- '\\n<parameters>' }}
        {%- if tool.parameters is defined and tool.parameters is mapping and tool.parameters.properties is defined and tool.parameters.properties is mapping %}
            {%- for param_name, param_fields in tool.parameters.properties|items %}
                {{- '\\n<parameter>' }}
                {{- '\\n<name>' ~ param_name ~ '</name>' }}
                {%- if param_fields.type is defined %}
                    {{- '\\n<type>' ~ (param_fields.type | string) ~ '</type>' }}
                {%- endif %}
                {%- set handled_keys = ['name', 'type', 'description'] %}
                {{- render_extra_keys(param_fields, handled_keys) }}
                {{- '\\n</parameter>' }}
            {%- endfor %}
        {%- endif %}
        {% set handled_keys = ['type', 'properties'] %}
        {{- render_extra_keys(tool.parameters, handled_keys) }}
        {{- '\\n</parameters>' }}
        {%- set handled_keys = ['type', 'name', 'description', 'parameters'] %}
        {{- render_extra_keys(tool, handled_keys) }}
        {{- '\\n</function>' }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- elif system_message is defined and (system_message | trim | length) > 0 %}
    {{- "<|im_start|>system\\n" + system_message + "<|im_end|>\\n" }}
{%- endif %}
{%- for message in loop_messages %}
    {%- if message.role == "assistant" and message.tool_calls is defined and message.tool_calls is iterable and message.tool_calls | length > 0 %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content is defined and message.content is string and message.content | trim | length > 0 %}
            {{- '\\n' + message.content | trim + '\\n' }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}{%- set tool_call = tool_call.function %}{%- endif %}
            {{- '\\n<tool_call>\\n<function=' + tool_call.name + '>\\n' }}
            {%- if tool_call.arguments is defined %}
                {%- for args_name, args_value in tool_call.arguments|items %}
                    {{- '<parameter=' + args_name + '>\\n' }}
                    {%- set args_value = args_value | tojson | safe if args_value is mapping or (args_value is sequence and args_value is not string) else args_value | string %}
                    {{- args_value }}
                    {{- '\\n</parameter>\\n' }}
                {%- endfor %}
            {%- endif %}
            {{- '</function>\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.previtem and loop.previtem.role != "tool" %}{{- '<|im_start|>user\\n' }}{%- endif %}
        {{- '<tool_response>\\n' }}{{- message.content }}{{- '\\n</tool_response>\\n' }}
        {%- if not loop.last and loop.nextitem.role != "tool" %}{{- '<|im_end|>\\n' }}{%- elif loop.last %}{{- '<|im_end|>\\n' }}{%- endif %}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}""",
    # Lists that are built and joined, dictionaries with defaults, ordered keys, nested loops with else.
    "granite": """\
{%- set tools_part = namespace(lines=[]) %}
{%- if messages and messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] %}{%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = "Knowledge Cutoff Date: April 2024.\\nToday's Date: " + strftime_now('%B %d, %Y') + "." %}
    {%- if tools and documents %}{%- set system_message = system_message + " Tools and documents." %}
    {%- elif tools %}{%- set system_message = system_message + " Tools." %}
    {%- elif documents %}{%- set system_message = system_message + " Documents." %}
    {%- elif thinking %}{%- set system_message = system_message + " Thoughts." %}
    {%- else %}{%- set system_message = system_message + " Nothing." %}{%- endif %}
    {%- if 'citations' in controls and documents %}{%- set system_message = system_message + ' Cite.' %}{%- endif %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '<|start_of_role|>system<|end_of_role|>' ~ system_message ~ '<|end_of_text|>\\n' }}
{%- if tools %}
    {{- '<|start_of_role|>available_tools<|end_of_role|>' }}{{- tools | tojson(indent=4) }}{{- '<|end_of_text|>\\n' }}
    {%- set names = tools | map(attribute='function.name') | list %}{{- names | sort(reverse=true) | join(', ') }}
    {%- for tool in tools | sort(attribute='function.name') %}
        {%- for key in tool.function.parameters.required | default([], true) %}{{- key }}{{- ';' if not loop.last else '.' }}{%- else %}none{%- endfor %}
    {%- endfor %}
{%- endif %}
{%- if documents %}
    {%- for document in documents %}
        {{- '<|start_of_role|>document {"document_id": "' ~ (document.doc_id | default(loop.index)) ~ '"}<|end_of_role|>\\n' }}{{- document['text'] | indent(2) }}{{- '<|end_of_text|>\\n' }}
    {%- endfor %}
{%- endif %}
{%- for message in loop_messages %}
    {{- '<|start_of_role|>' + message['role'] + '<|end_of_role|>' }}
    {%- if message.tool_calls %}{{- '<|tool_call|>' ~ message.tool_calls | map(attribute='function') | list | tojson(sort_keys=true) }}
    {%- else %}{{- message['content'] }}{%- endif %}
    {{- '<|end_of_text|>\\n' }}
    {%- if loop.last and add_generation_prompt %}
        {{- '<|start_of_role|>assistant' }}
        {%- if controls %}{{- ' ' + controls | tojson() }}{%- endif %}
        {{- '<|end_of_role|>' }}
    {%- endif %}
{%- endfor %}""",
    # Roles through maps, whole sets in {% set %} blocks, filters on blocks, loops over filtered lists.
    "kimi": """\
{%- macro render_content(msg) -%}
    {%- set c = msg.get('content') -%}
    {%- if c is string -%}{{ c }}
    {%- elif c is not none -%}
        {% for content in c -%}
            {% if content['type'] == 'image' or 'image' in content or 'image_url' in content -%}<|media|>{% else -%}{{ content['text'] }}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
{% macro set_roles(message) -%}
    {%- set role_name = message.get('name') or message['role'] -%}
    {%- if message['role'] == 'user' -%}<|im_user|>{{ role_name }}<|im_middle|>
    {%- elif message['role'] == 'assistant' -%}<|im_assistant|>{{ role_name }}<|im_middle|>
    {%- else -%}<|im_system|>{{ role_name }}<|im_middle|>{%- endif -%}
{%- endmacro -%}
{%- macro render_toolcalls(message) -%}
    <|tool_calls_begin|>
    {%- for tool_call in message['tool_calls'] -%}
        {%- set formatted_id = tool_call['id'] -%}
        <|tool_call_begin|>{{ formatted_id }}<|argument_begin|>{% if tool_call['function']['arguments'] is string %}{{ tool_call['function']['arguments'] }}{% else %}{{ tool_call['function']['arguments'] | tojson }}{% endif %}<|tool_call_end|>
    {%- endfor -%}
    <|tool_calls_end|>
{%- endmacro -%}
{%- set ns = namespace(last_plain=-1) -%}
{%- for idx in range(messages|length - 1, -1, -1) -%}
    {%- if messages[idx]['role'] == 'assistant' and not messages[idx].get('tool_calls') -%}{%- set ns.last_plain = idx -%}{%- break -%}{%- endif -%}
{%- endfor -%}
{%- set history = messages[:ns.last_plain + 1] -%}
{%- set suffix = messages[ns.last_plain + 1:] -%}
{%- if tools -%}<|im_system|>tool_declare<|im_middle|>{{ tools | tojson(separators=(',', ':')) }}<|im_end|>{%- endif -%}
{%- if messages|length == 0 or messages[0]['role'] != 'system' -%}<|im_system|>system<|im_middle|>You are K.<|im_end|>{%- endif -%}
{%- for message in history -%}
    {{ set_roles(message) }}
    {%- if message['role'] == 'assistant' -%}<think></think>{{ render_content(message) }}{%- if message.get('tool_calls') -%}{{ render_toolcalls(message) }}{%- endif -%}
    {%- elif message['role'] == 'tool' -%}{%- set tool_call_id = message.tool_call_id -%}## Return of {{ tool_call_id }}
{{ render_content(message) }}
    {%- elif message['content'] is not none -%}{{ render_content(message) }}{%- endif -%}
    <|im_end|>
{%- endfor -%}
{%- for message in suffix -%}
    {{ set_roles(message) }}
    {%- if message['role'] == 'assistant' -%}<think>{{ message.get('reasoning_content', '') }}</think>{{ render_content(message) }}{%- if message.get('tool_calls') -%}{{ render_toolcalls(message) }}{%- endif -%}
    {%- elif message['role'] == 'tool' -%}## Return of {{ message.tool_call_id }}
{{ render_content(message) }}
    {%- elif message['content'] is not none -%}{{ render_content(message) }}{%- endif -%}
    <|im_end|>
{%- endfor -%}
{%- if add_generation_prompt -%}<|im_assistant|>assistant<|im_middle|>{%- if thinking is defined and thinking is false -%}<think></think>{%- else -%}<think>{%- endif -%}{%- endif -%}""",
    # Block sets, filter blocks, call blocks with arguments, loops with recursion, with blocks, raw, comments in odd places.
    "everything": """\
{#- a comment before -#}
{%- set header %}
  {{ bos_token }}{{ 'head' | upper }}
{%- endset -%}
{%- macro wrapped(role, open='<', close='>') -%}
{{ open ~ role ~ close }}{{ caller(role | length, kwargs.get('note', '-')) }}{{ varargs | join('+') }}{{ open ~ '/' ~ role ~ close }}
{%- endmacro -%}
{%- macro tree(node) -%}
{%- for k, v in node.items() recursive -%}
{{ '  ' * loop.depth0 }}{{ loop.depth }}.{{ loop.index }} {{ k }}{% if v is mapping %}:
{{ loop(v.items()) }}{% else %}={{ v if v is string else v | tojson }}
{% endif %}
{%- endfor -%}
{%- endmacro -%}
{{ header | trim }}
{% raw %}{{ not this }} {% nor this %}{% endraw %}

{% filter indent(2, true) %}
filtered {{ messages | length }}
second
{% endfilter %}
{% for m in messages if m.role != 'tool' %}
{%+ if loop.changed(m.role) %}[{{ loop.cycle('odd', 'even') }}]{% endif +%}
{% call(n, note) wrapped(m.role, '[', ']', 'x', 'y', note=loop.index ~ '/' ~ loop.length) -%}
{{ n }}{{ note }}{{ (m.content if m.content is string else m.content | tojson) | replace('\\n', '\\\\n') | truncate(40, true, '...', 0) }}
{%- endcall %}

{% with first = loop.first, rest = loop.revindex0 %}{{ first }}{{ rest }}{% endwith %}
{% if loop.previtem is defined and loop.nextitem is defined %}{{ loop.previtem.role }}<{{ loop.nextitem.role }}{% endif %}

{% else %}
nobody
{% endfor %}
{% for role, group in messages | groupby('role') %}
{{ role }}: {{ group | map(attribute='content') | select('string') | map('length') | sum }} of {{ group | length }}{{ ',' if not loop.last }}
{% endfor %}
{% for tool in tools or [] %}
{{ tree(tool.function) }}
{% set p = tool.function.parameters.properties %}
{{ p | dictsort | map('first') | join('|') }} {{ p.values() | selectattr('type', 'defined') | rejectattr('enum') | map(attribute='type') | map('string') | unique | join('|') }}
{{ p.keys() | list | batch(2, '-') | map('join', '/') | join(' ') }} {{ '%-10s|%5.1f|%03d' % (tool.function.name, loop.index / 3, loop.index) }}
{% endfor %}
{{ messages | selectattr('content', 'string') | map(attribute='content') | map('wordcount') | list }} {{ messages | map(attribute='role') | list | unique | sort | join }}
{{ (messages | last).role if messages }} {{ messages[-2:] | map(attribute='role') | join(',') }} {{ 1 < 2 <= messages | length < 9 }} {{ messages[::2] | length ** 2 // 3 % 4 }}
{{ 'b' if add_generation_prompt is true else 'w' if add_generation_prompt is false else none }}""",
    # The end of a line as content, system text in the first turn, pictures, alternation.
    "gemma": """\
{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\\n\\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\\n\\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}
                {{ '<start_of_image>' }}
            {%- elif item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\\n'}}
{%- endif -%}""",
    # Long conditions over several lines, message indices found in a first loop, [TOOL_CALLS] with ids.
    "tekken": """\
{%- set today = strftime_now("%Y-%m-%d") %}
{%- set default_system_message = "You are M.\\nToday is " + today + " {yesterday}." %}
{{- bos_token }}
{%- if messages and messages[0]['role'] == 'system' %}
    {%- if messages[0]['content'] is string %}{%- set system_message = messages[0]['content'] %}
    {%- else %}{%- set system_message = messages[0]['content'] | map(attribute='text') | join('\\n') %}{%- endif %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = default_system_message.replace('{yesterday}', 'x') %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '[SYSTEM_PROMPT]' + system_message + '[/SYSTEM_PROMPT]' }}
{%- set ns = namespace(index=0, last_user=-1) %}
{%- for message in loop_messages %}
    {%- if message.role == "user" %}{%- set ns.last_user = loop.index0 %}{%- endif %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none
                                              and message.tool_calls | length > 0)) %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- ns.index }}
{%- for message in loop_messages %}
    {%- if message['role'] == 'user' %}
        {%- if tools is defined and tools is not none and loop.index0 == ns.last_user %}{{- '[AVAILABLE_TOOLS]' + tools | tojson + '[/AVAILABLE_TOOLS]' }}{%- endif %}
        {%- if message['content'] is string %}{{- '[INST]' + message['content'] + '[/INST]' }}
        {%- else %}
            {{- '[INST]' }}
            {%- for block in message['content'] %}
                {%- if block['type'] == 'text' %}{{- block['text'] }}
                {%- elif block['type'] in ['image', 'image_url'] %}{{- '[IMG]' }}
                {%- else %}{{- raise_exception('Only text and image blocks are supported, not ' ~ block['type']) }}{%- endif %}
            {%- endfor %}
            {{- '[/INST]' }}
        {%- endif %}
    {%- elif message['role'] == 'assistant' %}
        {%- if message.content %}{{- message['content'] if message['content'] is string else message['content'][0]['text'] }}{%- endif %}
        {%- for tool_call in message.tool_calls or [] %}
            {%- if tool_call.id is not defined or tool_call.id is not string or tool_call.id|length != 9 %}{{- raise_exception("ids have 9 characters") }}{%- endif %}
            {{- '[TOOL_CALLS]' + tool_call['function']['name'] + '[ARGS]' }}
            {{- tool_call['function']['arguments'] if tool_call['function']['arguments'] is string else tool_call['function']['arguments'] | tojson }}
        {%- endfor %}
        {{- eos_token }}
    {%- elif message['role'] == 'tool' %}
        {{- '[TOOL_RESULTS]' ~ message.tool_call_id ~ '[TOOL_CONTENT]' ~ message['content'] ~ '[/TOOL_RESULTS]' }}
    {%- elif message['role'] == 'system' %}{{- '[SYSTEM_PROMPT]' ~ message['content'] ~ '[/SYSTEM_PROMPT]' }}
    {%- else %}{{- raise_exception('Only user, system, assistant and tool roles are supported!') }}{%- endif %}
{%- endfor %}""",
    # Strings built character by character, nested ternaries, format() of a dict, content of every type.
    "minimax": """\
{%- macro visible(content) -%}
{%- if content is string -%}{{ content }}{%- elif content is none or content is undefined -%}{%- elif content is mapping -%}{{ content | dictsort | map('join', ': ') | join('; ') }}
{%- elif content is iterable -%}{{ content | selectattr('type', 'equalto', 'text') | map(attribute='text') | join('') }}{%- else -%}{{ content | string }}{%- endif -%}
{%- endmacro -%}
{%- set toolcall_begin, toolcall_end = '<calls>', '</calls>' -%}
{%- set system = messages | selectattr('role', 'in', ['system', 'developer']) | map(attribute='content') | first | default('You are helpful.', true) -%}
{{ ']~!b[' ~ ']~b]' ~ 'system\\n' ~ visible(system) }}
{%- if tools %}{{ '\\n\\n# Tools\\n' }}{% for tool in tools -%}<tool>{{ tool.function | tojson(ensure_ascii=False) }}</tool>
{% endfor -%}{%- endif -%}
[e~[
{% for message in messages | rejectattr('role', 'in', ['system', 'developer']) %}
    {%- set is_last = loop.last -%}
    {%- if message.role == 'assistant' %}
        {{- ']~b]ai\\n' }}
        {%- set parts = visible(message.content).split('</think>') -%}
        {%- set reasoning = message.reasoning_content or (parts[0].split('<think>')[-1] if parts | length > 1 else '') -%}
        {%- set content = parts[-1].lstrip() -%}
        {%- if reasoning and (is_last or loop.nextitem.role == 'tool') -%}{{ '<think>\\n' ~ reasoning.strip('\\n') ~ '\\n</think>\\n\\n' }}{%- endif -%}
        {{- content -}}
        {%- if message.tool_calls -%}
            {{- '\\n' ~ toolcall_begin ~ '\\n' -}}
            {%- for tool_call in message.tool_calls -%}
                {%- set tool_call = tool_call.function or tool_call -%}
                {{- '<invoke name="{}">'.format(tool_call.name) }}
                {%- for k, v in tool_call.arguments.items() %}{{ '<parameter name="' + k + '">' }}{{ v | tojson(ensure_ascii=False) if v is not string else v }}{{ '</parameter>' }}{% endfor -%}
                {{- '</invoke>' ~ '\\n' }}
            {%- endfor -%}
            {{- toolcall_end -}}
        {%- endif -%}
        {{- '[e~[' ~ '\\n' }}
    {%- elif message.role == 'tool' -%}
        {%- if loop.first or loop.previtem.role != 'tool' -%}{{- ']~b]tool' }}{%- endif -%}
        {{- '\\n<response>' ~ visible(message.content) ~ '</response>' }}
        {%- if loop.last or loop.nextitem.role != 'tool' -%}{{- '[e~[\\n' -}}{%- endif -%}
    {%- else -%}
        {{- ']~b]' ~ message.role ~ '\\n' ~ visible(message.content) ~ '[e~[' ~ '\\n' }}
    {%- endif -%}
{% endfor %}
{%- if add_generation_prompt -%}{{- ']~b]ai\\n<think>\\n' if thinking | default(true) else ']~b]ai\\n' }}{%- endif -%}""",
}


def cases():
    """Every template over every conversation, each time with another one of the switches."""
    switches = list(SWITCHES.items())
    for t, (template_name, template) in enumerate(TEMPLATES.items()):
        for m, (name, messages) in enumerate({**CONVERSATIONS, **MORE}.items()):
            switch, extra = switches[3 if name == "two tools" else (t + m) % len(switches)]
            yield f"family {template_name}, {name}, {switch}", template, {**BASE, **extra, "messages": messages}
