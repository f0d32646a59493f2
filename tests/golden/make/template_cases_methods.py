"""Methods of strings, lists and dicts, tests, and what else an expression may be or must not be."""
from template_cases_expr import expression_cases

EXPRESSIONS = r'''
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
    return expression_cases("method", EXPRESSIONS)
