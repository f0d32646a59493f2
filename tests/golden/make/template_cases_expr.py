"""Expressions, each of which becomes a template "{{ expression }}" over one context: operators, access, literals, functions."""

CONTEXT = {
    "i": 7, "neg": -7, "zero": 0, "f": 2.5, "big": 9007199254740993, "t": True, "n": None, "s": "Hello World", "e": "",
    "u": "Grüße, Ångström! 日本語 😀", "ws": "  a  b\tc\n", "lines": "one\ntwo\r\nthree\n\nfive",
    "l": [3, 1, 2], "names": ["b", "A", "c", "B", "a"], "empty": [], "nested": [[1, 2], [3, [4]]],
    "d": {"b": 1, "a": 2, "C": 3}, "deep": {"x": {"y": [10, {"z": "found"}]}}, "keys": {"items": 5, "get": 6, "upper": 7},
    "users": [{"name": "Bob", "age": 30, "city": "Paris"}, {"name": "alice", "age": 25, "city": "london"},
              {"name": "Carl", "age": 30, "city": "paris"}, {"name": "dora", "age": 41}],
    "html": "<b>\"Tom\" & 'Jerry'</b>", "num": "42", "numf": " 3.75 ", "hex": "0x1F", "mixed": [1, 2.5, "x", None, True, {"k": [1]}],
}

EXPRESSIONS = r'''
1 + 2 * 3 - 4 / 2
7 // 2
-7 // 2
7 // -2
7 % 3
-7 % 3
7 % -3
7.5 // 2
-7.5 // 2
7.5 % -2
-0.0
0.0 // -1
1 / 3
2 ** 10
2 ** -1
2 ** 3 ** 2
-2 ** 2
(-8) ** 2
2 ** 0.5
1e3
1E-7
1_000 + 0x1F + 0b101 + 0o17
1.5e300 * 1e10
1e308 * 10
-1e308 * 10
1e16
1e15
123456789012345678
0.1 + 0.2
1e-4
1e-5
100.0
1.0
3.14159
5e-324
1.7976931348623157e308
1 / 0
1 % 0
1.0 / 0
0 ** -1
9223372036854775807
i + 1 if i > 5 else 'small'
'x' if zero
'x' if zero else 'y' if n else 'z'
not true
not zero
not not e
true and false
true or false
zero or 'default'
i and 'yes'
n or e or 'last'
1 < 2 < 3
1 < 3 < 2
3 > 2 >= 2 != 1 == 1
1 == 1.0
1 == true
'a' < 'b'
'Z' < 'a'
[1, 2] < [1, 3]
[1, 2] == [1, 2.0]
(1, 2) == (1, 2)
[1] == (1,)
{'a': 1} == {'a': 1.0}
n == none
n is none
e == ''
1 < 'a'
n < 1
'a' in s
'World' in s
'x' not in s
2 in l
5 not in l
'a' in d
'z' in d
1 in 'abc'
none in l
1 in 5
i in range(10)
'b' in 'abc' and not 'z' in 'abc'
s ~ ' ' ~ i ~ n ~ t ~ f ~ l
s + '!'
s + 1
1 + s
'ab' * 3
3 * 'ab'
'ab' * -1
[1, 2] * 2
[1] + [2, 3]
(1,) + (2,)
[1] + (2,)
- i
+ i
- s
--i
s[0]
s[-1]
s[100]
s[1:4]
s[::-1]
s[::2]
s[-3:]
s[:-3]
s[5:2]
s[-100:3]
s[2:100]
u[0:5]
u[-1]
u[::-1]
u[2::3]
l[0]
l[-1]
l[3]
l[1:]
l[::-1]
l[-2:]
l[::0]
l['0']
l[0.5]
l[true]
l[n:2]
nested[1][1][0]
nested.1.0
deep.x.y[1].z
deep['x']['y'][0]
deep.x.missing
deep.x.missing.more
missing
missing.x
missing['x']
missing[1:2]
missing + 1
missing ~ 'x'
missing == missing
missing == none
missing < 1
missing in l
1 in missing
missing()
-missing
not missing
missing | default('d')
e | default('d')
e | default('d', true)
n | default('d')
n | d('d', boolean=true)
d.a
d['a']
d.get('a')
d.get('z')
d.get('z', 'no')
d.items()
d.keys()
d.values()
d.items() | list
d | list
d | length
d.keys() | list
d.values() | sum
keys.items
keys['items']
keys.upper
keys.get
keys.get('get')
s.upper()
s.missing
s.missing()
n.x
i.x
[]
()
{}
(1,)
(1, 2, 'x')
[1, [2, {'a': none}]]
{'a': 1, 'b': [true, none], 3: 2.5}
{1: 'a', 1.0: 'b', true: 'c'}
{[1]: 2}
{(1, 2): 3}
{'a': 1, 'a': 2}
'it''s'
'it\'s'
"it's"
'say "hi"'
'a\tb\\n\n'
["it's", 'say "x"', 'both \' and "', 'tab\t', 'nl\n', 'é', '\x00', '\x7f', '\u200b', '\xa0', '\\']
'\x41\u00e9\U0001F600\101'
'\q'
'a' 'b' "c"
s.upper
range(5)
range(5) | list
range(2, 10, 3) | list
range(10, 0, -4) | list
range(5)[2]
range(5)[1:3]
range(0) | list
range(3) | length
range(200000)
range(1, 2, 0)
range('a')
dict(a=1, b=2)
dict({'x': 1}, y=2)
dict([['a', 1], ('b', 2)])
dict([1])
namespace(a=1).a
namespace(a=1).b
namespace({'q': 5}).q
cycler('a', 'b').next()
joiner('|')()
strftime_now('%Y-%m-%d')
strftime_now('%d %b %Y %H:%M:%S %A %j')
strftime_now('')
raise_exception('no')
'''


def expression_cases(label, expressions):
    """A case for each different one of the lines, over CONTEXT."""
    seen = set()
    joined = []
    for line in expressions.strip("\n").split("\n"):  # an expression that ends in a backslash goes on
        if joined and joined[-1].endswith("\\"):
            joined[-1] += "\n" + line
        else:
            joined.append(line)
    for n, expression in enumerate(joined):
        if expression in seen:
            continue
        seen.add(expression)
        yield f"{label} {n:03}: {expression[:60]}", "{{ " + expression + " }}", CONTEXT


def cases():
    return expression_cases("expr", EXPRESSIONS)
