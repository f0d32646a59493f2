/* One value in a width: what "%-5.2f" and "{:<5.2f}" have in common. */
#ifndef GOL_TEXT_TEMPLATE_JFORMAT_SPEC_H
#define GOL_TEXT_TEMPLATE_JFORMAT_SPEC_H

#include "text/template/jtext.h"

enum { GOL_JFORMAT_PRECISION_MAX = 1000, GOL_JFORMAT_WIDTH_MAX = 1 << 20 };

typedef struct gol_jspec {
    gol_str fill; /* one character; empty: a blank */
    char align;   /* '<' '>' '^' '=' (behind the sign); 0: right for numbers, left for text */
    char sign;    /* '+' ' '; 0: of negative numbers only */
    bool alt;     /* '#' */
    char group;   /* ',' '_'; 0: none */
    int width;
    int precision; /* -1: not given */
    char type;     /* 'd' 'f' 's' ...; 0: not given */
} gol_jspec;

int gol_jspec_put_text(gol_jinja *j, gol_buf *out, const gol_jspec *spec, gol_str s);
int gol_jspec_put_int(gol_jinja *j, gol_buf *out, const gol_jspec *spec, int64_t i);
int gol_jspec_put_float(gol_jinja *j, gol_buf *out, const gol_jspec *spec, double f);

#endif
