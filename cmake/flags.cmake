# Compiler flags for everything. No -march=native and no -ffast-math: one binary runs everywhere and gives the same bits.
add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
  -Wvla -Wwrite-strings -fno-strict-aliasing -ffp-contract=off -fvisibility=hidden)
if(GOLLUM_WERROR)
  add_compile_options(-Werror)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O3 -g1") # assertions stay on
set(CMAKE_C_FLAGS_DEBUG "-O1 -g3 -DGOL_DEBUG=1")

if(GOLLUM_SANITIZE)
  add_compile_options(-fsanitize=${GOLLUM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GOLLUM_SANITIZE})
  add_compile_definitions(GOL_DEBUG=1 GOL_SANITIZED=1)
else()
  add_compile_options(-fstack-protector-strong)
  add_compile_options($<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
  if(NOT APPLE)
    add_link_options(-Wl,-z,relro -Wl,-z,now)
  endif()
endif()
