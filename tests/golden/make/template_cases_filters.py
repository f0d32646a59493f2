"""Filters, each in an expression."""
from template_cases_expr import expression_cases

EXPRESSIONS = r'''
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
'''


def cases():
    return expression_cases("filter", EXPRESSIONS)
