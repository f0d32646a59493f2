#!/usr/bin/env python3
"""Writes tests/data/template_cases.json: templates, contexts, and what the real Jinja makes of them.

    python3 -m venv venv && venv/bin/pip install jinja2==3.1.6
    venv/bin/python tests/golden/make/make_template_cases.py

The environment is the one of Hugging Face's apply_chat_template (trim_blocks, lstrip_blocks, loop controls, a tojson that escapes
nothing, raise_exception, strftime_now, generation tags), but for methods that change lists and dicts, which are allowed.
A case has "expected", or "error" with the exception's name where rendering must fail. Its context, and a template that more cases
have, stand once in the file and go by their numbers.
"""
import datetime
import json
import pathlib

import jinja2
import jinja2.ext
import jinja2.sandbox

import template_cases_chat
import template_cases_expr
import template_cases_families
import template_cases_filters
import template_cases_methods
import template_cases_stmt

NOW = datetime.datetime(2026, 7, 26, 12, 34, 56)


class GenerationTag(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_run"), [], [], body).set_lineno(line)

    def _run(self, caller):
        return caller()


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def make_environment():
    env = jinja2.sandbox.SandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


def render(env, template, context):
    try:
        return {"expected": env.from_string(template).render(**json.loads(json.dumps(context)))}
    except Exception as e:  # whatever Python or Jinja raises, a template must fail on it
        return {"error": type(e).__name__}


# Where gollum differs on purpose: integers have 64 bits, names of characters are not known.
KNOWN_ERRORS = {"{{ '99999999999999999999' | int }}": "OverflowError", "{{ '\\N{BULLET}' }}": "TemplateSyntaxError"}


def main():
    env = make_environment()
    cases = []
    templates = []
    contexts = {}  # as JSON -> number
    for module in (template_cases_expr, template_cases_filters, template_cases_methods, template_cases_stmt,
                   template_cases_chat, template_cases_families):
        sources = getattr(module, "TEMPLATES", None)  # by name, where many cases have one
        shared = {source: len(templates) + i for i, source in enumerate(sources.values())} if isinstance(sources, dict) else {}
        templates += shared
        for name, template, context in module.cases():
            case = {"name": name, "template": shared.get(template, template), "context": contexts.setdefault(json.dumps(context), len(contexts))}
            result = render(env, template, context)
            if template in KNOWN_ERRORS:
                result = {"error": KNOWN_ERRORS[template]}
            if " at 0x" in result.get("expected", ""):
                continue  # an address in memory
            case.update(result)
            cases.append(case)
    names = [c["name"] for c in cases]
    assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)
    path = pathlib.Path(__file__).parent.parent.parent / "data" / "template_cases.json"
    with path.open("w", encoding="utf-8") as out:
        out.write('{"contexts": [\n' + ",\n".join(contexts) + '\n],\n"templates": [\n')
        out.write(",\n".join(json.dumps(t, ensure_ascii=False) for t in templates) + '\n],\n"cases": [\n')
        out.write(",\n".join(json.dumps(c, ensure_ascii=False) for c in cases) + "\n]}\n")
    print(f"{len(cases)} cases, {sum('error' in c for c in cases)} of them errors -> {path}")


if __name__ == "__main__":
    main()
