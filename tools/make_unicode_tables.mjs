#!/usr/bin/env node
/*
 * Writes src/text/unicode_newer_table.h and src/text/unicode_scripts_table.h: what changed between versions of the Unicode
 * Character Database, so that text is cut the same way whatever versions PCRE2 and utf8proc were built with.
 *
 *     mkdir ucd && cd ucd && npm install @unicode/unicode-{8,9,14,16,17}.0.0     (the database, as JavaScript)
 *     node make_unicode_tables.mjs ucd ../src/text
 *     clang-format -i ../src/text/unicode_*_table.h
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [from, to] = process.argv.slice(2);
const N = 0x110000;
const BASE = 14; /* the oldest version that the libraries may have */
const NONE = 'Unassigned';

const load = async (version, path) =>
    (await import(pathToFileURL(resolve(from, `node_modules/@unicode/unicode-${version}.0.0`, path)))).default;
const categories = async (version) => {
    const map = await load(version, 'General_Category/index.mjs');
    return Array.from({ length: N }, (_, c) => map.get(c) ?? NONE);
};
const binary = async (version, name) => new Set(await load(version, `Binary_Property/${name}/code-points.mjs`));

const hex = (c) => '0x' + c.toString(16).toUpperCase().padStart(4, '0');
const SHORT = {
    Uppercase_Letter: 'LU', Lowercase_Letter: 'LL', Titlecase_Letter: 'LT', Modifier_Letter: 'LM', Other_Letter: 'LO',
    Nonspacing_Mark: 'MN', Spacing_Mark: 'MC', Enclosing_Mark: 'ME', Decimal_Number: 'ND', Letter_Number: 'NL',
    Other_Number: 'NO', Connector_Punctuation: 'PC', Dash_Punctuation: 'PD', Open_Punctuation: 'PS',
    Close_Punctuation: 'PE', Initial_Punctuation: 'PI', Final_Punctuation: 'PF', Other_Punctuation: 'PO',
    Math_Symbol: 'SM', Currency_Symbol: 'SC', Modifier_Symbol: 'SK', Other_Symbol: 'SO', Space_Separator: 'ZS',
    Line_Separator: 'ZL', Paragraph_Separator: 'ZP', Control: 'CC', Format: 'CF', Private_Use: 'CO', Surrogate: 'CS',
};

const category = {};
for (const version of [8, 9, BASE, 16, 17])
    category[version] = await categories(version);

/* A property with names as values, of every character. */
async function named(version, property, otherwise) {
    const table = new Array(N).fill(otherwise);
    for (const name of (await load(version, 'index.mjs'))[property])
        for (const c of await load(version, `${property}/${name}/code-points.mjs`))
            table[c] = name;
    return table;
}

const scripts = (version) => named(version, 'Script', 'Unknown');

/* Everything about a character that decides where a text is cut. */
async function traits(version) {
    const breaks = await named(version, 'Grapheme_Cluster_Break', 'Other');
    const names = ['Alphabetic', 'Uppercase', 'Lowercase', 'Emoji', 'Extended_Pictographic'];
    const sets = await Promise.all(names.map((name) => binary(version, name)));
    return (c) => {
        const utf8 = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        return [utf8, category[version][c], ...sets.map((set) => set.has(c)), breaks[c]].join();
    };
}

const withoutBreaks = (key) => key.slice(0, key.lastIndexOf(','));

/* An old character of the same traits for each new one, if possible of the same script; and for those whose traits have changed,
 * but for breaks, and for characters of two bytes (U+0363 to U+036F became Alphabetic), which nothing has to look at then. */
const isOld = (c) => category[BASE][c] !== NONE && category[BASE][c] !== 'Surrogate';

async function standIns() {
    const [old, now] = [await traits(BASE), await traits(17)];
    const [oldScript, script] = [await scripts(BASE), await scripts(17)];
    const maps = [new Map(), new Map(), new Map()]; /* the best kind of likeness first */
    const keys = (traits, script) => [traits + ',' + script, traits, withoutBreaks(traits)];
    for (let c = 0; c < N; c++) {
        if (!isOld(c))
            continue;
        keys(old(c), oldScript[c]).forEach((key, i) => maps[i].has(key) || maps[i].set(key, c));
    }
    /* Without a like one in how graphemes break (Kirat Rai's vowels): a character past U+FFFF is looked up alone anyway. */
    return (c) => {
        const changed = since(c) <= BASE && c >= 0x800 && isOld(c) && withoutBreaks(old(c)) !== withoutBreaks(now(c))
            && category[16][c] === category[17][c];
        if (since(c) <= BASE && !changed)
            return 0;
        const found = keys(now(c), script[c]).map((key, i) => maps[i].get(key)).find((old) => old !== undefined);
        if (found === undefined)
            throw new Error(`no stand-in for ${hex(c)}: ${now(c)}`);
        return found;
    };
}

function since(c) {
    if (category[17][c] === NONE || category[8][c] !== NONE)
        return 0;
    return [9, BASE, 16, 17].find((version) => category[version][c] !== NONE);
}

