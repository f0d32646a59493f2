/* Work on text that filters and methods of strings share. Widths and counts are in characters. */
#ifndef GOL_TEXT_TEMPLATE_JTEXT_H
#define GOL_TEXT_TEMPLATE_JTEXT_H

#include "text/template/jchar.h"
#include "text/template/render.h"

int gol_jtext_case(gol_jinja *j, gol_jvalue *out, gol_str s, gol_jcase to);
int gol_jtext_capitalize(gol_jinja *j, gol_jvalue *out,
                         gol_str s); /* the first in title case, the rest lower */
/* count < 0: all */
int gol_jtext_replace(gol_jinja *j, gol_jvalue *out, gol_str s, gol_str old, gol_str by,
                      int64_t count);
/* Without those of the characters in chars that stand at its ends. */
int gol_jtext_strip(gol_jinja *j, gol_jvalue *out, gol_str s, gol_str chars, bool left, bool right);

typedef enum gol_jalign { GOL_JALIGN_LEFT, GOL_JALIGN_RIGHT, GOL_JALIGN_CENTER } gol_jalign;
int gol_jtext_pad(gol_jinja *j, gol_jvalue *out, gol_str s, int64_t width, gol_str fill,
                  gol_jalign align);
/* Appends fill n times; what is too long fails. */
int gol_jtext_put_fill(gol_jinja *j, gol_buf *out, gol_str fill, int64_t n);
/* A list of lines, without their ends unless these are kept. */
int gol_jtext_lines(gol_jinja *j, gol_jvalue *out, gol_str s, bool keeps_ends);
/* Where sub is in s, in bytes; SIZE_MAX: nowhere. */
size_t gol_jtext_find(gol_str s, gol_str sub);
int gol_jtext_find_last(gol_jinja *j, size_t *at, gol_str s, gol_str sub);

#endif
