/* Unicode normalization forms (UAX 15, version 9) of whole texts, in time linear in the text whatever it holds. */
#ifndef GOL_TEXT_UNICODE_FORMS_H
#define GOL_TEXT_UNICODE_FORMS_H

#include "base/buf.h"
#include "base/str.h"

typedef enum gol_unicode_form {
    GOL_UNICODE_NFC,
    GOL_UNICODE_NFD,
    GOL_UNICODE_NFKC,
    GOL_UNICODE_NFKD,
} gol_unicode_form;

/* Appends the form of text, valid UTF-8, to out. 0 or GOL_ENOMEM; out->failed says whether it fitted. */
int gol_unicode_normalize(gol_buf *out, gol_str text, gol_unicode_form form);

#endif