/* Runs of neighbours with equal values; value undefined: in no run, and bridged says whether it may lie inside one. */
function runs(value, bridged) {
    const out = [];
    for (let c = 0; c < N; c++) {
        const v = value(c);
        if (v === undefined) {
            if (out.length > 0 && !bridged(c, out[out.length - 1].value))
                out[out.length - 1].closed = true;
            continue;
        }
        const last = out[out.length - 1];
        if (last !== undefined && !last.closed && last.value === v)
            last.last = c;
        else
            out.push({ first: c, last: c, value: v });
    }
    return out;
}

const rows = (list, format) => list.map(format).join('\n') + '\n';
const file = (name, what, body) => {
    const guard = `GOL_TEXT_${name.toUpperCase()}_H`;
    writeFileSync(resolve(to, name + '.h'),
        `/* Made by tools/make_unicode_tables.mjs from the Unicode Character Database: ${what}. */\n` +
        `#ifndef ${guard}\n#define ${guard}\n\n${body}\n#endif\n`);
};

const NEWER_TYPES = `#include <stdint.h>
#include <utf8proc.h>

typedef struct newer_range {
    uint32_t first, last;
    uint8_t since;     /* a version by which it is assigned: 8, 9, 14, 16 or 17 */
    uint32_t stand_in; /* a character of version 14 with the same traits; 0: it is one itself */
} newer_range;

typedef struct changed_range {
    uint32_t first, last;
    utf8proc_category_t in_8, in_9;
} changed_range;

typedef struct lower_range {
    uint32_t first, last;
    int32_t distance;
} lower_range;

`;

const SCRIPTS_TYPES = `#include <stdint.h>

typedef struct script_start {
    uint32_t first; /* to the next one's */
    uint8_t script;
} script_start;

`;

async function newerTable() {
    const standIn = await standIns();
    const row = (c) => {
        const like = standIn(c);
        return since(c) > 0 || like > 0 ? `${since(c) || 8}, ${like > 0 ? hex(like) : 0}` : undefined;
    };
    const isUnassigned = (c) => category[17][c] === NONE;
    const isBridge = (c, value) => isUnassigned(c) && value.endsWith(' 0');
    const newer = runs(row, isBridge);
    const isLetter = (c, version) => SHORT[category[version][c]][0] === 'L';
    const changed = runs(
        (c) => (category[8][c] !== NONE && [BASE, 16, 17].some((version) => category[version][c] !== category[8][c]
            && !(isLetter(c, 8) && isLetter(c, version))) ? `UTF8PROC_CATEGORY_${SHORT[category[8][c]]}, UTF8PROC_CATEGORY_${SHORT[category[9][c]]}` : undefined),
        () => false);
    const pages = new Array(26).fill(0);
    newer.forEach((r) => {
        for (let page = r.first >> 8; page <= r.last >> 8; page++)
            pages[page >> 5] += pages[page >> 5] / 2 ** (page & 31) & 1 ? 0 : 2 ** (page & 31);
    });
    const lower = await load(17, 'Simple_Case_Mapping/Lowercase/code-points.mjs');
    const lowered = runs((c) => (since(c) > BASE && lower.has(c) ? lower.get(c) - c : undefined), () => false);
    return NEWER_TYPES +
        '/* Characters assigned after version 8, and some that changed. Gaps that no version assigns may lie inside a row whose\n * characters stand for themselves. */\n' +
        'static const newer_range newer[] = {\n' +
        rows(newer, (r) => `    {${hex(r.first)}, ${hex(r.last)}, ${r.value}},`) + '};\n\n' +
        '/* Pages of 256 characters that have some of them, a bit each. */\n' +
        `static const uint32_t newer_pages[${pages.length}] = {\n    ` + pages.map((p) => hex(p) + 'u').join(', ') + '};\n\n' +
        '/* Characters that version 8 has in another category than later ones, and that of version 9; changes among letters are left\n * out. */\n' +
        'static const changed_range changed[] = {\n' +
        rows(changed, (r) => `    {${hex(r.first)}, ${hex(r.last)}, ${r.value}},`) + '};\n\n' +
        '/* Lower case of capitals assigned after version 14. */\n' +
        'static const lower_range lowered[] = {\n' +
        rows(lowered, (r) => `    {${hex(r.first)}, ${hex(r.last)}, ${r.value}},`) + '};\n';
}

async function scriptsTable() {
    const table = await scripts(9);
    const names = [...new Set(table)];
    const list = runs((c) => names.indexOf(table[c]), () => false);
    const cells = list.map((r) => `{${hex(r.first)}, ${r.value}}`);
    return SCRIPTS_TYPES +
        '/* Numbers in order of appearance. */\n' +
        `enum { SCRIPTS_N = ${names.length}, SCRIPT_UNKNOWN = ${names.indexOf('Unknown')}, SCRIPT_HAN = ${names.indexOf('Han')}, ` +
        `SCRIPT_HIRAGANA = ${names.indexOf('Hiragana')}, SCRIPT_KATAKANA = ${names.indexOf('Katakana')} };\n\n` +
        'static const script_start starts[] = {\n    ' + cells.join(', ') + '};\n';
}

file('unicode_newer_table', 'versions 8, 9, 14, 16, 17', await newerTable());
file('unicode_scripts_table', 'version 9', await scriptsTable());
