/* Base64 (RFC 4648), as tokenizer.json writes its character maps. */
#ifndef GOL_TEXT_HF_HF_BASE64_H
#define GOL_TEXT_HF_HF_BASE64_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* Appends the bytes. Errors: GOL_EMODEL, GOL_ENOMEM. */
int gol_hftok_base64_decode(gol_buf *out, gol_str text, gol_err *err);

#endif
