"""Expressions: each becomes a template "{{ expression }}" over one context."""

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
s | upper
s | lower
u | upper
u | lower
'straße ﬁ ŉ' | upper
'ÀÉ ΑΣ ΟΔΟΣ İ' | lower
'ǆ' | capitalize
s | capitalize
'hELLO wORLD' | capitalize
'hello wORLD-foo (bar) [baz] {x} <y>' | title
"it's o'neil" | title
"it's o'neil".title()
u.title()
i | upper
n | lower
ws | trim
ws | trim | length
'xxaxx' | trim('x')
'xyaxy' | trim('yx')
'xyaxy' | trim(chars='z')
s | replace('o', '0')
s | replace('o', '0', 1)
s | replace('', '-')
'abc' | replace('', '-', 2)
s | replace('l', '')
12345 | replace(3, 'x')
s | length
u | length
l | length
l | count
n | length
5 | length
s | first
s | last
l | first
l | last
empty | first
empty | last
d | first
d | last
missing | first
l | join
l | join(', ')
l | join(d=' - ')
users | join(', ', attribute='name')
mixed | join('|')
s | join('.')
n | join
missing | join(',')
l | list
s | list
n | list
missing | list
l | sort
l | sort(reverse=true)
names | sort
names | sort(case_sensitive=true)
names | sort(reverse=true)
users | sort(attribute='age') | map(attribute='name') | list
users | sort(attribute='age,name') | map(attribute='name') | list
users | sort(reverse=true, attribute='age') | map(attribute='name') | list
mixed | sort
d | sort
names | unique | list
names | unique(true) | list
users | unique(attribute='age') | map(attribute='name') | list
l | reverse
l | reverse | list
s | reverse
d | reverse | list
(l | map('string')) | reverse
l | map('string')
l | map('string') | list
names | map('upper') | join
users | map(attribute='name') | list
users | map(attribute='city') | list
users | map(attribute='city', default='nowhere') | list
users | map(attribute='city', default='x', other=1) | list
nested | map(attribute=0) | list
nested | map(attribute='1') | list
[deep] | map(attribute='x.y.1.z') | list
l | map('missingfilter') | list
l | map('replace', 1, 2) | list
l | map | list
missing | map('upper') | list
empty | map('upper') | list
l | select('odd') | list
l | reject('odd') | list
l | select | list
[0, 1, '', 'a', none] | select | list
[0, 1, '', 'a', none] | reject | list
l | select('gt', 1) | list
l | select('divisibleby', 3) | list
l | select('>', 1) | list
users | selectattr('city') | map(attribute='name') | list
users | selectattr('city', 'defined') | map(attribute='name') | list
users | rejectattr('city', 'defined') | map(attribute='name') | list
users | selectattr('age', 'equalto', 30) | map(attribute='name') | list
users | selectattr('age', '>', 26) | map(attribute='name') | list
users | selectattr('name', 'in', ['Bob', 'dora']) | list | length
users | selectattr('age', 'nosuchtest') | list
users | selectattr | list
(empty | select) and 'true'
(users | selectattr('age', 'lt', 0)) is true
users | selectattr('age', 'lt', 0) | list | length
users | selectattr('age', 'lt', 0) | length
l | select('odd') | first
l | select('odd') | last
l | sum
empty | sum
users | sum(attribute='age')
users | sum('age', 100)
l | sum(start=0.5)
nested | sum(start=[])
names | sum
l | min
l | max
names | min
names | max
names | max(case_sensitive=true)
users | max(attribute='age')
empty | max
empty | min ~ 'x'
mixed | min
d | dictsort
d | dictsort(true)
d | dictsort(false, 'value')
d | dictsort(reverse=true)
d | dictsort(by='other')
d | items
d | items | list
missing | items | list
l | items | list
users | groupby('age')
users | groupby('city', default='none') | map(attribute='grouper') | list
users | groupby('city', default='none', case_sensitive=true) | map(attribute=0) | list
(users | groupby('age') | first).list | length
(users | groupby('age') | first).grouper
range(7) | batch(3) | list
range(7) | batch(3, 'x') | list
range(7) | slice(3) | list
range(7) | slice(3, 'x') | list
empty | batch(2) | list
i | abs
neg | abs
-2.5 | abs
s | abs
f | round
3.5 | round
42.55 | round(1)
42.55 | round(1, 'ceil')
42.55 | round(1, 'floor')
2.675 | round(2)
1234.5 | round(-2)
i | round
15 | round(-1)
25 | round(-1)
42.55 | round(1, 'other')
'x' | round
num | int
numf | int
numf | float
'abc' | int
'abc' | int(9)
'abc' | int(default=none)
hex | int(0, 16)
'1F' | int(base=16)
'0b11' | int(0, 2)
'-12' | int
'1_000' | int
'1e3' | int
'' | int
f | int
-2.9 | int
t | int
n | int
l | int
missing | int
'99999999999999999999' | int
'inf' | float
'nan' | float
'abc' | float
'abc' | float(1.5)
i | float
n | float(none)
missing | float
html | escape
html | e | e
html | e | forceescape
html | safe
(html | e) + '<i>'
(html | e) ~ '<i>'
'<i>' + (html | safe)
html | e is escaped
html is escaped
html | striptags
'a <!-- no > --> b<br/>c  &amp; d' | striptags
i | e
'a b/c?d=é&f' | urlencode
{'q': 'a b', 'é': 1} | urlencode
[['a', 1], ['b', '/']] | urlencode
{'class': 'x"y', 'n': none, 'id': 3} | xmlattr
{'class': 'x'} | xmlattr(false)
'one\ntwo\n\nthree' | indent
'one\ntwo\n\nthree' | indent(2)
'one\ntwo\n\nthree' | indent(2, true)
'one\ntwo\n\nthree' | indent(2, blank=true)
'one\ntwo\n' | indent('> ', first=true)
'one' | indent(width=3, first=true)
'' | indent(2, true)
'a\r\nb\rc' | indent(1)
5 | indent
s | center(20) ~ '|'
s | center(21) ~ '|'
'abc' | center(8) ~ '|'
'foo bar baz qux' | truncate(9)
'foo bar baz qux' | truncate(9, true)
'foo bar baz qux' | truncate(11)
'foo bar baz qux' | truncate(11, false, '...', 0)
'foo bar baz qux' | truncate(9, end='~', leeway=0)
'foobarbazqux' | truncate(5, leeway=0)
'foo' | truncate(2)
u | truncate(8, true, '…', 0)
s | wordcount
u | wordcount
'a_b c-d 1.2' | wordcount
'the quick brown fox jumps over the lazy dog' | wordwrap(10)
'the quick brown fox' | wordwrap(10, wrapstring='|')
'abcdefghijkl mno' | wordwrap(5)
'abcdefghijkl mno' | wordwrap(5, false)
'%s, %s!' | format('a', 1)
'%(a)s %(b)d' | format(a='x', b=2)
'%5d|%-5d|%05d|%+d|% d' | format(42, 42, 42, 42, 42)
'%.2f %8.3f %-8.1f| %e %g %G' | format(3.14159, 2.5, 1.25, 12345.678, 0.00001, 1e20)
'%x %X %o %#x %#o' | format(255, 255, 8, 255, 8)
'%c%c %r %a %%' | format('x', 65, 'q', 'q')
'%10s|%-10s|%.2s' | format('abc', 'abc', 'abc')
'%d' | format(3.9)
'%d' | format('x')
'%s' | format
'%s' | format(1, 2)
'%s' % 'x'
'%s %s' % (1, 2)
'%s' % l
'%s' % (l,)
'%(a)s' % {'a': 1}
'%q' % 1
'%*d' % (5, 42)
1024 | filesizeformat
1 | filesizeformat
999 | filesizeformat
1500 | filesizeformat
1536 | filesizeformat(true)
123456789 | filesizeformat
s | string
l | string
n | string
t | string ~ 1
missing | string
d | tojson
mixed | tojson
u | tojson
u | tojson(ensure_ascii=true)
d | tojson(indent=2)
d | tojson(indent='\t')
d | tojson(indent=0)
mixed | tojson(indent=4)
d | tojson(separators=(',', ':'))
d | tojson(indent=2, separators=(';', '='))
d | tojson(sort_keys=true)
empty | tojson(indent=2)
{} | tojson(indent=2)
{'a': {}, 'b': []} | tojson(indent=1)
'quote " back \\ nl \n tab \t ctl \x01 del \x7f slash / </script>' | tojson
{1: 'a', none: 'b', true: 'c', 1.5: 'd'} | tojson
(1, 2) | tojson
missing | tojson
range(2) | tojson
l | map('string') | tojson
1e100 | tojson
[1.0, 0.1, 1e16, -0.0] | tojson
'nan' | float | tojson
'日本' | tojson(true)
'😀' | tojson(ensure_ascii=true)
d | attr('a')
d | attr('keys') is callable
s | attr('upper')()
'a-b-c'.split('-')
'a-b-c'.split('-', 1)
'a-b-c'.split('-', maxsplit=1)
'a-b-c'.rsplit('-', 1)
'a--b'.split('-')
ws.split()
ws.split(none, 1)
ws.rsplit(none, 1)
'  a b  '.split(none, 0)
''.split()
''.split(',')
'abc'.split('')
'a,b,c'.split(',')[-1]
'aaa'.split('aa')
'aaa'.rsplit('aa')
'x</think>y</think>z'.split('</think>')
'a.b.c'.partition('.')
'a.b.c'.rpartition('.')
'abc'.partition('.')
'abc'.rpartition('.')
ws.strip()
ws.lstrip() ~ '|'
'|' ~ ws.rstrip()
'xxabcxx'.strip('x')
'xxabcxx'.lstrip('x')
'xxabcxx'.rstrip('x')
'\u3000a\u3000'.strip()
'abc'.strip('ca')
s.startswith('Hello')
s.startswith(('x', 'He'))
s.startswith('World', 6)
s.endswith('World')
s.endswith(('x', 'ld'))
s.endswith('Hello', 0, 5)
s.startswith('')
s.startswith(['x'])
s.startswith(1)
s.find('o')
s.find('o', 5)
s.find('zzz')
s.rfind('o')
s.index('W')
s.index('zzz')
s.rindex('l')
u.find('語')
u.rfind('g')
''.find('')
'abc'.find('', 3)
'abc'.find('', 4)
'abc'.rfind('')
s.count('l')
s.count('')
s.count('l', 4)
'aaaa'.count('aa')
s.replace('l', 'L')
s.replace('l', 'L', 2)
s.replace('', '.')
'abc'.upper().lower().capitalize()
'Hello'.swapcase()
'Straße'.casefold()
'abc'.center(9, '*')
'abc'.ljust(6, '.')
'abc'.rjust(6)
'abc'.ljust(2)
'42'.zfill(5)
'-42'.zfill(5)
'+4é'.zfill(6)
'abc'.center(5, 'xy')
'a\tb'.expandtabs(4)
lines.splitlines()
lines.splitlines(true)
''.splitlines()
'a\n'.splitlines()
', '.join(['a', 'b'])
', '.join('abc')
', '.join([1])
'-'.join(d)
'abc'.isalpha()
'abc1'.isalnum()
'123'.isdigit()
'²'.isdigit()
'²'.isdecimal()
'½'.isnumeric()
''.isdigit()
'abc'.islower()
'ABC'.isupper()
'Ab'.isupper()
'Hello World'.istitle()
' \t\n'.isspace()
''.isspace()
'abc'.isascii()
'é'.isascii()
'é'.isalpha()
'a_1'.isidentifier()
'1a'.isidentifier()
'a\n'.isprintable()
'TestHook'.removeprefix('Test')
'TestHook'.removesuffix('Hook')
'TestHook'.removeprefix('x')
'{} {}'.format(1, 'a')
'{0} {1} {0}'.format('x', 'y')
'{a} {b[0]} {c.name}'.format(a=1, b=[2], c={'name': 'q'})
'{:>8}|{:<8}|{:^8}|{:*^8}'.format('a', 'b', 'c', 'd')
'{:05d} {:+d} {: d} {:,} {:_}'.format(42, 42, 42, 1234567, 1234567)
'{:x} {:X} {:#x} {:b} {:o}'.format(255, 255, 255, 5, 8)
'{:.2f} {:8.3f} {:e} {:g} {:%} {:.1%}'.format(3.14159, 2.5, 12345.678, 1e-5, 0.25, 0.1234)
'{!r} {!s}'.format('a', 'b')
'{{}} {}'.format(1)
'{:{}}|'.format('a', 5)
'{} {1}'.format(1, 2)
'{2}'.format(1)
'{x}'.format(y=1)
'{'.format(1)
'}'.format(1)
'{:d}'.format('a')
'{:s}'.format(1)
'{}'.format(none)
'{:5}'.format(none)
'{} {}'.format(1.0, true)
'{:5}|{:<5}|'.format(42, 42)
'{:.3}'.format('abcdef')
'{:c}'.format(65)
'{:>5}'.format(true)
'{:.3}'.format(3.14159)
'{:,.2f}'.format(1234567.891)
l.index(1)
l.index(9)
l.count(3)
l.copy()
nested.copy()
(1, 2, 1).count(1)
(1, 2).index(2)
5 is odd
4 is even
5 is even
neg is odd
6 is divisibleby 3
6 is divisibleby(4)
5 is divisibleby 0
s is odd
missing is defined
n is defined
d.zzz is defined
d.a is defined
deep.x.y is defined
missing is undefined
n is not none
s is string
5 is string
5 is number
5.5 is number
true is number
s is number
5 is integer
true is integer
5.0 is integer
5.0 is float
5 is float
true is boolean
1 is boolean
true is true
1 is true
false is false
0 is false
d is mapping
l is mapping
l is sequence
s is sequence
d is sequence
5 is sequence
missing is sequence
l is iterable
s is iterable
5 is iterable
missing is iterable
n is iterable
d.items() is sequence
d.items() is iterable
(l | map('string')) is iterable
(l | map('string')) is sequence
range is callable
s is callable
missing is callable
'abc' is lower
'ABC' is upper
5 is lower
n is sameas none
true is sameas true
1 is sameas true
1 is eq 1
1 is equalto 1
1 is == 1
1 is eq(1.0)
1 is ne 2
3 is gt 2
3 is greaterthan 4
3 is ge 3
3 is lt 4
3 is lessthan 3
3 is le 3
2 is in [1, 2]
'a' is in 'abc'
5 is not in [1]
'upper' is filter
'nosuch' is filter
'odd' is test
'nosuch' is test
s is nosuch
s | nosuch
s is string and n is none
s is defined and s is not none and s | length > 3
not s is string
(s is string) ~ ''
1 if s is string else 2
[1, 2, 3][1:][0]
{'a': [1, 2]}.a[1]
'abc'[1]
(1, 2)[0]
'abc'.upper()[0]
'%s' | format(s) | upper
s | upper | lower | length + 1
s|length == 11
-1 | abs
-i | abs
2 * 3 | string
1 ~ 2 * 3
1 + 2 ~ 3
1 - 1 ~ 2
d.items() | length
(d.items() | list)[0][1]
d.items()[0]
d.keys()[0]
1.5.is_integer()
2.0.is_integer()
i.bit_length()
dict(a=1) | length
[x for x in l]
lambda: 1
a.b.c.d
s.__class__
'a'.__class__.__mro__
i if i is defined
range(3) == range(3)
[1, 'a', none] | tojson
true == 1 and 1 == 1.0
'1' == 1
none | string
None
True and False
s.split(' ') | map('lower') | join('_')
users[0].name
users[0]['name'][0]
users[-1].city
users[-1].city | default('none')
users[10].name
users | length > 3 and users[3].name == 'dora'
users | map(attribute='age') | sum / users | length
users | selectattr('age', 'ge', 30) | map(attribute='name') | map('upper') | join(',')
'a' if users else 'b'
[users[0]] | tojson
i // zero
big + 1
big * 1.0
big == 9007199254740992.0
big > 9007199254740992.0
[1, 2, 3] | sum ~ ''
(1 if true) ~ (2 if false)
'a' < 1
[] < []
[1] < ['a']
{} < {}
none == false
none is false
0 == false
'' == none
[] == ()
{} == []
d | length | string | length
'x' * 0
'é' * 2 ~ '日'
'a\
b'
'tab	in'
(1)
((1))
((1, 2), 3)
[1, 2, ]
{'a': 1, }
(1, 2, )
'abc' [1]
d ['a']
range (2) | list
s . upper ()
s | replace ( 'o' , '0' )
f(1)
s()
5()
'a'.join(missing)
missing | upper
missing | trim ~ '|'
missing | replace('a', 'b')
missing | length
missing | sum
missing | tojson(indent=2)
missing | e
n | e
n | trim
n ~ ''
l[i - 7]
d['a' ~ '']
d[n]
d[l]
l[missing]
l[s]
s['upper']()
(s, i)
s, i
'%d%%' % 50
'{}%'.format(50)
'a' ~ ('b' if t) ~ 'c'
'a\u0301' | length
'e\u0301'.upper() | length
"\u2028" | tojson
'\ufeff' in ['\ufeff']
s | batch(4) | map('join') | list
s | slice(3) | map('join') | list
names | map('length') | sum
names | sort | join == names | sort | map('string') | join
names | groupby(0) | list
l | join(', ') | upper
users | map('tojson') | join('\n')
users | map('items') | map('list') | first
mixed | map('string') | list
mixed | map('int', 5) | list
mixed | select('number') | list
mixed | select('string') | list
mixed | reject('none') | list | length
mixed | map('default', 'x', true) | list
d | dictsort | map('first') | join
d.items() | map('last') | sum
d.items() | sort(attribute='1', reverse=true) | map(attribute='0') | list
d.update({'z': 9}) ~ d | length
'\N{BULLET}'
'\xzz'
'\u12'
'unterminated
1 +
(1
[1, 2
{'a' 1}
1 2
a b
s |
s | 5
s is
s.
s.5.5
.5
5.
1..2
@
$
?
!x
a ! b
a && b
x = 1
{{ 1 }}
}
]
)
'''


def cases():
    seen = set()
    source = EXPRESSIONS.strip("\n").split("\n")
    joined = []
    for line in source:  # an expression that ends in a backslash goes on
        if joined and joined[-1].endswith("\\"):
            joined[-1] += "\n" + line
        else:
            joined.append(line)
    for n, expression in enumerate(joined):
        if expression in seen:
            continue
        seen.add(expression)
        yield f"expr {n:03}: {expression[:60]}", "{{ " + expression + " }}", CONTEXT
