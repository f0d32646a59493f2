/* Sizes, copies and errors at the library's border. See public_struct.h. */
#include "lib/public_struct.h"

#include <assert.h>
#include <string.h>

/* gollum.h's codes are base/error.h's: a code added or moved there stops the build here. */
#define GOL_COUNT(name, code, exit_code, http_status, text) +1
enum { N_ERRORS = GOL_ERRORS(GOL_COUNT) };
static_assert(N_ERRORS == 15, "gollum.h lists every error of base/error.h");
static_assert((int)GOLLUM_EINTERNAL == (int)GOL_EINTERNAL, "same code");
static_assert((int)GOLLUM_EUSAGE == (int)GOL_EUSAGE, "same code");
static_assert((int)GOLLUM_EINVAL == (int)GOL_EINVAL, "same code");
static_assert((int)GOLLUM_EMODEL == (int)GOL_EMODEL, "same code");
static_assert((int)GOLLUM_EUNSUPPORTED == (int)GOL_EUNSUPPORTED, "same code");
static_assert((int)GOLLUM_ENOTFOUND == (int)GOL_ENOTFOUND, "same code");
static_assert((int)GOLLUM_ELISTEN == (int)GOL_ELISTEN, "same code");
static_assert((int)GOLLUM_ENOMEM == (int)GOL_ENOMEM, "same code");
static_assert((int)GOLLUM_EIO == (int)GOL_EIO, "same code");
static_assert((int)GOLLUM_ECONFIG == (int)GOL_ECONFIG, "same code");
static_assert((int)GOLLUM_ETOOLARGE == (int)GOL_ETOOLARGE, "same code");
static_assert((int)GOLLUM_ECONTEXT == (int)GOL_ECONTEXT, "same code");
static_assert((int)GOLLUM_EBUSY == (int)GOL_EBUSY, "same code");
static_assert((int)GOLLUM_EABORTED == (int)GOL_EABORTED, "same code");
static_assert((int)GOLLUM_ECLOSED == (int)GOL_ECLOSED, "same code");

/* struct_size comes first: it can be read and written without knowing the rest. */
static_assert(offsetof(gollum_options, struct_size) == 0, "struct_size is the first field");
static_assert(offsetof(gollum_request, struct_size) == 0, "struct_size is the first field");
static_assert(offsetof(gollum_event, struct_size) == 0, "struct_size is the first field");

bool gol_public_is_size(size_t struct_size)
{
    return struct_size >= sizeof struct_size && struct_size <= GOL_PUBLIC_STRUCT_MAX;
}

static bool is_zero(const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

int gol_public_read(void *dst, size_t dst_size, const void *src, const char *name, gol_err *err)
{
    if (src == NULL)
        return gol_fail(err, GOL_EINVAL, "%s is NULL", name);
    size_t size;
    memcpy(&size, src, sizeof size);
    if (!gol_public_is_size(size))
        return gol_fail(err, GOL_EINVAL, "%s.struct_size is %zu: call gollum_%s_init() first", name,
                        size, name);
    if (size > dst_size && !is_zero((const unsigned char *)src + dst_size, size - dst_size))
        return gol_fail(err, GOL_EUNSUPPORTED,
                        "%s sets a field that came after gollum %s, the version in use", name,
                        GOL_VERSION);
    memcpy(dst, src, size < dst_size ? size : dst_size);
    return 0;
}

void gol_public_write(void *dst, size_t dst_size, const void *src, size_t src_size)
{
    assert(gol_public_is_size(dst_size));
    const size_t n = dst_size < src_size ? dst_size : src_size;
    memcpy(dst, src, n);
    memset((char *)dst + n, 0, dst_size - n);
    memcpy(dst, &dst_size, sizeof dst_size);
}

int gol_public_fail(gollum_error *out, const gol_err *err)
{
    if (out != NULL) {
        static_assert(sizeof out->message == sizeof err->message, "messages are copied whole");
        out->code = err->code;
        out->exit_code = gol_error_exit_code(err->code);
        memcpy(out->message, err->message, sizeof out->message);
    }
    return err->code;
}
