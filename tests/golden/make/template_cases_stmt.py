"""Statements, scopes, and white space."""

CONTEXT = {
    "l": [3, 1, 2], "e": [], "d": {"a": 1, "b": 2}, "s": "text", "n": None, "t": True, "z": False,
    "tree": [{"v": 1, "kids": [{"v": 2, "kids": [{"v": 3}]}, {"v": 4}]}, {"v": 5}],
    "users": [{"name": "Bob", "role": "user"}, {"name": "Al", "role": "admin"}, {"name": "Cy", "role": "user"}],
}

TEMPLATES = [
    # ---- text and white space ----
    "", "plain", "plain\n", "plain\n\n", "a\r\nb\rc\n", "é日本😀", "{", "}", "{ {", "}} %}", "a { b } c % d # e",
    "{% if t %}\nyes\n{% endif %}\n", "a\n  {% if t %}\n  yes\n  {% endif %}\nb", "a {% if t %} yes {% endif %} b",
    "a\n{%- if t -%}\n  yes\n{%- endif -%}\nb", "a\n  {%+ if t %}\n  yes\n  {%+ endif %}\nb",
    "a\n{% if t +%}\nyes\n{% endif +%}\nb", "  {{ s }}  \n  {{- s -}}  \n", "{{ s }}\n{{ s }}\n", "{{- s -}}", "  {{-   s   -}}  x",
    "a {# comment #} b", "a\n  {# comment #}\nb", "a\n  {#- comment -#}\n  b", "a\n {#+ c +#}\nb", "{# multi\nline {{ x }} {% if %} #}x",
    "{#-#}x", "{##}", "a{#\n#}\nb", "{% raw %}{{ x }} {% if %}{# c #}{% endraw %}", "a\n  {% raw %}\n  {{ x }}\n  {% endraw %}\nb",
    "a {%- raw -%}  x  {%- endraw -%} b", "a\n{% raw %}\nx{% endraw %}\ny", "{%raw%}a{%endraw%}b", "\t{% if t %}\tx\t{% endif %}\t",
    "a\n\t {% if t %}x{% endif %}\n", "x {% set a = 1 %}\n y", "x\n   {% set a = 1 %}\n   y {{ a }}", "{% set a = 1 -%}\n\n  y",
    "\u00a0{% if t %}x{% endif %}", "\u3000\n\u3000{%- if t %}x{% endif %}", "line1\n    {{ s }}\n    {% if t %}in{% endif %}  after\n",
    "{%if t%}a{%endif%}", "{%  if   t  %}a{%   endif   %}", "{%\nif\nt\n%}a{%\nendif\n%}", "{{\ns\n}}", "{{s}}{{s}}", "{{ '{{ }}' }}",
    "{{ '%}' }}{% set x = '%}' %}{{ x }}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{{ {'a':{}}}}", "{{ [{}]}}", "{% if {'a':1}%}x{% endif %}",
    "   \n  {%- set a = 1 -%}  \n  x", "a\n\n\n{%- if t %}b{% endif %}", "{% if t %}\n\n\nx{% endif %}", "{{ s -}}\n\n  x", "x\n\n {{- s }}",
    # ---- if ----
    "{% if z %}a{% elif t %}b{% else %}c{% endif %}", "{% if z %}a{% elif z %}b{% else %}c{% endif %}", "{% if z %}a{% endif %}",
    "{% if missing %}a{% else %}b{% endif %}", "{% if l and not e %}x{% endif %}", "{% if 1, 2 %}tuple{% endif %}", "{% if t: %}x{% endif %}",
    "{% if z %}{{ s | nosuch }}{% endif %}ok", "{% if t %}{{ s | nosuch }}{% endif %}", "{% if t %}{% if z %}a{% else %}b{% endif %}{% endif %}",
    "{% if z %}a{% elif t %}b{% elif t %}c{% endif %}",
    # ---- for ----
    "{% for x in l %}{{ x }},{% endfor %}", "{% for x in e %}x{% else %}none{% endfor %}", "{% for x in missing %}x{% else %}none{% endfor %}",
    "{% for x in n %}x{% endfor %}", "{% for x in 5 %}x{% endfor %}", "{% for c in s %}{{ c }}-{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in d | items %}{{ k }}{{ v }}{% endfor %}",
    "{% for (k, v) in d.items() %}{{ k }}{{ v }}{% endfor %}", "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in [[1]] %}{% endfor %}", "{% for a, b in [[1, 2, 3]] %}{% endfor %}", "{% for a, b in [5] %}{% endfor %}",
    "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}", "{% for x in l %}{{ loop.previtem.x }}{% endfor %}",
    "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in l %}{{ loop.cycle() }}{% endfor %}",
    "{% for x in [1, 1, 2, 2, 1] %}{% if loop.changed(x) %}{{ x }}{% endif %}{% endfor %}", "{% for x in [1, 1, 2] %}{{ loop.changed(x, 1) }}{% endfor %}",
    "{% for x in l if x > 1 %}{{ x }}/{{ loop.length }} {% endfor %}", "{% for x in l if x > 5 %}x{% else %}none{% endfor %}",
    "{% for x in l if loop.first %}{{ x }}{% endfor %}", "{% for u in users if u.role == 'user' %}{{ loop.index }}{{ u.name }}{{ ',' if not loop.last }}{% endfor %}",
    "{% for x in l %}{% for y in l %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% for y in l %}{% if y == 1 %}{% break %}{% endif %}{{ y }}{% endfor %};{% endfor %}",
    "{% for x in l %}{% break %}{% else %}never{% endfor %}", "{% break %}", "{% for x in l %}{% endfor %}{% continue %}",
    "{% for n in tree recursive %}{{ n.v }}@{{ loop.depth }}[{{ loop(n.kids) if n.kids }}]{% endfor %}",
    "{% for n in tree recursive %}{{ n.v }}{{ loop.depth0 }}{% if n.kids %}({{ loop(n.kids) }}){% endif %}{% endfor %}", "{% for n in tree %}{{ loop(n.kids) }}{% endfor %}",
    "{% for n in [1] recursive %}{{ loop([]) }}x{% else %}E{% endfor %}", "{{ loop }}", "{{ loop.index }}", "{% for x in l %}{% endfor %}{{ x }}", "{% for x in l %}{{ x }}{% endfor %}{{ loop }}",
    "{% set x = 9 %}{% for x in l %}{{ x }}{% endfor %}{{ x }}", "{% for x in l %}{% set y = x %}{% endfor %}{{ y }}",
    "{% set y = 0 %}{% for x in l %}{% set y = y + x %}{{ y }} {% endfor %}{{ y }}", "{% for x in l %}{{ y }}{% set y = x %}{{ y }};{% endfor %}",
    "{% for x in range(3) %}{{ x }}{% endfor %}", "{% for x in 'ab', 'cd' %}{{ x }}{% endfor %}", "{% for x in [1, 2] + [3] %}{{ x }}{% endfor %}",
    "{% for x in l | sort %}{{ x }}{% endfor %}", "{% for x in l[::-1] %}{{ x }}{% endfor %}", "{% for x in l if x is odd %}{{ x }}{% endfor %}",
    "{% for loop in l %}{% endfor %}", "{% for x in l %}{% set loop = 1 %}{% endfor %}", "{% for x in l %}{{ loop.nosuch }}|{% endfor %}", "{% for x.y in l %}{% endfor %}",
    "{% for x in l %}{{ loop.index if loop.index is odd else '' }}{% endfor %}", "{% set q = [] %}{% for x in l %}{% set _ = q.append(x * 2) %}{% endfor %}{{ q }}",
    "{% for i in l %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}", "{% for g in users | groupby('role') %}{{ g.grouper }}:{{ g.list | map(attribute='name') | join('+') }} {% endfor %}",
    "{% for role, us in users | groupby('role') %}{{ role }}{{ us | length }}{% endfor %}", "{% for b in l | batch(2) %}{{ b }}{% endfor %}",
    "{% set g = l | map('string') %}{{ g | list }}{{ g | list }}", "{% set q = [1] %}{% for x in q %}{% if q | length < 4 %}{% set _ = q.append(x + 1) %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l -%}\n  {{ x }}\n{%- endfor %}", "{% for x in l %}\n{{ x }}\n{% endfor %}\n", "  {% for x in l %}\n    {{ x }}\n  {% endfor %}\nend",
    # ---- set ----
    "{% set a = 1 %}{{ a }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a, b = [3, 4] %}{{ a }}{{ b }}", "{% set (a, b) = (3, 4) %}{{ a }}{{ b }}", "{% set a, b = 'xy' %}{{ b }}{{ a }}",
    "{% set a = 1, 2 %}{{ a }}", "{% set a, b = 1 %}", "{% set a %}text {{ s }}{% endset %}[{{ a }}]", "{% set a | upper %}text{% endset %}{{ a }}",
    "{% set a | replace('t', 'T') | trim %}  text {% endset %}[{{ a }}]", "{% set a %}{% set b = 1 %}{{ b }}{% endset %}{{ a }}{{ b }}", "{% set ns = namespace(x=0) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a }}{{ ns.b }}{{ ns.c }}", "{% set d.x = 1 %}", "{% set q = {} %}{% set q.x = 1 %}", "{% set ns = namespace() %}{% set ns.t %}block{% endset %}{{ ns.t }}",
    "{% set ns = namespace(a=1) %}{{ ns }}", "{% set ns.x = 1 %}", "{% set 1 = 2 %}", "{% set a.b.c = 1 %}", "{% set a[0] = 1 %}", "{% set true = 1 %}", "{% set a = %}", "{% set a == 1 %}", "{% set %}", "{% set a = 1 b %}",
    "{% if t %}{% set a = 5 %}{% endif %}{{ a }}", "{% set a = 1 %}{% if t %}{% set a = a + 1 %}{% endif %}{{ a }}", "{% set a = s %}{% set a = a ~ a %}{{ a }}", "{% set range = 5 %}{{ range }}", "{% set s = s | upper %}{{ s }}",
    "{% set x = l %}{% set _ = x.append(9) %}{{ l }}", "{% set x = l + [] %}{% set _ = x.append(9) %}{{ l }}", "{% set _ = d.update({'c': 3}) %}{{ d }}", "{{ d.pop('a') }}{{ d }}", "{{ d.pop('q', 5) }}", "{{ d.pop('q') }}", "{{ l.pop() }}{{ l.pop(0) }}{{ l }}", "{{ e.pop() }}",
    "{{ l.insert(1, 'x') }}{{ l }}", "{{ l.extend([7, 8]) }}{{ l }}", "{{ l.remove(1) }}{{ l }}", "{{ l.reverse() }}{{ l }}", "{{ l.sort() }}{{ l }}", "{{ l.sort(reverse=true) }}{{ l }}", "{{ l.clear() }}{{ l }}", "{{ d.setdefault('a', 9) }}{{ d.setdefault('q', 9) }}{{ d }}", "{{ d.popitem() }}{{ d }}", "{{ d.clear() }}{{ d }}", "{{ d.copy() }}", "{{ d.update(a=5, z=6) }}{{ d }}",
    # ---- with, filter, call, macro ----
    "{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% with %}{% set a = 1 %}{{ a }}{% endwith %}{{ a }}", "{% set a = 1 %}{% with a = 2, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% with a, b = (1, 2) %}{{ a }}{{ b }}{% endwith %}", "{% with a = 1 %}",
    "{% filter upper %}text {{ s }}{% endfilter %}", "{% filter replace('t', 'T') | trim %} text {% endfilter %}|", "{% filter nosuch %}x{% endfilter %}", "{% filter upper %}{% set q = 1 %}{% endfilter %}{{ q }}", "{% filter indent(2) %}a\nb{% endfilter %}",
    "{% macro m() %}x{% endmacro %}{{ m() }}{{ m() }}", "{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=5, a=4) }}", "{% macro m(a) %}[{{ a }}]{% endmacro %}{{ m() }}", "{% macro m(a) %}{{ a.x }}{% endmacro %}{{ m() }}", "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(b=2) }}", "{% macro m(a) %}{% endmacro %}{{ m(1, a=2) }}", "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro m(a) %}{{ a }}{{ varargs | join('-') }}{% endmacro %}{{ m(1, 2, 3) }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m(a, a) %}{{ a }}{% endmacro %}", "{% macro m(x) %}{% if x > 0 %}{{ x }}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(4) }}", "{% set y = 1 %}{% macro m() %}{{ y }}{% endmacro %}{% set y = 2 %}{{ m() }}",
    "{% macro m() %}{% set y = 5 %}{% endmacro %}{{ m() }}{{ y }}", "{% macro m() %}{{ s }}{% endmacro %}{{ m() }}", "{% for x in l %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}{{ m }}", "{{ m() }}{% macro m() %}x{% endmacro %}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(*[1]) }}{{ m(**{'a': 2}) }}", "{% macro m(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ m(1, *[2]) }}{{ m(*l) }}",
    "{% macro m(a, b, c) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(*l) }}", "{% macro m() %}{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.caller }}", "{% macro m() %}({{ caller() }}){% endmacro %}{% call m() %}in {{ s }}{% endcall %}", "{% macro m(xs) %}{% for x in xs %}<{{ caller(x) }}>{% endfor %}{% endmacro %}{% call(v) m(l) %}{{ v * 2 }}{% endcall %}",
    "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}", "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}", "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}", "{% macro m(a) %}{{ a }}{{ caller(1, b=2) }}{% endmacro %}{% call(a, b=9) m('q') %}{{ a }}{{ b }}{% endcall %}", "{% call s %}x{% endcall %}", "{% call s.upper() %}x{% endcall %}",
    "{% macro a() %}A{{ caller() }}{% endmacro %}{% macro b() %}B{{ caller() }}{% endmacro %}{% call a() %}{% call b() %}x{% endcall %}{% endcall %}", "{% macro m(x) -%}\n  {{ x }}\n{%- endmacro %}[{{ m(1) }}]", "{% macro m(x) %}\n  {{ x }}\n{% endmacro %}[{{ m(1) }}]", "{% set f = s.upper %}{{ f() }}", "{% set f = range %}{{ f(3) | list }}", "{% macro m() %}{% endmacro %}{{ m | length }}", "{% macro m(x) %}{{ x }}{% endmacro %}{{ l | map('string') | map('upper') | join }}{{ m(m(1)) }}",
    "{% macro m(xs=[]) %}{% set _ = xs.append(1) %}{{ xs }}{% endmacro %}{{ m() }}{{ m() }}", "{% macro outer() %}{% macro inner(x) %}<{{ x }}>{% endmacro %}{{ inner(1) }}{{ inner(2) }}{% endmacro %}{{ outer() }}", "{% set m = 5 %}{% macro m() %}x{% endmacro %}{{ m() }}", "{% macro m() %}a{% endmacro %}{% macro m() %}b{% endmacro %}{{ m() }}",
    # ---- other tags ----
    "{% generation %}a {{ s }}{% endgeneration %}", "{% generation %}{% set q = 1 %}{% endgeneration %}{{ q }}", "a\n{% generation %}\nb\n{% endgeneration %}\nc", "{% for u in users %}{% generation %}{{ u.name }}{{ loop.index }}{% endgeneration %}{% endfor %}", "{% block b %}in{% endblock %}", "{% block b %}in{% endblock b %}", "{% for x in l %}{% block b %}{{ x }}{% endblock %}{% endfor %}", "{% for x in l %}{% block b scoped %}{{ x }}{% endblock %}{% endfor %}", "{% set q = 1 %}{% block b %}{{ q }}{% endblock %}",
    "{% print s %}", "{% print s, 1 %}", "{% autoescape false %}{{ '<' }}{% endautoescape %}", "{% include 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}", "{% extends 'x' %}", "{% do l.append(1) %}", "{% nosuch %}", "{% endif %}", "{% if t %}", "{% for x in l %}", "{% if t %}{% endfor %}", "{% for x in l %}{% endif %}", "{% else %}", "{% macro m() %}", "{% raw %}", "{# open", "{{ open", "{% if t", "{{ 'open }}", "{% %}", "{{ }}", "{%}", "{% if %}x{% endif %}", "{% for %}", "{% for x l %}", "{% for x in %}{% endfor %}", "{% if t %}{% else %}{% else %}{% endif %}", "{% if t %}{% elif %}{% endif %}", "{% filter %}x{% endfilter %}", "{% call %}{% endcall %}", "{% macro %}{% endmacro %}", "{% macro m %}{% endmacro %}", "{% set x %}", "{% 5 %}", "{% if t %}a{% endif t %}",
    # ---- errors while rendering ----
    "a{{ raise_exception('stop: ' ~ s) }}b", "{% if not z %}{{ raise_exception('x') }}{% endif %}", "{% if z %}{{ raise_exception('x') }}{% endif %}fine", "{{ s.nosuch.more }}", "{{ missing.a }}", "{{ l.a.b }}", "{{ none.a }}", "{{ none.a.b }}", "{{ d.x.y }}", "{% for x in d.x.y %}{% endfor %}", "{{ s | int + 'a' }}", "{{ l + s }}", "{{ d + d }}", "{{ 'a' - 'b' }}",
    "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
]


def cases():
    for n, template in enumerate(TEMPLATES):
        yield f"stmt {n:03}: {template[:50]!r}", template, CONTEXT
